"""What is no schema is refused with a sentence, and what is large or crooked is read."""

from datetime import date
from pathlib import Path

import pytest
from graphql import DocumentNode, build_schema, lexicographic_sort_schema, parse, print_ast, print_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.findings import blocking
from services.contracts.reading import UnreadableDocument
from services.contracts.sdl import compare

pytestmark = pytest.mark.contract
TODAY = date(2026, 11, 21)
OURS = (Path(__file__).resolve().parents[3] / "schema.graphql").read_text()
FINE = "type Query { a: Int }"
BAD = {
    "empty": "",
    "no SDL": "openapi: 3.1.0",
    "a document to run": "{ a }",
    "an unknown type": "type Query { a: Nowhere }",
    "a type twice": "type Query { a: Int } type Query { b: Int }",
    "a field twice": "type Query { a: Int a: Int }",
    "an object as argument": "type Query { a(x: Query): Int }",
    "an input as answer": "type Query { a: I } input I { x: Int }",
    "a union of scalars": "type Query { a: U } union U = Int",
    "an interface of itself": "type Query { a: A } interface A implements A { x: Int }",
    "interfaces in a circle": "type Query { a: A } interface A implements B { x: Int } "
    "interface B implements A { x: Int }",
    "no interface": "type Query implements T { a: Int } type T { a: Int }",
    "an extension of nothing": "extend type Query { a: Int }",
    "deep lists": "type Query { a: " + "[" * 50_000 + "Int" + "]" * 50_000 + " }",
    "a deep default": "type Query { a(x: [Int] = " + "[" * 50_000 + "]" * 50_000 + "): Int }",
    "a deep directive": "type Query { a: Int @d(x: " + "{a:" * 50_000 + "1" + "}" * 50_000 + ") }",
    "a null byte": "type Query { a: Int \x00 }",
    "a lone surrogate": "type Query { \ud800: Int }",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_what_is_no_schema_is_refused(text: str) -> None:
    """On either side, with a sentence that names the side."""
    with pytest.raises(UnreadableDocument, match="base"):
        compare(text, FINE, today=TODAY)
    with pytest.raises(UnreadableDocument, match="revision"):
        compare(FINE, text, today=TODAY)


def test_inputs_that_need_themselves_end() -> None:
    """No value of such a type exists, so there is no witness; the finding stands."""
    base = "type Query { a(i: I!): Int b: Int } input I { j: J! } input J { i: I! }"
    found = blocking(compare(base, base.replace("b: Int", ""), today=TODAY))
    assert [finding.rule for finding in found] == ["field-removed"]
    assert compare(base, base.replace("a(i: I!)", "a(i: I)"), today=TODAY)


def test_ten_thousand_types_are_compared() -> None:
    """Large is not wrong: every type in a chain to the next, and the last field of each one gone."""

    def text(last: str) -> str:
        types = [f"type T{n} {{ next: T{n + 1} {last} }}" for n in range(10_000)]
        return "type Query { t: T0 }\n" + "\n".join(types) + "\ntype T10000 { x: Int }"

    found = blocking(compare(text("x: Int"), text(""), today=TODAY))
    assert len(found) == 10_000


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.integers(0, len(OURS)), st.integers(0, 400), st.text(max_size=5))
def test_any_damage_is_read_or_refused(at: int, length: int, put: str) -> None:
    """A cut and an insertion anywhere in this project's schema never crash the comparison."""
    damaged = OURS[:at] + put + OURS[at + length :]
    try:
        compare(OURS, damaged, today=TODAY)
    except UnreadableDocument as error:
        assert str(error)


def test_order_and_layout_are_no_change() -> None:
    """The schema sorted and printed anew gives no finding, in both directions."""
    # The printer drops the schema's own directives, so the comparison is of schemas without any.
    bare = print_schema(build_schema(OURS))
    again = print_schema(lexicographic_sort_schema(build_schema(bare)))
    backwards = print_ast(DocumentNode(definitions=parse(OURS).definitions[::-1]))
    assert compare(bare, again, today=TODAY) == compare(again, bare, today=TODAY) == []
    assert compare(OURS, backwards, today=TODAY) == []
    assert compare(OURS, OURS.replace("\n", "\r\n"), today=TODAY) == []
