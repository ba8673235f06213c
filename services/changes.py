"""The order of changes to what consumers see, so that they can ask for what changed since the last time.

A change takes the tenant's head row before it touches anything else and keeps it until it is committed, so the
changes of a tenant become visible in the order of their instants: who has read up to an instant never misses an
earlier one. The instant is the clock's, or one more than the last: it grows also where the clock goes back.
"""

from typing import NamedTuple
from uuid import UUID

from app.database import Database, Statement
from services.context import Context

#: The migration that makes the heads: a database without it has nothing to break off.
KEPT_SINCE = "2026-11-21T00:27:10:000000"
_TAKE = Statement(
    "INSERT INTO change_head (tenant, changed_at, forgotten_at) VALUES ({tenant}, {now}, 0) "
    "ON CONFLICT (tenant) DO UPDATE SET changed_at = CASE WHEN change_head.changed_at < excluded.changed_at "
    "THEN excluded.changed_at ELSE change_head.changed_at + 1 END RETURNING changed_at"
)
_BURY = Statement(
    "INSERT INTO tombstone (id, tenant, kind, changed_at) VALUES ({id}, {tenant}, {kind}, {at}) "
    "ON CONFLICT (id) DO UPDATE SET changed_at = excluded.changed_at"
)
_HIDDEN = ("person", "publication", "work")
_OLD = {
    table: Statement(
        f"SELECT max(changed_at) AS last FROM {table} "  # noqa: S608 - own words
        f"WHERE tenant = {{tenant}} AND changed_at < {{before}} AND {which}"
    )
    for table, which in (*((table, "NOT listed") for table in _HIDDEN), ("tombstone", "TRUE"))
}
_FORGET = (
    *(
        Statement(
            f"UPDATE {table} SET changed_at = NULL "  # noqa: S608 - own words
            "WHERE tenant = {tenant} AND changed_at <= {last} AND NOT listed"
        )
        for table in _HIDDEN
    ),
    Statement("DELETE FROM tombstone WHERE tenant = {tenant} AND changed_at <= {last}"),
    Statement("UPDATE change_head SET forgotten_at = {last} WHERE tenant = {tenant} AND forgotten_at < {last}"),
)
# Also for a tenant that had changed nothing when the backup was made: what was told of it since is gone too.
_BREAK_OFF = (
    "INSERT INTO change_head (tenant, changed_at, forgotten_at) SELECT id, {now}, {now} FROM tenant WHERE "
    "%s ON CONFLICT (tenant) DO UPDATE SET "
    "changed_at = CASE WHEN change_head.changed_at < {now} THEN {now} ELSE change_head.changed_at + 1 END, "
    "forgotten_at = CASE WHEN change_head.changed_at < {now} THEN {now} ELSE change_head.changed_at + 1 END"
)
_BREAK_OFF_ALL, _BREAK_OFF_ONE = Statement(_BREAK_OFF % "TRUE"), Statement(_BREAK_OFF % "id = {tenant}")


class Change(NamedTuple):
    """A change of one tenant that is under way; `at` (ms) is later than that of every change before it."""

    database: Database
    tenant: UUID
    at: int


async def hold_listing(context: Context) -> Change:
    """Let nobody else change what is listed of the tenant until the transaction ends.

    Two members of one publication may go at the same moment: the second to look must see that the first has gone.
    Taken before any row is changed, so that nobody waits for a row while holding what its owner waits for.
    """
    if context.database.engine.live_transaction() is None:
        raise RuntimeError("a listing is held until its transaction ends, and there is none")
    rows = await context.database.fetch(_TAKE, tenant=context.tenant, now=context.now)
    return Change(context.database, context.tenant, int(rows[0]["changed_at"]))


async def bury(change: Change, kind: str, row_id: UUID) -> None:
    """Leave a tombstone for a listed row that is deleted."""
    await change.database.execute(_BURY, id=row_id, tenant=change.tenant, kind=kind, at=change.at)


async def forget_tombstones(context: Context, before: int) -> bool:
    """Remove the tenant's tombstones from before an instant (ms); whether there were any.

    A consumer that has not asked since the last of them is then told to begin anew, and no other.
    """
    database, tenant = context.database, context.tenant
    found = [await database.fetch(statement, tenant=tenant, before=before) for statement in _OLD.values()]
    last = max((int(rows[0]["last"]) for rows in found if rows[0]["last"] is not None), default=None)
    if last is None:
        return False

    async def forget() -> None:
        await hold_listing(context)
        for statement in _FORGET:
            await database.execute(statement, tenant=tenant, last=last)

    await database.in_transaction(forget)
    return True


async def break_off_changes(database: Database, now: int, tenant: UUID | None = None) -> None:
    """After an older state was put back: nobody can go on from what they had read, and all begin anew."""
    if tenant is None:
        await database.execute(_BREAK_OFF_ALL, now=now)
    else:
        await database.execute(_BREAK_OFF_ONE, now=now, tenant=tenant)
