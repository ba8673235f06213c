"""Scores the contract law on folders of third-party pairs: recall, false positives, and the misses by family."""

import argparse
import collections
import datetime as dt
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from services.contracts.findings import Finding, Verdict
from services.contracts.openapi import compare
from services.contracts.reading import UnreadableDocument, read_path

TODAY = dt.date(2026, 11, 20)
DISAGREEMENTS = Path(__file__).with_name("contract_pairs_disagreements.json")


def rows(folder: Path) -> list[dict[str, Any]]:
    """Decided rows of a folder, as `{id, base, revision, breaking, family, config, split}`."""
    cases = json.loads((folder / "cases.json").read_text())
    found = []
    for case in cases:
        if case["breaking"] is None or case.get("contested"):
            continue
        if "asserted_by_upstream_test" in case and not case["asserted_by_upstream_test"]:
            continue
        family = case.get("family") or case.get("test", "").split(".")[0]
        name = case.get("pair") or f"{case['base']} {case['revision']}".replace("specs/", "")
        found.append({
            "id": f"{name}#{case['rule']}" if case.get("rule") else name, "base": case["base"],
            "revision": case["revision"], "breaking": case["breaking"], "family": family, "rule": case.get("rule"),
            "level": case.get("level"), "config": case.get("config") or {},
        })  # fmt: skip
    return found


def held_out(row: dict[str, Any]) -> bool:
    """A third of the families of rows, by a hash of what the family is called."""
    stem = (row["rule"] or row["id"].split("#")[0].split(" ")[0]).replace("response", "").replace("request", "")
    return hashlib.sha256(stem.encode()).digest()[0] % 3 == 0


def judge(folder: Path, row: dict[str, Any]) -> list[Finding]:
    base, revision = (read_path(folder / row[name]).openapi for name in ("base", "revision"))
    config = row["config"]
    return compare(
        base, revision, today=TODAY,
        notice_days=config.get("deprecation_days_stable"), beta_notice_days=config.get("deprecation_days_beta"),
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.contract_pairs", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--only", choices=("develop", "held-out"))
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    for folder in options.folders:
        score(folder, options)
    return 0


def score(folder: Path, options: argparse.Namespace) -> None:
    started = time.perf_counter()
    answers: dict[tuple[str, str], list[Finding] | str] = {}
    missed, false, counts = [], [], collections.Counter()
    for row in rows(folder):
        if options.only and held_out(row) != (options.only == "held-out"):
            continue
        key = (row["base"], row["revision"], str(row["config"]))
        if key not in answers:
            try:
                answers[key] = judge(folder, row)
            except UnreadableDocument as error:
                answers[key] = str(error)
        found = answers[key]
        if isinstance(found, str):
            counts["unreadable"] += 1
            continue
        broken = any(each.verdict is not Verdict.NOTICE for each in found)
        counts[row["breaking"]] += 1
        if row["breaking"] and not broken:
            missed.append((row, found))
        elif broken and not row["breaking"] and not others_break(folder, row):
            false.append((row, found))
    reasons = json.loads(DISAGREEMENTS.read_text())
    judged_otherwise = {row["id"] for row, _ in missed + false} & reasons.keys()
    print(f"  judged otherwise, with a reason in {DISAGREEMENTS.name}: {len(judged_otherwise)} rows")
    report(reasons, folder, counts, missed, false, time.perf_counter() - started, options)


def others_break(folder: Path, row: dict[str, Any]) -> bool:
    """Whether the same pair has another row that is breaking or undecided."""
    if folder not in _PAIRS:
        _PAIRS[folder] = collections.defaultdict(list)
        for case in json.loads((folder / "cases.json").read_text()):
            _PAIRS[folder][(case["base"], case["revision"])].append(case)
    return any(case["breaking"] or case["level"] == "WARN" or case.get("contested")
               for case in _PAIRS[folder][(row["base"], row["revision"])])  # fmt: skip


_PAIRS: dict[Path, Any] = {}


def report(
    reasons: dict[str, str],
    folder: Path,
    counts: Any,
    missed: list[Any],
    false: list[Any],
    seconds: float,
    options: Any,
) -> None:
    total = counts[True] + counts[False]
    print(f"{folder.name}: {total} rows, {counts[True]} breaking, {counts['unreadable']} unreadable, {seconds:.1f} s")
    recall = 1 - len(missed) / max(1, counts[True])
    wrong = len(false) / max(1, counts[False])
    right = 1 - (len(missed) + len(false)) / max(1, total)
    print(f"  recall {recall:.3f}  false positives {wrong:.3f}  right {right:.3f}")
    for title, listed in (("missed", missed), ("false", false)):
        for row, found in listed if options.verbose else ():
            known = " (reason listed)" if row["id"] in reasons else ""
            print(f"  {title}{known} {row['id']} [{row['family'][:30]}] {row['base']} {row['revision']}")
            for each in found[:4]:
                print(f"      {each.verdict} {each.rule} {each.effect} {each.operation} {each.where} {each.message}")


if __name__ == "__main__":
    sys.exit(main())
