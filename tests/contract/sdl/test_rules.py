"""Every rule of the GraphQL law is found where it applies, and its witness holds."""

from datetime import date

import pytest
from graphql import build_schema, parse, validate
from graphql.utilities import find_schema_changes

from services.contracts.findings import Direction, Effect, Finding, Verdict
from services.contracts.sdl import RULES, compare
from tests.contract.sdl.cases import CASES, Case

pytestmark = pytest.mark.contract
TODAY = date(2026, 11, 21)
#: Rules that only appear where graphql-core knows more than this law.
NETS = {"unclassified"}


def named(case: Case) -> Finding:
    found = compare(case.base, case.revision, today=TODAY)
    [finding] = [f for f in found if (f.rule, f.where) == (case.rule, case.where)]
    return finding


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{case.where}")
def test_the_rule_is_found_and_its_witness_holds(case: Case) -> None:
    """The finding carries the rule's verdict; a document was valid and is not; an answer holds what is new."""
    finding = named(case)
    assert finding.verdict is RULES[case.rule].verdict
    assert len(finding.fingerprint) == 16
    witness = finding.witness
    if case.proven == "document":
        assert witness is not None
        document = parse(witness.value)
        assert not validate(build_schema(case.base, assume_valid=True), document)
        assert validate(build_schema(case.revision, assume_valid=True, assume_valid_sdl=True), document)
    elif case.proven == "answer":
        assert witness is not None and isinstance(witness.value["data"], dict)
    else:
        assert witness is None or witness.note


def test_every_rule_has_a_case() -> None:
    """A rule that no pair of schemas brings out is not tested."""
    assert {case.rule for case in CASES} == RULES.keys() - NETS


def test_the_way_back_is_judged_too() -> None:
    """What only adds in one direction takes away in the other; a case is never silent both ways."""
    for case in CASES:
        assert compare(case.revision, case.base, today=TODAY), case.rule


def test_the_effect_and_the_direction_give_the_verdict() -> None:
    """A request breaks on narrower or other, an answer on wider or other; the rules that deviate say why."""
    grown = {"enum-value-added", "union-member-added", "interface-added"}
    for rule in RULES.values():
        narrows = rule.effect in (Effect.NARROWS, Effect.INCOMPARABLE)
        widens = rule.effect in (Effect.WIDENS, Effect.INCOMPARABLE)
        match rule.direction:
            case Direction.REQUEST:
                expected = narrows
            case Direction.RESPONSE:
                expected = widens and rule.name not in grown
            case Direction.CONTRACT:
                expected = rule.name == "sunset-brought-forward"
        assert (rule.verdict is Verdict.BREAKING) is expected, rule.name
        assert (rule.verdict is Verdict.UNKNOWN) is (rule.effect is Effect.UNKNOWN), rule.name


def test_graphql_core_alone_would_have_missed_these() -> None:
    """The cases that block here and that find_schema_changes does not call breaking; kept as a list on purpose."""
    missed = set()
    for case in CASES:
        if RULES[case.rule].verdict is Verdict.NOTICE:
            continue
        schemas = [build_schema(text, assume_valid=True, assume_valid_sdl=True) for text in (case.base, case.revision)]
        changes = find_schema_changes(schemas[0], schemas[1])
        if not any(type(change).__name__ == "BreakingChange" for change in changes):
            missed.add(case.rule)
    assert missed == {
        "argument-became-required",
        "input-field-became-required",
        "one-of-added",
        "one-of-elsewhere",
        "root-type-removed",
        "scope-required",
        "specified-by-changed",
        "sunset-brought-forward",
    }


def test_a_fingerprint_does_not_follow_the_words() -> None:
    """Waivers stay good where only a message is worded anew."""
    finding = named(CASES[0])
    again = Finding(**{name: getattr(finding, name) for name in finding.__struct_fields__} | {"message": "Other."})
    assert again.fingerprint == finding.fingerprint


def test_a_removed_value_that_is_only_answered_does_not_hurt_a_tolerant_reader() -> None:
    """The same removal is breaking for both readers where a document may give the value."""
    answered, given = (
        next(f for f in compare(case.base, case.revision, today=TODAY) if f.rule == case.rule)
        for case in sorted((c for c in CASES if c.rule == "enum-value-removed"), key=lambda c: "(e:" in c.base)
    )
    assert answered.tolerant is Verdict.NOTICE
    assert given.tolerant is None
