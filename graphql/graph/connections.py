"""Connections in the Relay way over keyset pages: one statement a page, one more where `totalCount` is selected."""

from collections.abc import Iterable
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

import strawberry

from graph.request import Info
from graph.rows import column, field
from services.filters.expression import Filter
from services.paging import KeysetPage, KeysetRequest, count_rows, cursor_of

T = TypeVar("T")

First: TypeAlias = Annotated[int | None, strawberry.argument(description="How many to read from the start, 1 to 100.")]
Last: TypeAlias = Annotated[int | None, strawberry.argument(description="How many to read from the end, 1 to 100.")]
After: TypeAlias = Annotated[str | None, strawberry.argument(description="Read behind this cursor.")]
Before: TypeAlias = Annotated[str | None, strawberry.argument(description="Read ahead of this cursor.")]


def page_request(
    first: int | None,
    last: int | None,
    after: str | None,
    before: str | None,
    *,
    sort: str | None = None,
    descending: bool = False,
    filters: dict[str, Any] | None = None,
    where: Filter | None = None,
) -> KeysetRequest:
    """The arguments of a connection as a list operation takes them; it checks them."""
    return KeysetRequest(
        first=first,
        last=last,
        after=after,
        before=before,
        sort=sort,
        descending=descending,
        filters=filters or {},
        where=where,
    )


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = column(key="has_next", description="Whether anything follows.")
    has_previous_page: bool = column(key="has_previous", description="Whether anything precedes.")
    start_cursor: str | None = column(description="The cursor of the first item; null on an empty page.")
    end_cursor: str | None = column(description="The cursor of the last item; null on an empty page.")


@strawberry.type(description="One item of a page, with its place.")
class Edge(Generic[T]):
    node: T = column(description="The item.")
    cursor: str = column(description="The item's place, for `after` and `before`.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = column(description="The items with their cursors.")
    nodes: list[T] = column(description="The items alone.")
    page_info: PageInfo = column(description="Where the page stands in the list.")

    @field("How many items the whole list has; counted only where it is asked for.")
    async def total_count(root: strawberry.Parent["Page"], info: Info) -> int:
        return await root.total(info)


class EdgeSource:
    """What an Edge is read from; the cursor is made when it is asked for."""

    __slots__ = ("_page", "node")

    def __init__(self, page: KeysetPage, node: Any) -> None:
        self._page, self.node = page, node

    @property
    def cursor(self) -> str:
        return cursor_of(self._page, self.node)


class Page:
    """What a Connection and its PageInfo are read from."""

    __slots__ = ("_page", "has_next", "has_previous", "nodes")

    def __init__(self, page: KeysetPage) -> None:
        self._page, self.nodes = page, page.rows
        self.has_next, self.has_previous = page.has_next, page.has_previous

    @property
    def edges(self) -> Iterable[EdgeSource]:
        return [EdgeSource(self._page, row) for row in self.nodes]

    @property
    def page_info(self) -> "Page":
        return self

    @property
    def start_cursor(self) -> str | None:
        return cursor_of(self._page, self.nodes[0]) if self.nodes else None

    @property
    def end_cursor(self) -> str | None:
        return cursor_of(self._page, self.nodes[-1]) if self.nodes else None

    async def total(self, info: Info) -> int:
        return await count_rows(info.context.context.database, self._page.listing, self._page.where)
