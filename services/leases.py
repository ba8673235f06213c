"""Units of a busy bucket that a process takes from Redis ahead, so that not every request waits for Redis.

What is spent was taken before, so a lease admits nothing that the budget does not hold. It can only keep units from
others: at most a hundredth of the budget, of what may be sent at once, and of what was left, for a quarter of a second.
"""

import asyncio
from collections.abc import Iterator

#: How long units may be spent, and the state that came with them be told, counted from before they were asked for.
GOOD_SECONDS = 0.25
_WINDOW_SECONDS = 0.1
#: Whoever asked less often within the last two windows is not busy.
_BUSY_ASKS = 4
_SHARE = 100
_MOST_LEASES = 4_096
_NEVER = float("-inf")
#: Buckets count whole units; their times are seconds in floating point.
ROUNDING = 1e-6


class Demand:
    """How often, and for how much, one thing was asked for within the last tenth to fifth of a second."""

    __slots__ = ("_asks", "_begun", "_former_asks", "_former_units", "_units")

    def __init__(self) -> None:
        self._begun = 0.0
        self._asks = self._units = self._former_asks = self._former_units = 0

    def note(self, units: int, now: float) -> None:
        """`now` is monotonic."""
        if (passed := now - self._begun) >= _WINDOW_SECONDS:
            goes_on = passed < 2 * _WINDOW_SECONDS
            self._former_asks, self._former_units = (self._asks, self._units) if goes_on else (0, 0)
            self._begun, self._asks, self._units = now, 0, 0
        self._asks += 1
        self._units += units

    @property
    def expected(self) -> int:
        """As many units as were asked for lately; 0 where that was seldom."""
        if self._asks + self._former_asks < _BUSY_ASKS:
            return 0
        return self._units + self._former_units

    def idle(self, now: float) -> bool:
        return now - self._begun >= 4 * _WINDOW_SECONDS


class Lease:
    """One bucket as this process knows it: its state when Redis was last asked, and the units taken ahead."""

    __slots__ = ("_burst", "_full_in", "_interval", "_most", "_since", "_until", "asking", "coming", "demand", "units")

    def __init__(self, per_minute: int, burst: int) -> None:
        self._interval, self._burst, self._most = 60 / per_minute, burst, _most(per_minute, burst)
        self._full_in, self._since, self._until = 0.0, _NEVER, 0.0
        #: Taken and not spent.
        self.units = 0
        self.demand = Demand()
        #: Units that are asked for now, less those that somebody waits for.
        self.coming = 0
        self.asking: asyncio.Task[None] | None = None

    def learn(self, reset_after: float, now: float) -> None:
        """Redis said when the bucket is full again; to it the units held here are spent."""
        self._full_in, self._since = reset_after, now

    def grant(self, units: int, until: float) -> None:
        self.units += units
        self._until = until

    def has(self, units: int, now: float) -> bool:
        return self.units >= units and now < self._until

    def fresh(self, now: float) -> bool:
        """Whether Redis told the state so lately that it may be told again."""
        return now - self._since < GOOD_SECONDS

    def part(self, most: int, now: float) -> int:
        """Hand over units that may be spent, to one who needs more than there may be."""
        units = min(most, self.units) if now < self._until else 0
        self.units -= units
        return units

    def has_room(self, units: int, now: float) -> bool:
        """Whether units that were not used may stay here for who asks next."""
        return now < self._until and self.units + units <= self._most

    def wanted(self, now: float) -> int:
        """How many units to take ahead now; the fewer, the nearer the budget is to its end."""
        if self._since == _NEVER:
            return 0
        return max(0, min(self.demand.expected, self._most - self.units, self.state(now)[0] // _SHARE))

    def state(self, now: float) -> tuple[int, float]:
        """What is left, with what is held here, and the seconds until the bucket is full."""
        full_in = max(0.0, self._full_in - (now - self._since) - self.units * self._interval)
        return max(0, int(self._burst - full_in / self._interval + ROUNDING)), full_in

    def give_up(self) -> float:
        """Hold nothing any more; how much of the bucket that was, in the seconds that it takes to flow in."""
        units, self.units = self.units, 0
        return units * self._interval

    def over(self, now: float) -> bool:
        return self.asking is None and now >= self._until


class Leases:
    """The leases of one process. Where there are too many buckets to watch, Redis is asked for each request."""

    def __init__(self) -> None:
        self._leases: dict[tuple[str, int, int], Lease] = {}

    def find(self, key: str, per_minute: int, burst: int) -> Lease | None:
        """The lease of a bucket; None for one so small that no unit of it may be taken ahead."""
        name = (key, per_minute, burst)
        found = self._leases.get(name)
        if found is None and _most(per_minute, burst) > 0 and len(self._leases) < _MOST_LEASES:
            found = self._leases[name] = Lease(per_minute, burst)
        return found

    def end(self, now: float, *, every: bool = False) -> Iterator[tuple[str, int, int, float]]:
        """Forget what is idle; key, limits and seconds of what is to be given back."""
        for name, lease in list(self._leases.items()):
            if lease.units and (every or lease.over(now)):
                yield (*name, lease.give_up())
            if every or (lease.asking is None and lease.units == 0 and lease.demand.idle(now)):
                del self._leases[name]

    def __bool__(self) -> bool:
        return bool(self._leases)


def _most(per_minute: int, burst: int) -> int:
    return min(per_minute, burst) // _SHARE
