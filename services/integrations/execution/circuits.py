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
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from app.clock import MINUTE, SECOND, Clock
from app.database import Database, Statement
from app.errors import CircuitOpen
from app.ids import new_id
from app.recent import Recent
from services.integrations.execution.circuit_news import CircuitNews, Key
from services.integrations.execution.windows import FAILURE, SUCCESS, Counts, Window

LOG = structlog.get_logger("dovetail.circuits")
FIRST_OPEN = 30 * SECOND
LONGEST_OPEN = 300 * SECOND
SUCCESSES_TO_CLOSE = 2
#: How old what is known of a closed circuit may be, and of one that another process tries; seconds.
_LOOK, _LOOK_AT_PROBE = 5.0, 0.5
#: How far the clocks of two machines may be apart.
_SKEW = MINUTE
_MOST_KNOWN = 50_000
_COLUMNS = "id, state, successes, openings, opened_at, open_until, probe_owner, probe_until, version"
_FIND = Statement(
    f"SELECT {_COLUMNS} FROM integration_circuit WHERE instance = {{instance}} AND host = {{host}}"  # noqa: S608 - own words
)
_OPEN = Statement(
    'INSERT INTO integration_circuit (id, tenant, instance, host, state, "window", consecutive_failures, successes, '
    "openings, opened_at, open_until, updated_at, version) SELECT {id}, {tenant}, {instance}, {host}, 'open', "
    "{window}, {failures}, 0, 1, {now}, {until}, {now}, 1 "
    "WHERE EXISTS (SELECT 1 FROM integration_instance WHERE id = {instance}) "
    'ON CONFLICT (instance, host) DO UPDATE SET state = \'open\', "window" = excluded."window", '
    "consecutive_failures = excluded.consecutive_failures, successes = 0, openings = 1, "
    "opened_at = excluded.opened_at, open_until = excluded.open_until, updated_at = excluded.updated_at, "
    "version = integration_circuit.version + 1 WHERE integration_circuit.state = 'closed'"
)
_CLAIM = Statement(
    "UPDATE integration_circuit SET state = 'half_open', probe_owner = {owner}, probe_until = {until}, "
    "version = version + 1, updated_at = {now} WHERE id = {id} AND version = {version}"
)
_SETTLE = Statement(
    "UPDATE integration_circuit SET state = {state}, successes = {successes}, openings = {openings}, "
    "opened_at = {opened_at}, open_until = {open_until}, probe_owner = NULL, probe_until = NULL, "
    "version = version + 1, updated_at = {now} WHERE id = {id} AND probe_owner = {owner}"
)


def open_for(openings: int, fraction: float, first: int = FIRST_OPEN) -> int:
    """Milliseconds that the circuit stays open the n-th time in a row; `fraction` (0 to 1) is the jitter."""
    longest = min(first << min(openings - 1, 10), LONGEST_OPEN)
    return min(int(longest * (0.9 + 0.2 * fraction)), LONGEST_OPEN)


class _Known:
    """What this process knows of one circuit; `row` is None where it never opened.

    `upstream` is None until this process itself has called there.
    """

    __slots__ = ("looked", "looking", "probing", "row", "upstream", "window")

    def __init__(self) -> None:
        self.window, self.looked, self.probing = Window(), -1.0e12, False
        self.looking = asyncio.Lock()
        self.row: Mapping[str, Any] | None = None
        self.upstream: Upstream | None = None

    @property
    def closed(self) -> bool:
        return self.row is None or self.row["state"] == "closed"

    def learn(self, row: Mapping[str, Any] | None, at: float) -> None:
        """Take a row, where it is no older than the one that is known."""
        if row is not None and self.row is not None and row["version"] < self.row["version"]:
            return
        was_closed, self.row, self.looked = self.closed, row, at
        if self.closed is not was_closed:
            self.window = Window()


class Upstream(NamedTuple):
    """Whose circuit it is."""

    tenant: UUID
    instance: UUID
    host: str


class Permit:
    """Leave to make one call. Exactly one of `succeeded`, `failed` and `unsettled` is to be called when it is over."""

    __slots__ = ("_circuits", "_known", "_probe", "_upstream")

    def __init__(self, circuits: "Circuits", upstream: Upstream, known: _Known, probe: str | None) -> None:
        self._circuits, self._upstream, self._known, self._probe = circuits, upstream, known, probe

    async def succeeded(self) -> None:
        if self._probe is not None:
            await self._circuits.probed(self._upstream, self._known, self._probe, failed=False)
        elif self._known.closed:
            self._circuits.count(self._upstream, self._known, SUCCESS)

    async def failed(self) -> None:
        if self._probe is not None:
            await self._circuits.probed(self._upstream, self._known, self._probe, failed=True)
        # A call that began before the circuit opened says nothing new.
        elif self._known.closed and self._circuits.count(self._upstream, self._known, FAILURE):
            await self._circuits.open(self._upstream, self._known)

    async def unsettled(self) -> None:
        """The call says nothing of the other side: it was refused here, given up, or told to slow down."""
        if self._probe is not None:
            await self._circuits.probed(self._upstream, self._known, self._probe, failed=None)


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
        self._database, self._clock, self._fraction = database, clock, fraction
        self._first_open, self._news = first_open, news
        self._known: Recent[Key, _Known] = Recent(_MOST_KNOWN)
        self._opening: set[asyncio.Task[None]] = set()

    async def check(self, upstream: Upstream) -> _Known:
        """What is known of the circuit, which may be entered now. Raises CircuitOpen."""
        known = self._of((upstream.instance, upstream.host))
        known.upstream, before = upstream, known.looked
        if known.closed and self._clock.monotonic() - before < _LOOK:
            return known
        self._refuse_open(known)
        async with known.looking:
            # Of those who came at once one looks.
            if known.looked == before:
                await self._look(upstream, known)
        self._refuse_open(known)
        return known

    async def enter(self, upstream: Upstream, lease_ms: int) -> Permit:
        """Leave to call. A probe is lost to others after `lease_ms`. Raises CircuitOpen."""
        known = await self.check(upstream)
        if known.closed:
            return Permit(self, upstream, known, None)
        return Permit(self, upstream, known, await self._probe(upstream, known, lease_ms))

    def _of(self, key: Key) -> _Known:
        known = self._known.find(key)
        if known is None:
            known = _Known()
            self._known.keep(key, known)
        return known

    async def _look(self, upstream: Upstream, known: _Known) -> None:
        rows = await self._database.fetch(_FIND, instance=upstream.instance, host=upstream.host)
        known.learn(rows[0] if rows else None, self._clock.monotonic())

    def _refuse_open(self, known: _Known) -> None:
        """Raise CircuitOpen where the time is not over, or where somebody probes already."""
        row, now = known.row, self._clock.now_ms()
        if row is None or row["state"] == "closed":
            return
        # A clock that was put back must not keep a circuit open for hours.
        if row["state"] == "open" and row["opened_at"] - _SKEW <= now < row["open_until"]:
            raise CircuitOpen(-(-(row["open_until"] - now) // SECOND))
        elsewhere = row["probe_owner"] is not None and now < row["probe_until"] <= now + LONGEST_OPEN + _SKEW
        if known.probing or (elsewhere and self._clock.monotonic() - known.looked < _LOOK_AT_PROBE):
            raise CircuitOpen(1, "The integration is being tried by one call; try again shortly.")

    async def _probe(self, upstream: Upstream, known: _Known, lease_ms: int) -> str:
        """Take the one place of a probe, by a compare-and-swap on the row. Raises CircuitOpen."""
        row, now, owner = known.row, self._clock.now_ms(), str(new_id())
        assert row is not None
        claimed = {"state": "half_open", "probe_owner": owner, "probe_until": now + lease_ms}
        known.probing, taken = True, 0
        try:
            taken = await self._database.execute(
                _CLAIM, owner=owner, until=now + lease_ms, now=now, id=row["id"], version=row["version"]
            )
        finally:
            known.probing = bool(taken)
        if not taken:
            raise CircuitOpen(1, "The integration is being tried by one call; try again shortly.")
        self._changed(upstream, known, row, claimed)
        return owner

    def _changed(self, upstream: Upstream, known: _Known, row: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
        """What this process has just made of a row."""
        after = {**row, **changes, "version": row["version"] + 1}
        known.learn(after, self._clock.monotonic())
        self._tell(upstream, after)

    def _tell(self, upstream: Upstream, row: Mapping[str, Any]) -> None:
        if self._news is not None:
            self._news.changed((upstream.instance, upstream.host), row)

    def count(self, upstream: Upstream, known: _Known, counts: Counts) -> bool:
        """Count a call that this process made; whether the circuit is to open."""
        ends_a_row = known.window.in_a_row > 0
        due = known.window.add(counts, self._clock.monotonic())
        if self._news is not None:
            self._news.count((upstream.instance, upstream.host), counts, hurried=bool(counts.failures) or ends_a_row)
        return due

    async def open(self, upstream: Upstream, known: _Known) -> None:
        """The first opening after it was closed; where another process was first, its opening holds."""
        now = self._clock.now_ms()
        opened = await self._database.execute(
            _OPEN,
            id=new_id(),
            tenant=upstream.tenant,
            instance=upstream.instance,
            host=upstream.host,
            window=known.window.stored,
            failures=known.window.in_a_row,
            now=now,
            until=now + open_for(1, self._fraction(), self._first_open),
        )
        await self._look(upstream, known)
        # Where the instance is gone, nothing opened.
        known.window = Window()
        if opened and known.row is not None:
            self._tell(upstream, dict(known.row))
            LOG.warning("a circuit opened", instance=str(upstream.instance), host=upstream.host)

    async def probed(self, upstream: Upstream, known: _Known, owner: str, *, failed: bool | None) -> None:
        """What the probe found; nothing where its place was lost meanwhile. `failed` None: it found nothing."""
        row, now = known.row, self._clock.now_ms()
        assert row is not None
        settled = {name: row[name] for name in ("successes", "openings", "opened_at", "open_until")}
        settled["state"] = "half_open"
        if failed:
            openings = row["openings"] + 1
            until = now + open_for(openings, self._fraction(), self._first_open)
            settled = {"state": "open", "successes": 0, "openings": openings, "opened_at": now, "open_until": until}
        elif failed is False:
            settled["successes"] += 1
            if settled["successes"] >= SUCCESSES_TO_CLOSE:
                settled |= {"state": "closed", "successes": 0, "openings": 0, "open_until": None}
        written = 0
        try:
            written = await self._database.execute(_SETTLE, now=now, id=row["id"], owner=owner, **settled)
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
            known.looked = -1.0e12

    def close(self) -> None:
        """Tell nothing more."""
        if self._news is not None:
            self._news.close()
