"""Fields that serve a service operation: scopes, descriptions and the table of who serves what derive from it."""

import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any

import strawberry
from graphql import GraphQLObjectType, GraphQLSchema
from strawberry.schema_directive import Location

from app.errors import NotFound
from graph.payloads import payload
from graph.rows import COST, metadata_of
from graph.streams import guarded
from services.operations import Operation, declared

OPERATION = "dovetail.operation"
#: What a mutation costs on top of what it selects.
MUTATION_COST = 10

#: Which operation serves a field: `("Query", "people")` → `"list_people"`. Filled by `build_schema`.
FIELD_OPERATIONS: dict[tuple[str, str], str] = {}

Resolver = Callable[..., Any]
Serve = Callable[..., Any]


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="requires",
    description="The scopes that the caller's token must carry for this field; all of them.",
)
class Requires:
    scopes: list[str] = strawberry.directive_field(name="scopes")


def _field(serve: Serve, graphql_type: Any, run: Resolver, description: str | None, **given: Any) -> Any:
    operation = declared(serve)
    return strawberry.field(
        resolver=run,
        graphql_type=graphql_type,
        description=description or operation.summary,
        directives=requirement(operation),
        metadata={OPERATION: operation.name, **given.pop("metadata", {})},
        **given,
    )


def requirement(operation: Operation) -> tuple[Requires, ...]:
    return () if operation.scope is None else (Requires(scopes=[str(operation.scope)]),)


def operation_field(
    serve: Serve,
    graphql_type: Any,
    *,
    description: str | None = None,
    absent: bool = False,
    cost: int | None = None,
    metadata: Mapping[Any, Any] | None = None,
) -> Callable[[Resolver], Any]:
    """A field that reads through an operation. With `absent`, NotFound is null instead of an error.

    `cost` replaces the field's own static cost (1).
    """

    def declare(resolver: Resolver) -> Any:
        run = _or_null(resolver) if absent else resolver
        given = {**(metadata or {}), **({} if cost is None else {COST: cost})}
        return _field(serve, graphql_type, run, description, metadata=given)

    return declare


def _or_null(resolver: Callable[..., Awaitable[Any]]) -> Resolver:
    @functools.wraps(resolver)
    async def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return await resolver(*args, **kwargs)
        except NotFound:
            return None

    return run


def mutation_field(
    serve: Serve,
    payload_type: Any,
    member: str | None = None,
    *,
    shape: Callable[[Any], Mapping[str, Any]] | None = None,
    description: str | None = None,
    cost: int = MUTATION_COST,
) -> Callable[[Resolver], Any]:
    """A mutation: what the operation returns goes into `member` (`shape`: into several), a refusal into `errors`.

    The refusals of reading the arguments (a wrong id) are caught as well.
    """

    def declare(resolver: Callable[..., Awaitable[Any]]) -> Any:
        @functools.wraps(resolver)
        async def run(*args: Any, **kwargs: Any) -> Any:
            return await payload(resolver(*args, **kwargs), member, shape=shape)

        return _field(serve, payload_type, run, description, metadata={COST: cost})

    return declare


def subscription_field(
    serve: Serve, graphql_type: Any, *, description: str | None = None
) -> Callable[[Callable[..., AsyncGenerator[Any, None]]], Any]:
    """A subscription whose resolver takes `info`; token and scope are checked at its start and on each event."""

    def declare(resolver: Callable[..., AsyncGenerator[Any, None]]) -> Any:
        @functools.wraps(resolver)
        async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
            async with aclosing(guarded(kwargs["info"].context, serve, resolver(*args, **kwargs))) as stream:
                async for event in stream:
                    yield event

        return _field(serve, graphql_type, run, description, is_subscription=True)

    return declare


def field_operations(schema: GraphQLSchema) -> dict[tuple[str, str], str]:
    """Every field of a built schema that serves an operation, with the operation's name."""
    found = {}
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType):
            for name, field in kind.fields.items():
                operation = metadata_of(field).get(OPERATION)
                if operation is not None:
                    found[kind.name, name] = operation
    return found
