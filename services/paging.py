"""Pages of rows, by offset for the frozen contract and by keyset for the control plane.

Both build their SQL from words of our own (column names, conditions with placeholders); what a caller sends
only ever becomes a parameter. A page is one statement.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from app import base64url
from app.database import Database, Row, Statement
from app.errors import ValidationFailed
from services.filters.expression import Filter
from services.filters.fields import Field
from services.filters.sql import Rendered
from services.filters.tree import checked_tree

MOST_PER_PAGE = 100
statement = lru_cache(maxsize=1_024)(Statement)


class Condition(NamedTuple):
    """A condition with placeholders, and their values."""

    sql: str
    params: Mapping[str, Any] = {}


class OffsetRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`page` counts from 1; `per_page` is 1 to 100; `descending` turns the sort round."""

    page: int = 1
    per_page: int = 20
    q: str = ""
    sort: str | None = None
    descending: bool = True
    filters: dict[str, Any] = {}
    where: Filter | None = None


class OffsetPage(NamedTuple):
    rows: list[Row]
    total: int


class KeysetRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A Relay page: `first` after a cursor or `last` before one, 1 to 100; filters by name."""

    first: int | None = None
    last: int | None = None
    after: str | None = None
    before: str | None = None
    sort: str | None = None
    descending: bool = False
    filters: dict[str, Any] = {}
    where: Filter | None = None


class KeysetPage(NamedTuple):
    """Rows in order, each with its cursor under `_cursor` (see `cursor_of`)."""

    rows: list[Row]
    has_next: bool
    has_previous: bool
    sort: "Sort"
    where: list[Condition]
    listing: "Listing"


class Sort(NamedTuple):
    """A sort by an expression that is never null; the id breaks ties. `kind` types the cursor."""

    sql: str
    kind: type = str


class Listing(NamedTuple):
    """A list that can be paged: where rows come from, how they are sorted, and the filters, each a condition."""

    source: str
    columns: str
    sorts: Mapping[str, Sort]
    default_sort: str
    filters: Mapping[str, str]
    id: str = "id"
    tenant: str = "tenant"
    #: Rows without a tenant are everybody's.
    shared: bool = False
    #: What a filter's expression can name.
    fields: Mapping[str, Field] = {}


class Owned(NamedTuple):
    """A list of which each owner has a part: rows in `order`, which is total within an owner."""

    source: str
    columns: str
    owner: str
    tenant: str
    order: str
    where: str = "TRUE"


def conditions(listing: Listing, tenant: UUID, filters: Mapping[str, Any]) -> list[Condition]:
    """The tenant's own rows that pass the filters. Raises ValidationFailed for an unknown filter."""
    unknown = sorted(set(filters) - set(listing.filters))
    if unknown:
        raise ValidationFailed({"filter": f"{', '.join(unknown)}: must be one of {', '.join(listing.filters)}"})
    own = f"{listing.tenant} = {{tenant}}"
    found = [Condition(f"{own} OR {listing.tenant} IS NULL" if listing.shared else own, {"tenant": tenant})]
    for name, value in filters.items():
        condition = listing.filters[name]
        if value is None:
            continue
        found.append(Condition(condition, {name: value} if f"{{{name}}}" in condition else {}))
    return found


def narrowed(database: Database, listing: Listing, where: Filter | None) -> list[Condition]:
    """What the expression of a request asks for, if anything. Raises ValidationFailed, each fault with its place."""
    tree = None if where is None else checked_tree(where, listing.fields)
    if tree is None:
        return []
    rendered = Rendered(tree, listing.fields, database.dialect)
    return [Condition(rendered.sql, rendered.params)]


def joined(where: Sequence[Condition]) -> tuple[str, dict[str, Any]]:
    """All conditions as one, and all their values."""
    params: dict[str, Any] = {}
    for condition in where:
        params |= condition.params
    return " AND ".join(f"({condition.sql})" for condition in where), params


def among(database: Database, column: str, values: Sequence[UUID] | Sequence[str]) -> Condition:
    """`column` is one of these: one parameter and one plan, however many there are."""
    if database.dialect == "postgres":
        return Condition(f"{column} = ANY({{among}})", {"among": list(values)})
    listed = msgspec.json.encode([str(value) for value in values]).decode()
    sql = f"{column} IN (SELECT value FROM json_each({{among}}))"  # noqa: S608 - own words
    return Condition(sql, {"among": listed})


def chosen(columns: str, wanted: Sequence[str] | None) -> str:
    """Those of a statement's columns that are wanted, in the order in which they are named; all, where that is None.

    Raises ValueError for a column that is none of them.
    """
    if wanted is None:
        return columns
    strange = set(wanted).difference(columns.split(", "))
    if strange:
        raise ValueError(f"no columns of this list: {', '.join(sorted(strange))}")
    return ", ".join(wanted)


async def rows_among(
    database: Database, table: str, columns: str, tenant: UUID, column: str, values: Sequence[UUID], order: str
) -> list[Row]:
    """All rows of a tenant whose column is one of these values."""
    if not values:
        return []
    sql, params = joined([Condition("tenant = {tenant}", {"tenant": tenant}), among(database, column, values)])
    text = f"SELECT {columns} FROM {table} WHERE {sql} ORDER BY {order}"  # noqa: S608 - own words
    return await database.fetch(statement(text), **params)


async def offset_page(
    database: Database, listing: Listing, where: Sequence[Condition], order: str, page: int, per_page: int
) -> list[Row]:
    sql, params = joined(where)
    text = f"SELECT {listing.columns} FROM {listing.source} WHERE {sql} ORDER BY {order}"  # noqa: S608 - own words
    offset = (page - 1) * per_page
    return await database.fetch(
        statement(text + " LIMIT {limit} OFFSET {offset}"), limit=per_page, offset=offset, **params
    )


async def count_rows(database: Database, listing: Listing, where: Sequence[Condition]) -> int:
    sql, params = joined(where)
    rows = await database.fetch(statement(f"SELECT count(*) AS total FROM {listing.source} WHERE {sql}"), **params)  # noqa: S608
    return int(rows[0]["total"])


async def keyset_page(database: Database, tenant: UUID, listing: Listing, request: KeysetRequest) -> KeysetPage:
    """One page by one statement, the same for the first and the thousandth."""
    size, backward = page_size(request)
    name = request.sort or listing.default_sort
    if name not in listing.sorts:
        raise ValidationFailed({"sort": f"must be one of {', '.join(listing.sorts)}"})
    sort = listing.sorts[name]
    where = [*conditions(listing, tenant, request.filters), *narrowed(database, listing, request.where)]
    sql, params = joined([*where, *beyond(listing, sort, request)])
    way = "DESC" if request.descending != backward else "ASC"
    text = (
        f"SELECT {listing.columns}, {sort.sql} AS _sort FROM {listing.source} WHERE {sql} "  # noqa: S608 - own words
        f"ORDER BY {sort.sql} {way}, {listing.id} {way} LIMIT {{limit}}"
    )
    rows = await database.fetch(statement(text), limit=size + 1, **params)
    return page_of(rows, request, sort, where, listing)


def page_of(
    rows: list[Row], request: KeysetRequest, sort: Sort, where: list[Condition], listing: Listing
) -> KeysetPage:
    """The page that was asked for, from its rows and one more where there is more."""
    size, backward = page_size(request)
    more, rows = len(rows) > size, rows[:size]
    if backward:
        return KeysetPage(rows[::-1], request.before is not None, more, sort, where, listing)
    return KeysetPage(rows, more, request.after is not None, sort, where, listing)


def page_size(request: KeysetRequest) -> tuple[int, bool]:
    """How many rows, and whether they are counted from the end. Raises ValidationFailed on `first` or `last`."""
    if (request.first is None) == (request.last is None):
        raise ValidationFailed({"first": "exactly one of first and last must be given"})
    field, size = ("first", request.first) if request.first is not None else ("last", request.last)
    if size is None or not 1 <= size <= MOST_PER_PAGE:
        raise ValidationFailed({field: f"must be between 1 and {MOST_PER_PAGE}"})
    return size, field == "last"


def beyond(listing: Listing, sort: Sort, request: KeysetRequest) -> list[Condition]:
    """Behind the cursor `after` and ahead of the cursor `before`, where they are given."""
    return [
        _beyond(listing, sort, cursor, descending=request.descending == (field == "after"), field=field)
        for field, cursor in (("after", request.after), ("before", request.before))
        if cursor is not None
    ]


def _beyond(listing: Listing, sort: Sort, cursor: str, *, descending: bool, field: str) -> Condition:
    value, row_id = _read_cursor(cursor, sort, field)
    sign = "<" if descending else ">"
    names = {f"{field}_value": value, f"{field}_id": row_id}
    return Condition(f"({sort.sql}, {listing.id}) {sign} ({{{field}_value}}, {{{field}_id}})", names)


async def owned_rows(database: Database, tenant: UUID, owned: Owned, owners: Sequence[UUID], most: int) -> list[Row]:
    """Up to `most` rows of each owner by one statement, each with its owner as `owner`."""
    if not owners:
        return []
    its = [Condition(f"{owned.tenant} = {{tenant}}", {"tenant": tenant}), Condition(owned.where)]
    sql, params = joined([*its, among(database, owned.owner, owners)])
    columns = f"{owned.columns}, {owned.owner} AS owner"
    text = first_of_each(columns, owned.source, sql, owned.owner, owned.order, label="owner")
    return await database.fetch(statement(text), most=most, **params)


def first_of_each(columns: str, source: str, where: str, owner: str, order: str, *, label: str) -> str:
    """The statement for the first `{most}` rows of each owner, in order; `label` is the owner's column in them."""
    return (
        f"SELECT * FROM (SELECT {columns}, row_number() OVER (PARTITION BY {owner} ORDER BY {order}) AS _place "  # noqa: S608
        f"FROM {source} WHERE {where}) AS ranked WHERE _place <= {{most}} ORDER BY {label}, _place"
    )


def cursor_of(page: KeysetPage, row: Row) -> str:
    """The opaque cursor of a row: where it stands in this sort."""
    text = msgspec.json.encode([row["_sort"], str(row["id"])])
    return base64url.encode(text)


def _read_cursor(cursor: str, sort: Sort, field: str) -> tuple[Any, UUID]:
    try:
        value, row_id = msgspec.json.decode(base64url.decode(cursor), type=tuple[sort.kind, UUID])  # type: ignore[name-defined]
    except (ValueError, msgspec.MsgspecError):
        raise ValidationFailed({field: "must be a cursor from this list in this order"}) from None
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValidationFailed({field: "must be a cursor from this list in this order"})
    return value, row_id
