"""What every list takes besides its page: a direction, and a typed filter as the names that its operation knows."""

from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from typing import Annotated, Any, TypeAlias

import strawberry

from graph.connections import Page
from graph.relay import from_global_id
from services.feeds import ListPage
from services.paging import KeysetPage


@strawberry.enum(description="Which way a list is sorted.")
class SortDirection(Enum):
    ASC = strawberry.enum_value("asc", description="The smallest, first or oldest at the start.")
    DESC = strawberry.enum_value("desc", description="The largest, last or newest at the start.")

    @property
    def descending(self) -> bool:
        return self is SortDirection.DESC


Direction: TypeAlias = Annotated[SortDirection, strawberry.argument(description="Which way to sort.")]


def filters_of(given: Any, ids: Mapping[str, str] | None = None, **read: Any) -> dict[str, Any]:
    """A filter input by the names of its operation: enums as they are stored, null as no filter.

    `ids` are the types of fields that are opaque ids; `read` stands in for other fields of the same names. Raises
    ValidationFailed for an id of another type.
    """
    if given is None:
        return {}
    values = {each.name: getattr(given, each.name) for each in fields(given)} | read
    for name, kind in (ids or {}).items():
        values[name] = None if values[name] is None else from_global_id(values[name], kind, name)
    return {name: value.value if isinstance(value, Enum) else value for name, value in values.items()}


def stored(member: Enum) -> str:
    """The text under which a member of an enum is stored; Strawberry's own type says otherwise of it."""
    return str(member.value)


def keyset(page: ListPage) -> Page:
    """The connection of a list operation that was given a keyset request."""
    if not isinstance(page, KeysetPage):
        raise TypeError("a keyset request is answered with a keyset page")
    return Page(page)
