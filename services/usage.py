"""Counts of use and last-used instants: gathered in memory, written in batches by one writer."""

from collections import Counter
from typing import NamedTuple
from uuid import UUID

from app.clock import Clock, iso
from app.database import Database, Statement
from app.ids import new_id

FLUSH_SECONDS = 10.0
_COUNT = Statement(
    "INSERT INTO usage_count (id, tenant, installation, api, operation, day, count) "
    "VALUES ({id}, {tenant}, {installation}, {api}, {operation}, {day}, {count}) "
    "ON CONFLICT (installation, api, operation, day) DO UPDATE SET count = usage_count.count + excluded.count"
)
_TOUCH = Statement(
    "UPDATE credential SET last_used_at = {at} WHERE id = {credential} "
    "AND (last_used_at IS NULL OR last_used_at < {at})"
)


class Use(NamedTuple):
    """What is counted together: an operation of an API, used by an installation on a UTC day."""

    tenant: UUID
    installation: UUID
    api: str
    operation: str
    day: str


class UsageLedger:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._counts: Counter[Use] = Counter()
        self._touched: dict[UUID, int] = {}
        self._day = (0, "")

    def note(self, tenant: UUID, installation: UUID, credential: UUID, api: str, operation: str) -> None:
        now = self._clock.now_ms()
        if now // 86_400_000 != self._day[0]:
            self._day = (now // 86_400_000, iso(now)[:10])
        self._counts[Use(tenant, installation, api, operation, self._day[1])] += 1
        self._touched[credential] = now

    async def flush(self) -> None:
        """Write what was gathered, in one transaction; what cannot be written is kept for the next time."""
        counts, touched = self._counts, self._touched
        if not counts and not touched:
            return
        self._counts, self._touched = Counter(), {}
        try:
            await self._database.in_transaction(lambda: self._write(counts, touched))
        except BaseException:  # cancelled too: the server stops, and flushes once more
            self._counts.update(counts)
            self._touched = touched | self._touched
            raise

    async def _write(self, counts: Counter[Use], touched: dict[UUID, int]) -> None:
        # Sorted, so that two flushers lock rows in one order.
        for use, count in sorted(counts.items()):
            await self._database.execute(_COUNT, id=new_id(), count=count, **use._asdict())
        for credential, at in sorted(touched.items()):
            await self._database.execute(_TOUCH, credential=credential, at=at)
