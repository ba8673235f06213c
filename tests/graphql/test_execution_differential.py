"""The executor answers as graphql-core's own does: the same data, the same errors in the same places."""

import asyncio
import functools
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import execute, parse
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graph import execution
from graph.execution import PlannedExecutor
from graph.rows import TypedRow, install_readers
from tests.graphql import toys
from tests.graphql.clients import ask, server
from tests.graphql.differing import QUERIES, VARIABLES, Item, Mutation, Other, Query


@functools.cache
def schema(planned: bool) -> Any:
    made = strawberry.Schema(Query, Mutation, types=[Item, Other])
    if planned:
        install_readers(made._schema)
    return made._schema


async def answer(query: str, variables: dict[str, Any], *, planned: bool) -> Any:
    executor = PlannedExecutor if planned else StrawberryGraphQLCoreExecutionContext
    document = parse(query)
    result: Any = execute(
        schema(planned),
        document,
        context_value=SimpleNamespace(row_plans={}) if planned else None,
        variable_values=variables,
        executor_class=executor,
        is_awaitable=optimized_is_awaitable,
    )
    result = await result if asyncio.iscoroutine(result) else result
    await asyncio.sleep(0)
    # Object addresses differ from run to run.
    errors = sorted(str(error.formatted).partition(" at 0x")[0] for error in result.errors or [])
    return str(result.data), errors


def test_there_are_enough_queries():
    """A hundred, each with three sets of variables."""
    assert len(QUERIES) == len(set(QUERIES)) > 90


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("variables", VARIABLES, ids=str)
async def test_data_errors_paths_and_locations_are_the_same(query, variables):
    """Nothing that a client can see tells the two executors apart."""
    assert await answer(query, variables, planned=True) == await answer(query, variables, planned=False)


async def test_plain_fields_take_the_short_way(monkeypatch):
    """Rows of a list are read without one call of a resolver for their plain fields."""
    long_way = []
    stock = PlannedExecutor.execute_field

    def counted(self, parent_type, source, details, path, context):
        long_way.append(details[0].node.name.value)
        return stock(self, parent_type, source, details, path, context)

    monkeypatch.setattr(execution.PlannedExecutor, "execute_field", counted)
    response = await ask(server(), "{ toys(first: 20) { edges { cursor node { id name madeAt size tags } } } }")
    assert len(response.json()["data"]["toys"]["edges"]) == 20
    assert set(long_way) <= {"toys", "edges", "node"}


def test_rows_of_every_shape_are_read_alike():
    """A mapping, a database row, an object with attributes, a typed row: the same values."""
    kind = toys.toy_schema()._schema.type_map["Toy"]
    row = toys.rows(1)[0]
    given = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a database row is no mapping
    holder = type("Holder", (), given)()
    for field in ("id", "name", "madeAt", "size", "tags"):
        read = kind.fields[field].resolve.read
        values = [str(read(source)) for source in (row, given, holder, TypedRow("Toy", row))]
        assert len(set(values)) == 1 or field == "tags"
