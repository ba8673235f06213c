"""Columns made ready at once say what their values say one by one, and give up where graphql-core must judge."""

import functools
from typing import Any
from uuid import UUID, uuid4

import pytest
from graphql import GraphQLError, GraphQLField, GraphQLSchema

from app.clock import iso
from graph.instants import instant
from graph.leaf_columns import Odd, finish_column_of
from graph.leaves import ODD, finish_of
from graph.relay import global_id, parse_global_id
from graph.schema import build_schema, core

INSTANTS = [0, 1, 59_999, 60_000, 86_399_999, 86_400_000, 1_762_050_000_123, 4_102_444_799_999, -1, -86_400_001,
            253_402_300_799_999, -62_135_596_800_000]  # fmt: skip


@functools.cache
def schema() -> GraphQLSchema:
    return core(build_schema())


def field(name: str) -> GraphQLField:
    return schema().type_map["Installation"].fields[name]  # type: ignore[attr-defined, no-any-return]


def test_instants_are_the_clocks_own():
    """The quick text is `app.clock.iso`'s, at the edges of minutes, days and the calendar."""
    assert [instant(ms) for ms in INSTANTS] == [iso(ms) for ms in INSTANTS]


@pytest.mark.parametrize("prefix", ["Toy", "Toys", "Toyss", "Installation", "Credential", "Origin", "X"])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_ids_of_a_column_are_those_of_its_values(prefix: str, count: int):
    """Whatever is left of three characters, and however a database gives the ids."""
    convert: Any = global_id(prefix)
    ids = [uuid4() for _ in range(count - 1)] + [UUID(int=2**128 - 1)]
    assert convert.column(ids) == [convert(one) for one in ids] == convert.column([str(one) for one in ids])
    assert [parse_global_id(text) for text in convert.column(ids)] == [(prefix, one) for one in ids]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("displayName", ["a", "b", ""]),
        ("description", ["a", None, "b"]),
        ("description", [None, None]),
        ("status", ["active", "draft", "active"]),
        ("platform", ["wordpress"]),
        ("createdAt", INSTANTS[:7]),
        ("version", [0, 1, 2**31 - 1, -(2**31)]),
        ("rateLimitPerMinute", [None, 5]),
        ("id", [UUID(int=1), UUID(int=2)]),
        ("id", [str(UUID(int=1)), UUID(int=2)]),
    ],
)
def test_a_column_is_what_its_values_are(name: str, values: list[Any]):
    """Text, enums, instants, numbers and ids, with and without nulls."""
    found = field(name)
    finish, convert = finish_of(found), found.resolve.convert  # type: ignore[union-attr]
    one: Any = finish if convert is None else convert
    expected = [None if value is None else one(value) for value in values]
    column: Any = finish_column_of(found)
    assert ODD not in expected
    assert list(column(values)) == expected


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("displayName", ["a", None]),
        ("displayName", ["a", 5]),
        ("displayName", [None]),
        ("status", ["active", "nothing"]),
        ("status", [["active"]]),
        ("createdAt", ["2025"]),
        ("createdAt", [True]),
        ("version", [2**31]),
        ("version", [-(2**31) - 1, 1]),
        ("version", [True, 1]),
        ("version", [1.0]),
        ("id", [None, UUID(int=1)]),
    ],
)
def test_an_odd_value_gives_the_column_up(name: str, values: list[Any]):
    """A null where none may be, another type, an unknown name of an enum, a number out of bounds."""
    column: Any = finish_column_of(field(name))
    with pytest.raises((Odd, GraphQLError)):
        column(values)


def test_a_field_with_a_resolver_has_no_column():
    """`usage` and `origins` are not read from the row."""
    assert finish_column_of(field("usage")) is None
    assert finish_column_of(field("origins")) is None
