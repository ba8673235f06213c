"""The statements of the listed order: each says of which change its rows are, so that it can be told from another."""

from collections.abc import Sequence
from uuid import UUID

from app.database import Database, Row, Statement
from services.paging import Condition, Listing, among, joined, statement
from services.people.blocks import Blocks, Key
from services.people.held_texts import Texts

ORDER = "sort_name, orcid_id"
_HEAD = "coalesce((SELECT h.changed_at FROM change_head h WHERE h.tenant = {tenant}), 0)"
_TOTAL = "coalesce((SELECT t.total FROM tally t WHERE t.tenant = {tenant} AND t.kind = 'people'), 0)"
_STATE = Statement(f"SELECT {_HEAD} AS head")
_CUT = Statement(
    f"SELECT sort_name, orcid_id, {_HEAD} AS head, {_TOTAL} AS total FROM (SELECT sort_name, orcid_id, "  # noqa: S608
    "row_number() OVER (ORDER BY sort_name, orcid_id) - 1 AS place FROM person WHERE tenant = {tenant} AND listed) "
    "AS placed WHERE place % {block} = 0 ORDER BY place"
)


async def head_of(database: Database, tenant: UUID) -> int:
    """The tenant's last change."""
    return int((await database.fetch(_STATE, tenant=tenant))[0]["head"])


async def cut(database: Database, tenant: UUID, size: int) -> Blocks:
    """The order in blocks of `size`, without texts, by one walk over its index."""
    rows = await database.fetch(_CUT, tenant=tenant, block=size)
    if not rows:
        return Blocks(await head_of(database, tenant), [("", "")], 0, size)
    firsts = [(row["sort_name"], row["orcid_id"]) for row in rows]
    return Blocks(int(rows[0]["head"]), firsts, int(rows[0]["total"]), size)


async def rows_from(database: Database, tenant: UUID, listing: Listing, first: Key, skip: int, size: int) -> list[Row]:
    """Rows from a key on, with their change as `_head`."""
    sql, params = joined([*_listed(tenant), _bound(">=", "first", first)])
    text = (
        f"SELECT {listing.columns}, {_HEAD} AS _head FROM {listing.source} WHERE {sql} ORDER BY {ORDER} "  # noqa: S608
        "LIMIT {size} OFFSET {skip}"
    )
    return await database.fetch(statement(text), size=size, skip=skip, **params)


async def rows_named(database: Database, tenant: UUID, listing: Listing, orcid_ids: Sequence[str]) -> list[Row]:
    """The listed rows of these iDs, in their order, with their change as `_head`."""
    sql, params = joined([*_listed(tenant), among(database, "orcid_id", orcid_ids)])
    # Sorted here: asked for an order, SQLite would walk the whole list in it.
    text = f"SELECT {listing.columns}, {_HEAD} AS _head FROM {listing.source} WHERE {sql}"  # noqa: S608 - own words
    rows = await database.fetch(statement(text), **params)
    places = {orcid_id: place for place, orcid_id in enumerate(orcid_ids)}
    return sorted(rows, key=lambda row: places[row["orcid_id"]])


async def keyed_rows(database: Database, tenant: UUID, first: Key, end: Key | None) -> list[Row]:
    """Keys and search texts from one key to before another, with their change as `_head`."""
    bounds = [_bound(">=", "first", first)] + ([_bound("<", "end", end)] if end is not None else [])
    sql, params = joined([*_listed(tenant), *bounds])
    text = f"SELECT sort_name, orcid_id, search_text, {_HEAD} AS _head FROM person WHERE {sql} ORDER BY {ORDER}"  # noqa: S608
    return await database.fetch(statement(text), **params)


def texts_between(rows: Sequence[Row], firsts: Sequence[Key]) -> list[Texts]:
    """The rows of neighbouring blocks, cut at the blocks' first keys; all rows stand behind the first of them."""
    found: list[Texts] = []
    start = 0
    for key in [*firsts[1:], None]:
        end = start
        while end < len(rows) and (key is None or (rows[end]["sort_name"], rows[end]["orcid_id"]) < key):
            end += 1
        found.append(Texts.of([(row["orcid_id"], row["search_text"]) for row in rows[start:end]]))
        start = end
    return found


def _listed(tenant: UUID) -> list[Condition]:
    return [Condition("tenant = {tenant}", {"tenant": tenant}), Condition("listed")]


def _bound(sign: str, name: str, key: Key) -> Condition:
    given = {f"{name}_name": key[0], f"{name}_id": key[1]}
    return Condition(f"(sort_name, orcid_id) {sign} ({{{name}_name}}, {{{name}_id}})", given)
