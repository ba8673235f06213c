"""Moves: who came into the listed order of people and who left it, so that what is held of it in memory stays true.

A move is written in the change that makes it. The latest of a tenant are kept; who has read up to an instant from
before those begins anew.
"""

from typing import NamedTuple
from uuid import UUID

from app.database import Database, Statement
from app.ids import new_id
from services.changes import Change

#: Moves of a tenant that are kept at least.
KEPT = 10_000
#: More than this is slower to take in than the order is to read anew.
MOST_AT_ONCE = 5_000

_NOTE = (
    "INSERT INTO person_move (id, tenant, changed_at, delta, sort_name, orcid_id, search_text) "
    "SELECT {id}, tenant, {change}, {delta}, sort_name, orcid_id, search_text FROM person "
    "WHERE tenant = {tenant} AND id = {person}"
)
_NOTE_ONE = Statement(_NOTE)
_NOTE_RENAMED = Statement(_NOTE + " AND listed AND (sort_name <> {sort_name} OR search_text <> {search_text})")
#: The bound stands beside the tallies: the instant of the last move that was forgotten.
_SINCE = Statement(
    "SELECT h.changed_at AS head, h.forgotten_at, t.total AS bound, m.delta, m.sort_name, m.orcid_id, m.search_text "
    "FROM change_head h LEFT JOIN tally t ON t.tenant = h.tenant AND t.kind = 'moves' "
    "LEFT JOIN person_move m ON m.tenant = h.tenant AND m.changed_at > {since} "
    "WHERE h.tenant = {tenant} ORDER BY m.changed_at LIMIT {most}"
)
_LONG = Statement("SELECT tenant, count(*) AS moves FROM person_move GROUP BY tenant HAVING count(*) > {most}")
_NTH = Statement(
    "SELECT changed_at FROM person_move WHERE tenant = {tenant} ORDER BY changed_at DESC LIMIT 1 OFFSET {kept}"
)
_BOUND = Statement(
    "INSERT INTO tally (id, tenant, kind, total) VALUES ({id}, {tenant}, 'moves', {bound}) "
    "ON CONFLICT (tenant, kind) DO UPDATE SET total = excluded.total"
)
_FORGET = Statement("DELETE FROM person_move WHERE tenant = {tenant} AND changed_at <= {bound}")


class Move(NamedTuple):
    """`delta` is 1 for who came and -1 for who left; the key is what the list is ordered by."""

    delta: int
    key: tuple[str, str]
    text: str


class Moved(NamedTuple):
    """What moved up to the change `at`."""

    at: int
    moves: list[Move]


async def note_move(change: Change, person: UUID, delta: int) -> None:
    """Say that a person came into the listed order (1) or left it (-1), as they are now."""
    database, tenant, at = change
    await database.execute(_NOTE_ONE, id=new_id(), tenant=tenant, change=at, person=person, delta=delta)


async def note_renaming(change: Change, person: UUID, sort_name: str, search_text: str) -> bool:
    """Say that a listed person leaves their place because their name changes; whether they do."""
    database, tenant, at = change
    told = {"person": person, "delta": -1, "sort_name": sort_name, "search_text": search_text}
    return await database.execute(_NOTE_RENAMED, id=new_id(), tenant=tenant, change=at, **told) > 0


async def moves_since(database: Database, tenant: UUID, since: int) -> Moved | None:
    """What moved after the change `since`; None where that is not known any more, or is too much."""
    rows = await database.fetch(_SINCE, tenant=tenant, since=since, most=MOST_AT_ONCE + 1)
    if not rows or len(rows) > MOST_AT_ONCE:
        return None
    first = rows[0]
    # A head that went back, or was broken off, is that of another state of the database.
    if since < first["forgotten_at"] or since < (first["bound"] or 0) or first["head"] < since:
        return None
    found = [row for row in rows if row["delta"] is not None]
    moves = [Move(row["delta"], (row["sort_name"], row["orcid_id"]), row["search_text"]) for row in found]
    return Moved(int(first["head"]), moves)


async def forget_moves(database: Database) -> int:
    """Remove all but the latest moves of each tenant; how many are gone."""
    gone = 0
    for row in await database.fetch(_LONG, most=2 * KEPT):
        tenant = UUID(str(row["tenant"]))

        async def forget(tenant: UUID = tenant) -> int:
            nth = await database.fetch(_NTH, tenant=tenant, kept=KEPT)
            bound = int(nth[0]["changed_at"])
            await database.execute(_BOUND, id=new_id(), tenant=tenant, bound=bound)
            return await database.execute(_FORGET, tenant=tenant, bound=bound)

        gone += await database.in_transaction(forget)
    return gone
