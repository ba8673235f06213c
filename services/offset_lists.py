"""Lists as each surface pages them: by number, with a sort by several fields, or by cursor."""

from collections.abc import Iterator

from app.errors import ValidationFailed
from services.context import Context
from services.paging import (
    KeysetPage,
    KeysetRequest,
    Listing,
    OffsetPage,
    OffsetRequest,
    conditions,
    count_rows,
    narrowed,
    offset_page,
)
from services.people.reading import folded, searched_page


async def list_page(
    context: Context, listing: Listing, request: OffsetRequest | KeysetRequest
) -> OffsetPage | KeysetPage:
    """The page that was asked for, in the way it was asked for. Raises ValidationFailed."""
    if isinstance(request, KeysetRequest):
        return await searched_page(context, listing, request)
    return await _offset_list(context, listing, request)


async def _offset_list(context: Context, listing: Listing, request: OffsetRequest) -> OffsetPage:
    """A page by offset, and the number of all; `sort` may name several, with a comma between and `-` before."""
    where = conditions(listing, context.tenant, folded({**request.filters, "q": request.q}))
    where += narrowed(context.database, listing, request.where)
    order = ", ".join([*_order(listing, request.sort or listing.default_sort), "id"])
    rows = await offset_page(context.database, listing, where, order, request.page, request.per_page)
    return OffsetPage(rows, await count_rows(context.database, listing, where))


def _order(listing: Listing, names: str) -> Iterator[str]:
    """`-created_at,name` as SQL; each name once, with at most one `-`. Raises ValidationFailed."""
    given: set[str] = set()
    for part in names.split(","):
        name, way = part.removeprefix("-"), "DESC" if part.startswith("-") else "ASC"
        if name not in listing.sorts:
            raise ValidationFailed({"sort": f"must be one of {', '.join(listing.sorts)}, with one - before at most"})
        if name in given:
            raise ValidationFailed({"sort": f"names {name} twice"})
        given.add(name)
        yield f"{listing.sorts[name].sql} {way}"
