"""Deprecate, announce a day, remove after it: at every level that GraphQL can deprecate."""

from datetime import date, timedelta

import pytest

from services.contracts.findings import blocking
from services.contracts.sdl import compare

pytestmark = pytest.mark.contract
SUNSET = date(2026, 11, 20)
REASON = f'@deprecated(reason: "Use other. (sunset {SUNSET})")'
LEVELS = {
    "field": ("type Query { a: Int b: Int %s }", "type Query { a: Int }"),
    "field of an interface": (
        "type Query { n: N } interface N { a: Int b: Int %s } type T implements N { a: Int b: Int %s }",
        "type Query { n: N } interface N { a: Int } type T implements N { a: Int }",
    ),
    "argument": ("type Query { a(x: Int %s): Int }", "type Query { a: Int }"),
    "input field": (
        "type Query { a(i: I): Int } input I { x: Int y: Int %s }",
        "type Query { a(i: I): Int } input I { x: Int }",
    ),
    "enum value": ("type Query { a(e: E): E } enum E { A B %s }", "type Query { a(e: E): E } enum E { A }"),
    "argument of a directive": (
        "type Query { a: Int } directive @d(x: Int %s) on FIELD",
        "type Query { a: Int } directive @d on FIELD",
    ),
    "field with the types behind it": (
        "type Query { a: Int b(i: I): T %s } type T { u: U } union U = V | W "
        "type V { x: Float } type W { x: Int } input I { e: E } enum E { A }",
        "type Query { a: Int }",
    ),
    "mutation": (
        "type Query { a: Int } type Mutation { a: Int b: P %s } type P { x: Int }",
        "type Query { a: Int } type Mutation { a: Int }",
    ),
}


def marked(text: str, mark: str) -> str:
    return text.replace("%s", mark)


@pytest.mark.parametrize("level", LEVELS)
def test_removal_passes_after_the_sunset_and_not_before(level: str) -> None:
    """The day before, nothing may go; on the day it may, as the header `Sunset` says it."""
    base, revision = marked(LEVELS[level][0], REASON), LEVELS[level][1]
    assert blocking(compare(base, revision, today=SUNSET - timedelta(days=400)))
    assert blocking(compare(base, revision, today=SUNSET - timedelta(days=1)))
    after = compare(base, revision, today=SUNSET)
    assert after and not blocking(after)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("mark", ["", "@deprecated", '@deprecated(reason: "soon (sunset 2026-13-45)")'])
def test_removal_without_a_day_never_passes(level: str, mark: str) -> None:
    """Not deprecated, deprecated without a day, and a day that is none."""
    base, revision = marked(LEVELS[level][0], mark), LEVELS[level][1]
    assert blocking(compare(base, revision, today=date(2100, 1, 1)))


def test_the_day_may_stand_in_a_directive() -> None:
    """`@sunset(date:)` beside `@deprecated` says the same; alone it says nothing."""
    base = 'type Query { a: Int b: Int @deprecated(reason: "x") @sunset(date: "2026-11-20") }'
    assert not blocking(compare(base, "type Query { a: Int }", today=date(2026, 11, 21)))
    alone = 'type Query { a: Int b: Int @sunset(date: "2026-11-20") }'
    assert blocking(compare(alone, "type Query { a: Int }", today=date(2026, 11, 21)))


def test_what_something_else_still_reaches_is_kept() -> None:
    """A type goes with the last field that led to it, not with the first."""
    base = f"type Query {{ a: T b: T {REASON} }} type T {{ x: Int }}"
    found = blocking(compare(base, "type Query { a: Int }", today=date(2100, 1, 1)))
    assert {finding.rule for finding in found} == {"type-removed", "field-type-changed"}


def test_deprecating_a_field_with_a_day_to_come_passes() -> None:
    """The first step of the way out changes nothing for anybody."""
    base, revision = "type Query { a: Int b: Int }", marked("type Query { a: Int b: Int %s }", REASON)
    assert not blocking(compare(base, revision, today=SUNSET - timedelta(days=90)))
    assert blocking(compare(base, revision, today=SUNSET + timedelta(days=1)))
