"""Which state of a tenant's lists is the latest, asked at most once a second while nobody here has written.

The version is the instant of the tenant's last change (`services/changes.py`), which moves in the transaction that
changes what is listed. Between processes no message is needed: each asks again after a second. In the process that
wrote it asks at once, because any transaction that ended here makes what was known before old.
"""

import asyncio
from typing import NamedTuple
from uuid import UUID

from app.clock import Clock
from app.database import Database, Statement
from app.recent import Recent

KNOWN_SECONDS = 1.0
_MOST = 10_000
_VERSION = Statement("SELECT changed_at FROM change_head WHERE tenant = {tenant}")


class _Known(NamedTuple):
    """A version as it was asked for: after so many transactions of this process, good until then (monotonic)."""

    version: int
    ended: int
    until: float


class _Asking(NamedTuple):
    answer: "asyncio.Future[_Known]"
    ended: int
    until: float


class DataVersions:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._known: Recent[UUID, _Known] = Recent(_MOST)
        self._asking: dict[UUID, _Asking] = {}

    async def current(self, tenant: UUID) -> int:
        """The version of a second ago or later, and of after every change that this process has committed.

        0 for a tenant that never changed. Raises Unavailable where it must be asked and the database is away.
        """
        known = self._known.get(tenant)
        if known is not None and self._holds(known):
            return known.version
        asking = self._asking.get(tenant)
        if asking is None or not self._holds(asking):
            asking = self._ask(tenant)
        return (await asyncio.shield(asking.answer)).version

    def _holds(self, one: _Known | _Asking) -> bool:
        return one.ended == self._database.transactions_ended and self._clock.monotonic() < one.until

    def _ask(self, tenant: UUID) -> _Asking:
        # Both are read before the question is sent: what happens while it is under way is not in the answer.
        ended, until = self._database.transactions_ended, self._clock.monotonic() + KNOWN_SECONDS
        answer = asyncio.ensure_future(self._look(tenant, ended, until))
        asking = self._asking[tenant] = _Asking(answer, ended, until)

        def settle(done: "asyncio.Future[_Known]") -> None:
            if self._asking.get(tenant) is asking:
                del self._asking[tenant]
            if not done.cancelled() and done.exception() is None:
                self._remember(tenant, done.result())

        answer.add_done_callback(settle)
        return asking

    async def _look(self, tenant: UUID, ended: int, until: float) -> _Known:
        rows = await self._database.fetch(_VERSION, tenant=tenant)
        return _Known(int(rows[0]["changed_at"]) if rows else 0, ended, until)

    def _remember(self, tenant: UUID, found: _Known) -> None:
        known = self._known.get(tenant)
        if known is not None and known.until > found.until:
            return
        self._known.keep(tenant, found)
