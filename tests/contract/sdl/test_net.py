"""graphql-core below the law: nothing that it calls breaking passes, and nothing of ours leaves it to the net."""

import random
import re
from datetime import date
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate
from graphql.utilities import find_schema_changes

from services.contracts.findings import Verdict, blocking
from services.contracts.sdl import comparing
from tests.contract.sdl.cases import CASES

pytestmark = pytest.mark.contract
TODAY = date(2026, 11, 21)
OURS = (Path(__file__).resolve().parents[3] / "schema.graphql").read_text()
FIELD = re.compile(r'^  (?:"""[^"]*"""\n  )?\w+(?:\([^)]*\))?: [^\n]+\n', re.MULTILINE)


def test_what_the_law_forgets_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the part that looks at types, its changes block as `unclassified`, one each."""
    monkeypatch.setattr(comparing, "compare_types", lambda found: None)
    found = comparing.compare(
        "type Query { a: Int b: Int c: Int d: Int }", "type Query { a: String d: Int }", today=TODAY
    )
    assert {finding.rule for finding in found} == {"unclassified"}
    assert len(found) == 3 and all(finding.verdict is Verdict.UNKNOWN for finding in found)


def test_no_case_is_left_to_the_net() -> None:
    """In both directions each breaking change of graphql-core has a finding of its own."""
    for case in CASES:
        for base, revision in ((case.base, case.revision), (case.revision, case.base)):
            rules = {finding.rule for finding in comparing.compare(base, revision, today=TODAY)}
            assert "unclassified" not in rules, case


def _damaged(seed: int) -> str:
    """This project's schema with some fields gone and some types loosened or tightened."""
    chance = random.Random(seed)
    lines = list(FIELD.finditer(OURS))
    text = OURS
    for match in sorted(chance.sample(lines, 4), key=lambda m: -m.start()):
        old = match[0]
        new = chance.choice(
            ["", old.replace("!\n", "\n"), old.replace(": String", ": Int"), old.replace("Int = ", "Int! = ")]
        )
        text = text[: match.start()] + new + text[match.end() :]
    return text


@pytest.mark.parametrize("seed", range(12))
def test_this_schema_damaged(seed: int) -> None:
    """What graphql-core calls breaking blocks; every document that is shown as a witness holds."""
    revision = _damaged(seed)
    old, new = (build_schema(text, assume_valid=True, assume_valid_sdl=True) for text in (OURS, revision))
    found = blocking(comparing.compare(OURS, revision, today=TODAY))
    core = [change for change in find_schema_changes(old, new) if type(change).__name__ == "BreakingChange"]
    assert bool(found) is bool(core)
    shown = [f.witness.value for f in found if f.witness and isinstance(f.witness.value, str)]
    for document in shown:
        assert not validate(old, parse(document)) and validate(new, parse(document))
    assert "unclassified" not in {finding.rule for finding in found}
    assert all(f.witness for f in found if f.rule in ("field-removed", "argument-removed"))
