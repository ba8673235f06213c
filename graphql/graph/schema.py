"""The schema, put together from the domain modules; its SDL is committed as `schema.graphql`."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import strawberry
from graphql import GraphQLEnumType, GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema_converter import CustomGraphQLEnumType
from strawberry.tools import merge_types
from strawberry.types.enum import StrawberryEnumDefinition

from graph import (
    audit,
    contracts,
    credentials,
    installations,
    integrations,
    memberships,
    origins,
    people,
    people_changes,
    projects,
    publications,
    relay,
    tenants,
    usage,
    viewer,
    works,
)
from graph.parts import Part
from graph.problems import PROBLEM_TYPES
from graph.requires import FIELD_OPERATIONS, field_operations
from graph.rows import BACKREF, install_readers
from graph.scalars import SCALARS

#: Every domain module, in the order of their names.
DOMAINS: tuple[ModuleType, ...] = (
    audit,
    contracts,
    credentials,
    installations,
    integrations,
    memberships,
    origins,
    people,
    people_changes,
    projects,
    publications,
    tenants,
    usage,
    works,
)

ROOT = (Part(query=viewer.ViewerQuery), Part(query=relay.NodeQuery, types=PROBLEM_TYPES))

_DESCRIPTIONS = {
    "Query": "Everything that can be read.",
    "Mutation": "Everything that can be changed. Each change answers with a payload: what was made, or why not.",
    "Subscription": "Everything that can be listened to, over graphql-transport-ws or server-sent events.",
}


def _root(name: str, types: Sequence[type | None]) -> type | None:
    present = tuple(kind for kind in types if kind is not None)
    if not present:
        return None
    merged: Any = merge_types(name, present)
    merged.__strawberry_definition__.description = _DESCRIPTIONS[name]
    return merged  # type: ignore[no-any-return]


def assemble(parts: Sequence[Part]) -> strawberry.Schema:
    """A schema of these parts, its plain fields read straight from rows."""
    query = _root("Query", [part.query for part in parts])
    if query is None:
        raise TypeError("no part has a query")
    schema = strawberry.Schema(
        query,
        mutation=_root("Mutation", [part.mutation for part in parts]),
        subscription=_root("Subscription", [part.subscription for part in parts]),
        types=[kind for part in parts for kind in part.types],
        config=StrawberryConfig(sort_schema=True, scalar_map=SCALARS),
    )
    _restore_enums(core(schema))
    install_readers(core(schema))
    return schema


def _restore_enums(schema: GraphQLSchema) -> None:
    """Sorting makes plain enums of Strawberry's own, which no longer know their Python members."""
    for kind in schema.type_map.values():
        definition = kind.extensions.get(BACKREF)
        if isinstance(kind, GraphQLEnumType) and isinstance(definition, StrawberryEnumDefinition):
            restored: Any = kind
            restored.__class__, restored.wrapped_cls = CustomGraphQLEnumType, definition.wrapped_cls


def core(schema: strawberry.Schema) -> GraphQLSchema:
    """The graphql-core schema that is executed; Strawberry keeps it to itself."""
    return schema._schema


def build_schema() -> strawberry.Schema:
    """The whole schema; also fills FIELD_OPERATIONS."""
    schema = assemble([*ROOT, *(module.PART for module in DOMAINS)])
    FIELD_OPERATIONS.clear()
    FIELD_OPERATIONS.update(field_operations(core(schema)))
    return schema


def sdl() -> str:
    """The schema as text, the same from run to run."""
    return printed(build_schema())


def printed(schema: strawberry.Schema) -> str:
    return schema.as_str().rstrip() + "\n"


if __name__ == "__main__":
    print(sdl(), end="")  # noqa: T201 - the command's answer
