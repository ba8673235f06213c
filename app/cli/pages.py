"""Whole lists from keyset pages, as far as the caller wants them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Ask = Callable[..., Awaitable[Any]]
_PAGE = 100


async def rows_of(
    listing: Ask,
    context: Any,
    limit: int,
    *,
    filters: Mapping[str, Any],
    sort: str | None = None,
    descending: bool = False,
) -> tuple[list[Any], bool]:
    """Up to `limit` rows of a list operation, and whether there are more."""
    from services.paging import KeysetRequest, cursor_of

    rows: list[Any] = []
    after: str | None = None
    wanted = {name: value for name, value in filters.items() if value is not None}
    while True:
        size = min(_PAGE, limit - len(rows))
        request = KeysetRequest(first=size, after=after, sort=sort, descending=descending, filters=wanted)
        page = await listing(context, request)
        rows += page.rows
        if not page.has_next or len(rows) >= limit:
            return rows, page.has_next
        after = cursor_of(page, page.rows[-1])
