"""What is listed, as consumers follow it: all of it in a walk, then what changed since that walk.

A walk goes by id, which never changes: a row that is listed throughout is met once, whatever comes and goes
beside it. Changes go by the instant of the change, up to the last one that the first page saw. A page is one
statement, so rows and the head that they are read under are of one moment.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from app.auth.scopes import Scope
from app.database import Row
from app.errors import FullSyncRequired
from services.changes import break_off_changes
from services.context import Context
from services.operations import operation
from services.paging import Condition, KeysetPage, KeysetRequest, OffsetPage, OffsetRequest, joined, statement

_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)
_NEVER = 2**63 - 1
_HEAD = (
    "(SELECT coalesce((SELECT changed_at FROM change_head WHERE tenant = {tenant}), 0) AS _head, "
    "coalesce((SELECT forgotten_at FROM change_head WHERE tenant = {tenant}), 0) AS _forgotten)"
)
_WINDOW = "(changed_at, id) > ({at}, {after}) AND changed_at <= {until}"
CHANGED = "coalesce(changed_at, created_at) AS updated_at"

#: The instant of a change, and the row's id: what a page ended with.
Position = tuple[int, UUID]


class Feed(NamedTuple):
    """A list that is followed. `buried` names its tombstones, where rows are deleted for good."""

    source: str
    columns: tuple[str, ...]
    filters: Mapping[str, str]
    listed: str = "listed"
    buried: str | None = None


class FeedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A page of `limit` rows behind `after`; `since` (ms) asks for changes, `until` is what page one answered."""

    limit: int = 50
    since: int | None = None
    until: int | None = None
    after: Position | None = None
    filters: dict[str, Any] = {}


class FeedPage(NamedTuple):
    """Rows with their `_id` and whether they are `_listed`; `after` begins the next page and is None at the end.

    Whoever has read to the end knows all changes up to `until` (ms).
    """

    rows: list[Row]
    after: Position | None
    until: int


ListRequest = OffsetRequest | KeysetRequest | FeedRequest
ListPage = OffsetPage | KeysetPage | FeedPage


async def feed_page(context: Context, feed: Feed, request: FeedRequest) -> FeedPage:
    """One page. Raises FullSyncRequired where not all that changed `since` then can be told."""
    text, params = _walk(feed, request) if request.since is None else _changes(feed, request)
    where = {"tenant": context.tenant, "limit": request.limit + 1, **params}
    found = await context.database.fetch(
        statement(f"SELECT * FROM {_HEAD} head LEFT JOIN ({text}) found ON TRUE ORDER BY _at, _id"),  # noqa: S608
        **where,
    )
    head, forgotten = int(found[0]["_head"]), int(found[0]["_forgotten"])
    if request.since is not None and not forgotten <= request.since <= head:
        raise FullSyncRequired
    rows = [row for row in found if row["_id"] is not None]
    more, rows = len(rows) > request.limit, rows[: request.limit]
    after = (int(rows[-1]["_at"]), UUID(str(rows[-1]["_id"]))) if more else None
    return FeedPage(rows, after, head if request.until is None else request.until)


def _walk(feed: Feed, request: FeedRequest) -> tuple[str, dict[str, Any]]:
    given = {name: value for name, value in request.filters.items() if value is not None}
    where = [Condition("tenant = {tenant}"), Condition(feed.listed), Condition("id > {after}")]
    where += [Condition(feed.filters[name], {name: value}) for name, value in given.items()]
    sql, params = joined(where)
    text = (
        f"SELECT {', '.join(feed.columns)}, id AS _id, 0 AS _at, {feed.listed} AS _listed "  # noqa: S608 - own words
        f"FROM {feed.source} WHERE {sql} ORDER BY id LIMIT {{limit}}"
    )
    return text, params | {"after": request.after[1] if request.after else _FIRST}


def _changes(feed: Feed, request: FeedRequest) -> tuple[str, dict[str, Any]]:
    at, after = request.after or (request.since, _LAST)
    params = {"at": at, "after": after, "until": _NEVER if request.until is None else request.until}
    columns = ", ".join(feed.columns)
    if feed.buried is None:
        return _changed(feed.source, f"{columns}, {feed.listed} AS _listed,", "tenant = {tenant}"), params
    live = _changed(feed.source, f"{feed.listed} AS _listed,", "tenant = {tenant}")
    gone = _changed("tombstone", "FALSE AS _listed,", "tenant = {tenant} AND kind = {kind}")
    text = (
        f"SELECT {columns}, _listed, _id, _at FROM (SELECT * FROM ({live}) live UNION ALL "  # noqa: S608 - own words
        f"SELECT * FROM ({gone}) gone ORDER BY _at, _id LIMIT {{limit}}) moved "
        f"LEFT JOIN {feed.source} ON {feed.source}.id = moved._id"
    )
    return text, params | {"kind": feed.buried}


def _changed(source: str, columns: str, where: str) -> str:
    return (
        f"SELECT {columns} id AS _id, changed_at AS _at FROM {source} "  # noqa: S608 - own words
        f"WHERE {where} AND {_WINDOW} ORDER BY changed_at, id LIMIT {{limit}}"
    )


@operation(scope=Scope.TENANTS_ADMIN, audit="consumers.resynced", writes=True)
async def resync_consumers(context: Context) -> None:
    """Answer `full_sync_required` to every consumer of the tenant that asks for changes since before now."""
    await break_off_changes(context.database, context.now, tenant=context.tenant)
    context.note("tenant", context.tenant)
