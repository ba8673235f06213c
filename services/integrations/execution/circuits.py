"""The circuit of an instance to one upstream host: closed, open, half-open.

Ten calls of which half failed within a minute, or five failures in a row, open it for 30 seconds; each opening without
a closing between doubles that, up to five minutes. Then one call at a time probes, and two that go well close it. The
calls of all processes count together, and what becomes of a circuit is told to all of them (`circuit_news`). Where it
is not closed its state stands in the database: a server that starts again finds it there, and of all processes one
takes the place of the probe. No state costs a database trip for each call.
"""

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import structlog

from app.clock import Clock
from app.database import Database
from app.errors import CircuitOpen
from app.ids import new_id
from app.recent import Recent
from services.integrations.execution.circuit_knowledge import BEING_TRIED, Known
from services.integrations.execution.circuit_news import CircuitNews, Key
from services.integrations.execution.circuit_permits import Permit
from services.integrations.execution.circuit_rows import CircuitRows, Upstream
from services.integrations.execution.circuit_states import FIRST_OPEN, after_probe, open_for
from services.integrations.execution.windows import Counts, Window

LOG = structlog.get_logger("dovetail.circuits")
_MOST_KNOWN = 50_000


class Circuits:
    """The circuits that this process uses.

    `fraction` gives the jitter, `first_open` is how long one is open the first time (ms), and over `news` this process
    hears of the others where there are any.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        fraction: Any = random.random,
        *,
        first_open: int = FIRST_OPEN,
        news: CircuitNews | None = None,
    ) -> None:
        self._rows, self._clock, self._fraction = CircuitRows(database), clock, fraction
        self._first_open, self._news = first_open, news
        self._known: Recent[Key, Known] = Recent(_MOST_KNOWN)
        self._opening: set[asyncio.Task[None]] = set()

    async def check(self, upstream: Upstream) -> Known:
        """What is known of the circuit, which may be entered now. Raises CircuitOpen."""
        known = self._of((upstream.instance, upstream.host))
        known.upstream, before = upstream, known.looked
        if known.is_fresh(self._clock.monotonic()):
            return known
        known.refuse_open(self._clock)
        async with known.looking:
            # Of those who came at once one looks.
            if known.looked == before:
                await self._look(upstream, known)
        known.refuse_open(self._clock)
        return known

    async def enter(self, upstream: Upstream, lease_ms: int) -> Permit:
        """Leave to call. A probe is lost to others after `lease_ms`. Raises CircuitOpen."""
        known = await self.check(upstream)
        if known.closed:
            return Permit(self, upstream, known, None)
        return Permit(self, upstream, known, await self._probe(upstream, known, lease_ms))

    def _of(self, key: Key) -> Known:
        known = self._known.find(key)
        if known is None:
            known = Known()
            self._known.keep(key, known)
        return known

    async def _look(self, upstream: Upstream, known: Known) -> None:
        row = await self._rows.find(upstream)
        known.learn(row, self._clock.monotonic())

    async def _probe(self, upstream: Upstream, known: Known, lease_ms: int) -> str:
        """Take the one place of a probe. Raises CircuitOpen."""
        row, now, owner = known.row, self._clock.now_ms(), str(new_id())
        assert row is not None
        known.probing, taken = True, False
        try:
            taken = await self._rows.claim(row, owner, now, now + lease_ms)
        finally:
            known.probing = taken
        if not taken:
            raise CircuitOpen(1, BEING_TRIED)
        claimed = {"state": "half_open", "probe_owner": owner, "probe_until": now + lease_ms}
        self._changed(upstream, known, row, claimed)
        return owner

    def _changed(self, upstream: Upstream, known: Known, row: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
        """What this process has just made of a row."""
        after = {**row, **changes, "version": row["version"] + 1}
        known.learn(after, self._clock.monotonic())
        self._tell(upstream, after)

    def _tell(self, upstream: Upstream, row: Mapping[str, Any]) -> None:
        if self._news is not None:
            self._news.changed((upstream.instance, upstream.host), row)

    def count(self, upstream: Upstream, known: Known, counts: Counts) -> bool:
        """Count a call that this process made; whether the circuit is to open."""
        ends_a_row = known.window.in_a_row > 0
        due = known.window.add(counts, self._clock.monotonic())
        if self._news is not None:
            self._news.count((upstream.instance, upstream.host), counts, hurried=bool(counts.failures) or ends_a_row)
        return due

    async def open(self, upstream: Upstream, known: Known) -> None:
        """The first opening after it was closed; where another process was first, its opening holds."""
        now = self._clock.now_ms()
        opened = await self._rows.open(upstream, known.window, now, now + self._lasts(1))
        await self._look(upstream, known)
        # Where the instance is gone, nothing opened.
        known.window = Window()
        if opened and known.row is not None:
            self._tell(upstream, dict(known.row))
            LOG.warning("a circuit opened", instance=str(upstream.instance), host=upstream.host)

    def _lasts(self, openings: int) -> int:
        return open_for(openings, self._fraction(), self._first_open)

    async def probed(self, upstream: Upstream, known: Known, owner: str, *, failed: bool | None) -> None:
        """What the probe found; nothing where its place was lost meanwhile. `failed` None: it found nothing."""
        row, now = known.row, self._clock.now_ms()
        assert row is not None
        settled, written = after_probe(row, failed, now, self._lasts), False
        try:
            written = await self._rows.settle(row, owner, now, settled)
        finally:
            known.probing = False
        if written:
            self._changed(upstream, known, row, settled | {"probe_owner": None, "probe_until": None})
        else:
            await self._look(upstream, known)

    async def listen(self) -> None:
        """Hear what other processes tell, until cancelled; returns at once where there are none."""
        if self._news is not None:
            await self._news.listen(self._counted, self._found, self._lagged)

    def _counted(self, key: Key, counts: Counts) -> None:
        known = self._of(key)
        if known.closed and known.window.add(counts, self._clock.monotonic()) and known.upstream is not None:
            # Two that failed at once, each of which made too few alone.
            task = asyncio.ensure_future(self.open(known.upstream, known))
            self._opening.add(task)
            task.add_done_callback(self._opened)

    def _opened(self, task: "asyncio.Task[None]") -> None:
        self._opening.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.warning("a circuit could not be opened", reason=str(error))

    def _found(self, key: Key, row: Mapping[str, Any]) -> None:
        self._of(key).learn(row, self._clock.monotonic())

    def _lagged(self) -> None:
        for known in self._known.values():
            known.doubt()

    def close(self) -> None:
        """Tell nothing more."""
        if self._news is not None:
            self._news.close()
