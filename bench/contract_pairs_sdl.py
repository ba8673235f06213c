"""`python -m bench.contract_pairs_sdl FOLDER`: the GraphQL law's answers beside the expected ones of a set of pairs.

FOLDER holds `pairs.json`: rows with `id`, `base`, `revision` (files below FOLDER), `breaking`, and `core_verdict`,
which is ERROR where a side is no SDL. Prints what differs, with our reasons, and ends with 1 where anything does.
"""

import json
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.contracts.findings import blocking
from services.contracts.reading import UnreadableDocument
from services.contracts.sdl import compare

#: Rows that this law judges differently on purpose: id to reason.
DIFFERENT = {
    "g067": "A non-null argument of a directive on FIELD lost its default: `{ a @d }` was valid and is not.",
    "g125": "A non-null input field lost its default: an object without it was valid and is not.",
}


def judge(folder: Path, row: dict[str, Any]) -> tuple[str, list[str]]:
    """`breaking`, `passes` or `unreadable`, and the rules that say so."""
    texts = [(folder / row[side]).read_text() for side in ("base", "revision")]
    try:
        findings = compare(texts[0], texts[1], today=datetime.now(UTC).date())
    except UnreadableDocument as error:
        return "unreadable", [str(error)]
    found = blocking(findings)
    return ("breaking" if found else "passes"), sorted({finding.rule for finding in found or findings})


def main(folder: Path) -> int:
    counts: Counter[str] = Counter()
    wrong = 0
    began = time.perf_counter()
    for row in json.loads((folder / "pairs.json").read_text()):
        expected = "breaking" if row["breaking"] else "unreadable" if row["core_verdict"] == "ERROR" else "passes"
        said, rules = judge(folder, row)
        counts[f"expected {expected}, said {said}"] += 1
        if said != expected:
            reason = DIFFERENT.get(row["id"], "")
            wrong += not reason
            print(f"{row['id']}  expected {expected}, said {said}  {', '.join(rules)}  {reason}")
    for name, count in sorted(counts.items()):
        print(f"{count:5}  {name}")
    print(f"{wrong} wrong, {time.perf_counter() - began:.1f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
