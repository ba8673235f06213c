"""Counts of use and last-used instants: gathered in memory, written in batches by one writer."""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

import msgspec

from app.auth.principal import Principal
from app.clock import Clock, iso
from app.database import Database, Statement
from app.ids import new_id
from services.usage.elements import Elements, RequestElements
from services.usage.recording import Recording
from services.usage.rows import ElementRow, client_name, contract_of, write_rows

FLUSH_SECONDS = 10.0
#: What is held between two flushes; what comes beyond is not counted, and the recording says so.
MOST_USES = 100_000
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
    """What is counted together: an operation of an API, used by a client on a UTC day with the same elements."""

    tenant: UUID
    client: UUID | str
    kind: str
    api: str
    operation: str
    day: str
    sent: tuple[Elements, ...]


class UsageLedger:
    """`recorded` False keeps the counts by installation and operation, and nothing below."""

    def __init__(self, database: Database, clock: Clock, *, recorded: bool = True) -> None:
        self._database, self._clock = database, clock
        self.elements = RequestElements()
        self._recorded = recorded
        self._recording = Recording(database, clock, complete=recorded)
        self._counts: Counter[Use] = Counter()
        self._touched: dict[UUID, int] = {}
        self._day = (0, "")
        self._lost = False
        self._flushing = asyncio.Lock()

    def note(
        self, tenant: UUID, installation: UUID, credential: UUID, api: str, operation: str, query: bytes = b""
    ) -> None:
        """A request of a key; `query` is its raw query string."""
        now = self._clock.now_ms()
        sent = self.elements.of_query(api, operation, query) if query else ()
        self._add(Use(tenant, installation, "installation", api, operation, self._today(now), sent))
        self._touched[credential] = now

    def note_request(self, who: Principal, api: str, operation: str, query: bytes, body: bytes) -> None:
        """A REST request of a user, a service or an agent; `body` is JSON, or whatever else was sent."""
        sent = self.elements.of_query(api, operation, query) if query else ()
        if body:
            # What is no JSON is refused by the surface; the request counts, and used no member.
            with suppress(msgspec.DecodeError, RecursionError):
                sent += self.elements.of_body(api, operation, msgspec.json.decode(body))
        self.note_client(who, api, operation, sent)

    def note_client(self, who: Principal, api: str, operation: str, sent: tuple[Elements, ...] = ()) -> None:
        """A request of a user, a service or an agent, with what it was seen to use."""
        day = self._today(self._clock.now_ms())
        self._add(Use(who.tenant, who.installation or who.subject, who.kind, api, operation, day, sent))

    def _today(self, now: int) -> str:
        if now // 86_400_000 != self._day[0]:
            self._day = (now // 86_400_000, iso(now)[:10])
        return self._day[1]

    def _add(self, use: Use) -> None:
        if len(self._counts) < MOST_USES or use in self._counts:
            self._counts[use] += 1
        else:
            self._lost = True

    async def flush(self, *, beat: bool = False, closed: bool = False) -> None:
        """Write what was gathered, in one transaction; what cannot be written is kept for the next time.

        `beat` also says how far the recording reaches now, `closed` that it ends here. When it returns, what was noted
        before is written, also where another flush was on its way with it.
        """
        async with self._flushing:
            await self._flush(beat=beat, closed=closed)

    async def _flush(self, *, beat: bool, closed: bool) -> None:
        counts, touched, lost = self._counts, self._touched, self._lost
        closed = closed and self._recording.is_open
        if not counts and not touched and not beat and not closed:
            return
        self._counts, self._touched, self._lost = Counter(), {}, False
        reached = self._clock.now_ms()

        async def write() -> None:
            await self._write(counts, touched)
            if beat or closed or lost:
                await self._recording.reach(reached, lost=lost, closed=closed)

        try:
            await self._database.in_transaction(write)
        except BaseException:  # cancelled too: the server stops, and flushes once more
            self._counts.update(counts)
            self._touched, self._lost = touched | self._touched, lost or self._lost
            raise
        self._recording.settle(reached, beat=beat, closed=closed)

    async def beat(self) -> None:
        await self.flush(beat=True)

    async def close(self) -> None:
        await self.flush(closed=True)

    async def _write(self, counts: Counter[Use], touched: dict[UUID, int]) -> None:
        # Sorted, so that two flushers lock rows in one order.
        for (tenant, installation, api, operation, day), count in sorted(_by_operation(counts).items()):
            await self._database.execute(
                _COUNT, id=new_id(), tenant=tenant, installation=installation, api=api, operation=operation,
                day=day, count=count,
            )  # fmt: skip
        if self._recorded:
            await write_rows(self._database, _rows(counts))
        for credential, at in sorted(touched.items()):
            await self._database.execute(_TOUCH, credential=credential, at=at)


def _by_operation(counts: Counter[Use]) -> Counter[tuple[UUID, UUID, str, str, str]]:
    found: Counter[tuple[UUID, UUID, str, str, str]] = Counter()
    for use, count in counts.items():
        if isinstance(use.client, UUID):
            found[use.tenant, use.client, use.api, use.operation, use.day] += count
    return found


def _rows(counts: Counter[Use]) -> Counter[ElementRow]:
    """Each request once under its operation, and once under each element that it used."""
    found: Counter[ElementRow] = Counter()
    for use, count in counts.items():
        api, version = contract_of(use.api)
        client = client_name(str(use.client))
        for element in ("", *{name for part in use.sent for name in part.names}):
            row = ElementRow(use.tenant, client, use.kind, api, version, use.operation, element, use.day)
            found[row] += count
    return found
