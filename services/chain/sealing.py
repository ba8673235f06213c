"""The sealer gives each committed event its place in its tenant's chain.

seq counts from 1 without a gap; mac = HMAC-SHA-256(key, RFC 8785(event + seq + prev)). The head row is
locked while a chain grows, so two processes may seal at once. Writers never wait for the sealer.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog

from app.database import Database, Statement
from app.endings import told_to_end
from app.errors import Unavailable
from services.chain.entries import COLUMNS, canonical, event_fields, mac

BATCH = 500
POLL_SECONDS = 1.0
LOG = structlog.get_logger("dovetail.chain")

_COLUMNS = ", ".join(f"e.{name}" for name in COLUMNS)
_WAITING = Statement("SELECT DISTINCT tenant FROM audit_pending")
_UNSEALED = Statement(
    f"SELECT {_COLUMNS} FROM audit_pending p JOIN audit_event e ON e.id = p.event "  # noqa: S608 - our own columns
    "WHERE p.tenant = {tenant} ORDER BY p.event LIMIT {limit}"
)
_DONE = Statement("DELETE FROM audit_pending WHERE event = {event}")
_OPEN_HEAD = Statement(
    "INSERT INTO audit_head (tenant, seq, mac) VALUES ({tenant}, 0, '') ON CONFLICT (tenant) DO NOTHING"
)
# The update takes the row lock on PostgreSQL; SQLite's writer is alone anyway.
_LOCK_HEAD = Statement("UPDATE audit_head SET seq = seq WHERE tenant = {tenant} RETURNING seq, mac")
_MOVE_HEAD = Statement("UPDATE audit_head SET seq = {seq}, mac = {mac} WHERE tenant = {tenant}")
_SEAL = Statement(
    "INSERT INTO audit_seal (event, tenant, seq, prev, mac) VALUES ({event}, {tenant}, {seq}, {prev}, {mac})"
)

#: Receives the sealed events of one tenant, each a mapping of its fields plus seq, prev and mac.
Published = Callable[[UUID, Sequence[Mapping[str, Any]]], Awaitable[None]]


def link(key: bytes, fields: Mapping[str, Any], seq: int, prev: str) -> str:
    """The mac that binds an event to its place and to all before it."""
    return mac(key, canonical(dict(fields) | {"seq": seq, "prev": prev}))


class Sealer:
    """Seals what is committed; `wake` after a commit, and every second for what other processes wrote."""

    def __init__(self, database: Database, key: bytes, published: Published) -> None:
        self._database, self._key, self._published = database, key, published
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while not told_to_end():
            # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the wake-up.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self.seal_all()
            except Unavailable as error:
                LOG.warning("sealing waits for the database", reason=str(error))
                await asyncio.sleep(POLL_SECONDS)

    async def seal_all(self) -> int:
        """Seal everything that is committed; the number of events sealed."""
        sealed = 0
        async with self._turn:
            for row in await self._database.fetch(_WAITING):
                batch = BATCH
                # What is committed after a batch that was not full wakes the sealer by itself.
                while batch == BATCH:
                    batch = await self._seal_tenant(UUID(str(row["tenant"])))
                    sealed += batch
        return sealed

    async def _seal_tenant(self, tenant: UUID) -> int:
        events = await self._database.in_transaction(lambda: self._grow(tenant))
        if events:
            await self._published(tenant, events)
        return len(events)

    async def _grow(self, tenant: UUID) -> list[dict[str, Any]]:
        await self._database.execute(_OPEN_HEAD, tenant=tenant)
        head = (await self._database.fetch(_LOCK_HEAD, tenant=tenant))[0]
        seq, prev = head["seq"], head["mac"]
        events = []
        for row in await self._database.fetch(_UNSEALED, tenant=tenant, limit=BATCH):
            fields = event_fields(row)
            seq, before = seq + 1, prev
            prev = link(self._key, fields, seq, before)
            await self._database.execute(_SEAL, event=row["id"], tenant=tenant, seq=seq, prev=before, mac=prev)
            await self._database.execute(_DONE, event=row["id"])
            events.append(fields | {"seq": seq, "prev": before, "mac": prev})
        if events:
            await self._database.execute(_MOVE_HEAD, tenant=tenant, seq=seq, mac=prev)
        return events
