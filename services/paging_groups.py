"""The same page of many lists at once: what belongs to each of many parents, by one statement for all."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.database import Database, Row
from services.paging import (
    Condition,
    KeysetPage,
    KeysetRequest,
    Listing,
    beyond,
    conditions,
    first_of_each,
    joined,
    page_of,
    page_size,
    statement,
)


async def keyset_pages(
    database: Database, tenant: UUID, listing: Listing, request: KeysetRequest, parent: str, parents: Sequence[UUID]
) -> dict[UUID, KeysetPage]:
    """A page for each parent, in the listing's default sort; `parent` is a filter and a column of the listing."""
    size, backward = page_size(request)
    sort, where = listing.sorts[listing.default_sort], conditions(listing, tenant, request.filters)
    bounds = [*where, *beyond(listing, sort, request), _among(listing.filters[parent], parent, parents)]
    text, params = _ranked(listing, bounds, parent, descending=request.descending != backward)
    found: dict[UUID, list[Row]] = defaultdict(list)
    for row in await database.fetch(statement(text), most=size + 1, **params):
        found[row[parent]].append(row)
    return {
        one: page_of(found[one], request, sort, [*where, Condition(listing.filters[parent], {parent: one})], listing)
        for one in parents
    }


def _among(condition: str, parent: str, parents: Sequence[UUID]) -> Condition:
    """The filter of one parent, for any of several."""
    names = {f"{parent}_{number}": one for number, one in enumerate(parents)}
    return Condition(" OR ".join(condition.replace(f"{{{parent}}}", f"{{{name}}}") for name in names), names)


def _ranked(
    listing: Listing, where: Sequence[Condition], parent: str, *, descending: bool
) -> tuple[str, dict[str, Any]]:
    sort, way = listing.sorts[listing.default_sort].sql, "DESC" if descending else "ASC"
    key = listing.filters[parent].partition(" = ")[0]
    sql, params = joined(where)
    columns, order = f"{listing.columns}, {sort} AS _sort", f"{sort} {way}, {listing.id} {way}"
    return first_of_each(columns, listing.source, sql, key, order, label=parent), params
