"""The record of executions and when each instance was used last: gathered in memory, written in batches.

Calls that may change something elsewhere are written by `intents` instead, before they are made; their ends come here
where the database is away when they end.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import structlog

from app.clock import DAY, Clock
from app.database import Database, Statement
from app.errors import Unavailable
from app.ids import new_id

LOG = structlog.get_logger("dovetail.executions")
FLUSH_SECONDS = 1.0
#: What is held between two flushes; what comes beyond is not recorded, and a log line says how many.
MOST_HELD = 20_000
#: Ends that wait for the database; a call whose end finds no place is marked `unknown` when its time is over.
MOST_ENDS = 20_000
_COLUMNS = (
    "instance", "method", "side_effect", "outcome", "code", "error", "host", "status_code", "latency_ms", "attempts",
    "response_bytes", "request_id", "actor_kind", "actor_id", "surface", "at",
)  # fmt: skip
# An instance may be deleted before what it did is written; a row that is there, a commit that was cut off wrote.
_INSERT = Statement(
    f"INSERT INTO integration_execution (id, tenant, {', '.join(_COLUMNS)}) SELECT {{id}}, {{tenant}}, "  # noqa: S608
    f"{', '.join(f'{{{name}}}' for name in _COLUMNS)} "
    "WHERE EXISTS (SELECT 1 FROM integration_instance WHERE id = {instance}) ON CONFLICT (id) DO NOTHING"
)
_TOUCH = Statement(
    "UPDATE integration_instance SET last_used_at = {at} WHERE id = {instance} "
    "AND (last_used_at IS NULL OR last_used_at < {at})"
)
_PRUNE = Statement("DELETE FROM integration_execution WHERE at < {before}")


class ExecutionLedger:
    """`days` is how long executions are kept."""

    def __init__(self, database: Database, clock: Clock, days: int) -> None:
        self._database, self._clock, self._days = database, clock, days
        self._rows: deque[dict[str, Any]] = deque()
        self._used: dict[UUID, int] = {}
        self._ends: deque[tuple[UUID, Callable[[], Awaitable[None]]]] = deque()
        self._dropped = 0
        self._flushing = asyncio.Lock()

    def keep(self, intent: UUID, write: Callable[[], Awaitable[None]]) -> None:
        """How the call of a row ended, to be written once the database is back."""
        if len(self._ends) >= MOST_ENDS:
            LOG.error("the end of a call is lost", execution=str(intent))
        else:
            self._ends.append((intent, write))

    def note(self, row: dict[str, Any]) -> None:
        """A row of integration_execution, whole but for its id; its instance was used where something was sent."""
        if row["attempts"]:
            self.used(row["instance"], row["at"])
        if len(self._rows) >= MOST_HELD:
            self._dropped += 1
        else:
            self._rows.append({"id": new_id(), **row})

    def used(self, instance: UUID, at: int) -> None:
        self._used[instance] = at

    async def flush(self) -> int:
        """Write what was gathered; what cannot be written is kept for the next time. How many rows and ends.

        When it returns, what was noted before is written, also where another flush was on its way with it.
        """
        async with self._flushing:
            return await self._flush_rows() + await self._flush_ends()

    async def _flush_ends(self) -> int:
        """Each in its own transaction, with its event; raises Unavailable where the database is still away."""
        written = 0
        for _ in range(len(self._ends)):
            intent, write = self._ends.popleft()
            try:
                await write()
                written += 1
            except (Unavailable, asyncio.CancelledError):
                self._ends.appendleft((intent, write))
                raise
            except Exception:
                # One that cannot be written must not keep the others.
                LOG.exception("the end of a call is lost", execution=str(intent))
        return written

    async def _flush_rows(self) -> int:
        """In one transaction."""
        rows, used, dropped = self._rows, self._used, self._dropped
        if not rows and not used:
            return 0
        self._rows, self._used, self._dropped = deque(), {}, 0
        if dropped:
            LOG.warning("executions were not recorded", count=dropped)

        async def write() -> None:
            for row in rows:
                await self._database.execute(_INSERT, **row)
            # In one order, so that two flushers do not wait for each other.
            for instance, at in sorted(used.items()):
                await self._database.execute(_TOUCH, instance=instance, at=at)

        try:
            await self._database.in_transaction(write)
        except BaseException:  # cancelled too: the server stops, and flushes once more
            self._rows.extendleft(reversed(rows))
            self._used = used | self._used
            raise
        return len(rows)

    async def prune(self) -> int:
        """Delete what is older than it is kept; how many."""
        return await self._database.execute(_PRUNE, before=self._clock.now_ms() - self._days * DAY)
