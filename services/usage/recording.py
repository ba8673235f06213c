"""How far the recording of uses reaches: a span for each process, moved on by each flush.

What no span covers happened while no server ran, when nobody could call. A span that ends without having been closed
belongs to a process that was killed: what it had counted since its last flush is unknown.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from app.clock import SECOND, Clock, iso
from app.database import Database, Statement
from app.ids import new_id

#: A process that was silent for so long is gone; also what one may have lost when it was killed.
SILENT_MS = 30 * SECOND
#: The span of no process: where the recording begins, though no server ran then.
BEGINNING = UUID("00000000-0000-7000-8000-000000000001")
_REACH = Statement(
    "INSERT INTO recording_span (id, started_at, reached_at, closed, complete) "
    "VALUES ({id}, {started}, {reached}, {closed}, {complete}) ON CONFLICT (id) DO UPDATE SET "
    "reached_at = excluded.reached_at, closed = excluded.closed"
)
_BEGIN = Statement(
    "INSERT INTO recording_span (id, started_at, reached_at, closed, complete) "
    "VALUES ({id}, {started}, {reached}, {closed}, {complete}) ON CONFLICT (id) DO UPDATE SET "
    "started_at = excluded.started_at, reached_at = excluded.reached_at"
)
_SPANS = Statement(
    "SELECT started_at, reached_at, closed, complete FROM recording_span WHERE reached_at >= {since} "
    "ORDER BY started_at, reached_at"
)
_FIRST = Statement("SELECT MIN(started_at) AS first FROM recording_span")
_PRUNE_USES = Statement("DELETE FROM contract_use WHERE day < {day}")
_PRUNE_SPANS = Statement("DELETE FROM recording_span WHERE reached_at < {before}")
_SHORTEN = Statement(
    "UPDATE recording_span SET started_at = {before} WHERE started_at < {before} AND reached_at >= {before}"
)


class Span(NamedTuple):
    """Milliseconds since the epoch. `complete` False: from start to reach, uses were not recorded, or not all."""

    started_at: int
    reached_at: int
    closed: bool
    complete: bool


class Recording:
    """The span of this process; `complete` False where the settings switch the recording off."""

    def __init__(self, database: Database, clock: Clock, *, complete: bool) -> None:
        self._database, self._complete = database, complete
        self._id: UUID = new_id()
        self._started = self._reached = clock.now_ms()
        self.is_open = False

    async def reach(self, at: int, *, lost: bool, closed: bool) -> None:
        """Write that everything up to `at` is written; with `lost`, that since the last time not all of it is."""
        reached = max(at, self._reached)
        if lost:
            await self._write(new_id(), self._reached, reached, closed=True, complete=False)
        await self._write(self._id, self._started, reached, closed=closed, complete=self._complete)

    async def _write(self, span: UUID, started: int, reached: int, *, closed: bool, complete: bool) -> None:
        await self._database.execute(
            _REACH, id=span, started=started, reached=reached, closed=closed, complete=complete
        )  # fmt: skip

    def settle(self, at: int, *, beat: bool, closed: bool) -> None:
        """The transaction that wrote it is committed."""
        if beat or closed:
            self._reached = max(at, self._reached)
            self.is_open = beat


async def spans_since(database: Database, since: int) -> list[Span]:
    rows = await database.fetch(_SPANS, since=since)
    return [Span(r["started_at"], r["reached_at"], bool(r["closed"]), bool(r["complete"])) for r in rows]


async def recorded_from(database: Database) -> int | None:
    """The instant at which the recording began, None where it never did."""
    [row] = await database.fetch(_FIRST)
    return None if row["first"] is None else int(row["first"])


def gaps(spans: Iterable[Span], since: int, now: int) -> list[str]:
    """Why uses between `since` and `now` may be missing, in sentences; empty where all were recorded."""
    found = [_gap(span, now) for span in spans if span.reached_at + SILENT_MS >= since]
    return [reason for reason in found if reason is not None]


def _gap(span: Span, now: int) -> str | None:
    if not span.complete:
        return f"Uses from {iso(span.started_at)} to {iso(span.reached_at)} were not all recorded."
    if not span.closed and span.reached_at + SILENT_MS < now:
        return f"A server stopped after {iso(span.reached_at)} without writing out what it had counted."
    return None


async def prune(database: Database, before: int) -> None:
    """Forget uses and spans before an instant, whole days; what is left says that it begins there."""
    async with database.transaction():
        await database.execute(_PRUNE_USES, day=iso(before)[:10])
        await database.execute(_SHORTEN, before=before)
        if await database.execute(_PRUNE_SPANS, before=before):
            # It had begun before, and what no span covers is no gap.
            given = {"started": before, "reached": before, "closed": True, "complete": True}
            await database.execute(_BEGIN, id=BEGINNING, **given)


def ends(spans: Sequence[Span], now: int) -> int:
    """How far a window reaches: what running servers hold in memory is not in it yet."""
    running = [s.reached_at for s in spans if not s.closed and s.reached_at + SILENT_MS >= now]
    return min([now, *running])
