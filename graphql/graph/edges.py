"""Edges: nested fields that one loader serves, declared so that the executor can follow them for a whole list."""

from collections.abc import Callable
from typing import Any, NamedTuple

import strawberry

from graph.loaders import Loader
from graph.request import Info
from graph.requires import operation_field

EDGE = "dovetail.edge"


class Edge(NamedTuple):
    """The loader, the column of the parent that holds its key, and whether it gives a list."""

    loader: Loader[Any, Any]
    key: str
    many: bool


def edge(
    serve: Callable[..., Any],
    graphql_type: Any,
    loader: Loader[Any, Any],
    *,
    description: str,
    key: str = "id",
    many: bool = False,
    cost: int | None = None,
) -> Any:
    """A nested field through an operation. With `many` an absent value is an empty list, else null.

    A list counts as five items in an operation's cost: what belongs to one parent is short.
    """
    found = Edge(loader, key, many)

    async def follow(root: strawberry.Parent[Any], info: Info) -> Any:
        value = root[key]
        loaded = None if value is None else await loader.load(info.context, value)
        return loaded or [] if many else loaded

    declare = operation_field(serve, graphql_type, description=description, cost=cost, metadata={EDGE: found})
    return declare(follow)
