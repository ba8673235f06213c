"""The circuit of an instance to one upstream host: closed, open, half-open.

Ten calls of which half failed within a minute, or five failures in a row, open it for 30 seconds; each opening without
a closing between doubles that, up to five minutes. Then one call at a time probes, and two that go well close it. Each
process counts the calls that it makes. That a circuit is open stands in the database, so that other processes and a
server that starts again find it; a closed one costs a look at its row every few seconds, and none for each call.
"""

import random
from collections import OrderedDict, deque
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import structlog

from app.clock import SECOND, Clock
from app.database import Database, Row, Statement
from app.errors import CircuitOpen
from app.ids import new_id

LOG = structlog.get_logger("dovetail.circuits")
WINDOW = 60 * SECOND
LEAST_CALLS = 10
IN_A_ROW = 5
FIRST_OPEN = 30 * SECOND
LONGEST_OPEN = 300 * SECOND
SUCCESSES_TO_CLOSE = 2
#: How old what is known of a closed circuit may be.
_LOOK = 5 * SECOND
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


class Window:
    """Calls and failures of the last minute by the second, and failures in a row; times are monotonic seconds."""

    def __init__(self) -> None:
        self._seconds: deque[list[int]] = deque()
        self.in_a_row = 0

    def add(self, *, failed: bool, at: float) -> bool:
        """Count one call; whether the circuit is to open now."""
        second = int(at)
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append([second, 0, 0])
        while self._seconds[0][0] <= second - WINDOW // SECOND:
            self._seconds.popleft()
        self._seconds[-1][1] += 1
        self._seconds[-1][2] += failed
        self.in_a_row = self.in_a_row + 1 if failed else 0
        if not failed:
            return False
        calls, failures = self.sums
        return self.in_a_row >= IN_A_ROW or (calls >= LEAST_CALLS and 2 * failures >= calls)

    @property
    def sums(self) -> tuple[int, int]:
        """Calls and failures."""
        return sum(each[1] for each in self._seconds), sum(each[2] for each in self._seconds)

    @property
    def stored(self) -> str:
        calls, failures = self.sums
        return msgspec.json.encode({"calls": calls, "failures": failures}).decode()


def open_for(openings: int, fraction: float) -> int:
    """Milliseconds that the circuit stays open the n-th time in a row; `fraction` (0 to 1) is the jitter."""
    longest = min(FIRST_OPEN << min(openings - 1, 10), LONGEST_OPEN)
    return min(int(longest * (0.9 + 0.2 * fraction)), LONGEST_OPEN)


class _Known:
    """What this process knows of one circuit; `row` is None where it never opened."""

    __slots__ = ("looked", "probing", "row", "window")

    def __init__(self) -> None:
        self.window, self.looked, self.probing = Window(), -1.0e12, False
        self.row: Row | None = None

    @property
    def closed(self) -> bool:
        return self.row is None or self.row["state"] == "closed"


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
            self._circuits.count(self._known, failed=False)

    async def failed(self) -> None:
        if self._probe is not None:
            await self._circuits.probed(self._upstream, self._known, self._probe, failed=True)
        # A call that began before the circuit opened says nothing new.
        elif self._known.closed and self._circuits.count(self._known, failed=True):
            await self._circuits.open(self._upstream, self._known)

    async def unsettled(self) -> None:
        """The call says nothing of the other side: it was refused here, given up, or told to slow down."""
        if self._probe is not None:
            await self._circuits.probed(self._upstream, self._known, self._probe, failed=None)


class Circuits:
    """The circuits that this process uses; `fraction` gives the jitter."""

    def __init__(self, database: Database, clock: Clock, fraction: Any = random.random) -> None:
        self._database, self._clock, self._fraction = database, clock, fraction
        self._known: OrderedDict[tuple[UUID, str], _Known] = OrderedDict()

    async def check(self, upstream: Upstream) -> _Known:
        """What is known of the circuit, which may be entered now. Raises CircuitOpen."""
        known = self._of(upstream)
        if known.closed and self._clock.monotonic() - known.looked < _LOOK / SECOND:
            return known
        self._refuse_open(known)
        await self._look(upstream, known)
        self._refuse_open(known)
        return known

    async def enter(self, upstream: Upstream, lease_ms: int) -> Permit:
        """Leave to call. A probe is lost to others after `lease_ms`. Raises CircuitOpen."""
        known = await self.check(upstream)
        if known.closed:
            return Permit(self, upstream, known, None)
        return Permit(self, upstream, known, await self._probe(upstream, known, lease_ms))

    def _of(self, upstream: Upstream) -> _Known:
        key = upstream.instance, upstream.host
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _Known()
            while len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        return known

    async def _look(self, upstream: Upstream, known: _Known) -> None:
        rows = await self._database.fetch(_FIND, instance=upstream.instance, host=upstream.host)
        was_closed, known.row = known.closed, rows[0] if rows else None
        known.looked = self._clock.monotonic()
        if known.closed and not was_closed:
            known.window = Window()

    def _refuse_open(self, known: _Known) -> None:
        """Raise CircuitOpen where the time is not over, or where this process probes already."""
        row, now = known.row, self._clock.now_ms()
        if row is None or row["state"] == "closed":
            return
        if known.probing:
            raise CircuitOpen(1, "The integration is being tried by one call; try again shortly.")
        # A clock that was put back must not keep a circuit open for hours.
        if row["state"] == "open" and row["opened_at"] <= now < row["open_until"]:
            raise CircuitOpen(-(-(row["open_until"] - now) // SECOND))

    async def _probe(self, upstream: Upstream, known: _Known, lease_ms: int) -> str:
        """Take the one place of a probe, by a compare-and-swap on the row. Raises CircuitOpen."""
        row, now, owner = known.row, self._clock.now_ms(), str(new_id())
        assert row is not None
        if row["probe_owner"] is not None and row["probe_until"] - lease_ms * 2 < now < row["probe_until"]:
            raise CircuitOpen(1, "The integration is being tried by one call; try again shortly.")
        known.probing = True
        try:
            taken = await self._database.execute(
                _CLAIM, owner=owner, until=now + lease_ms, now=now, id=row["id"], version=row["version"]
            )
        except BaseException:
            known.probing = False
            raise
        if not taken:
            known.probing = False
            raise CircuitOpen(1, "The integration is being tried by one call; try again shortly.")
        return owner

    def count(self, known: _Known, *, failed: bool) -> bool:
        return known.window.add(failed=failed, at=self._clock.monotonic())

    async def open(self, upstream: Upstream, known: _Known) -> None:
        """The first opening after it was closed; where another process was first, its opening holds."""
        now = self._clock.now_ms()
        await self._database.execute(
            _OPEN,
            id=new_id(),
            tenant=upstream.tenant,
            instance=upstream.instance,
            host=upstream.host,
            window=known.window.stored,
            failures=known.window.in_a_row,
            now=now,
            until=now + open_for(1, self._fraction()),
        )
        known.window = Window()
        await self._look(upstream, known)
        LOG.warning("a circuit opened", instance=str(upstream.instance), host=upstream.host)

    async def probed(self, upstream: Upstream, known: _Known, owner: str, *, failed: bool | None) -> None:
        """What the probe found; nothing where its place was lost meanwhile. `failed` None: it found nothing."""
        row, now = known.row, self._clock.now_ms()
        assert row is not None
        settled = {name: row[name] for name in ("successes", "openings", "opened_at", "open_until")}
        state = "half_open"
        if failed:
            openings = row["openings"] + 1
            until = now + open_for(openings, self._fraction())
            state, settled = "open", {"successes": 0, "openings": openings, "opened_at": now, "open_until": until}
        elif failed is False:
            settled["successes"] += 1
            if settled["successes"] >= SUCCESSES_TO_CLOSE:
                state, settled = "closed", settled | {"successes": 0, "openings": 0, "open_until": None}
        try:
            await self._database.execute(_SETTLE, state=state, now=now, id=row["id"], owner=owner, **settled)
        finally:
            known.probing = False
        await self._look(upstream, known)
