"""Rate limits: a token bucket (GCRA) for each key, in memory for one process or in Redis for several."""

import asyncio
from datetime import timedelta
from math import ceil
from typing import Any

import msgspec
import structlog
from redis.exceptions import RedisError
from throttled.asyncio import MemoryStore, RedisStore, Throttled, rate_limiter
from throttled.exceptions import StoreUnavailableError
from throttled.utils import now_mono_f

from app.absence import Absence
from app.clock import SYSTEM_CLOCK, Clock
from app.script_batches import BatchingRedis
from app.shared_bus import ANSWER_SECONDS
from services.leases import GOOD_SECONDS, ROUNDING, Lease, Leases

LOG = structlog.get_logger("dovetail.limits")
# The library's default of 1,024 keys would let a flood of keys reset everybody's limit.
_MOST_KEYS = 100_000
_OPTIONS = {
    "SOCKET_TIMEOUT": ANSWER_SECONDS,
    "SOCKET_CONNECT_TIMEOUT": ANSWER_SECONDS,
    "REDIS_CLIENT_CLASS": f"{BatchingRedis.__module__}.{BatchingRedis.__name__}",
}
#: The bucket's number is when it is full again, in seconds of the library's own epoch.
_MOVE = """
local now = redis.call('TIME')
now = (now[1] - 1735660800) + (now[2] / 1000000)
local left = math.max(tonumber(redis.call('GET', KEYS[1]) or now) - now, 0) + tonumber(ARGV[1])
if left > 0 then
    redis.call('SET', KEYS[1], now + left, 'EX', math.ceil(left))
else
    redis.call('DEL', KEYS[1])
end
return tostring(math.max(left, 0))
"""


class Verdict(msgspec.Struct, frozen=True):
    """What the limiter said: counts are requests (or cost), times are seconds from now.

    `retry_after` is when a refused request is admitted, and when a unit that is owed has flowed in.
    """

    admitted: bool
    quota: int
    burst: int
    remaining: int
    reset_after: float
    retry_after: float = 0.0

    @property
    def retry_seconds(self) -> int:
        """Whole seconds, at least 1, after which the same request is admitted."""
        return max(1, ceil(self.retry_after))


def _seen(per_minute: int, burst: int, remaining: int, reset_after: float) -> Verdict:
    interval = 60 / per_minute
    wait = max(interval, reset_after - (burst - 1) * interval) if remaining < 1 else 0.0
    return Verdict(remaining > 0, per_minute, burst, remaining, reset_after, wait)


class Limiter:
    """Buckets by key. When Redis is away or does not answer in time, each process limits for itself until it does.

    Of a bucket that is busy here, a few units are taken from Redis ahead (`services/leases.py`).
    """

    def __init__(
        self,
        redis_url: str | None = None,
        absence: Absence | None = None,
        clock: Clock = SYSTEM_CLOCK,
        *,
        prefix: str = "dovetail",
    ) -> None:
        self._prefix = f"{prefix}:limit"
        self._memory = MemoryStore(options={"MAX_SIZE": _MOST_KEYS})
        self._shared = RedisStore(server=redis_url, options=dict(_OPTIONS)) if redis_url else None
        self._buckets: dict[tuple[int, int, bool], Throttled] = {}
        self._absence = absence or Absence()
        self._clock = clock
        self._move = self._shared._backend.get_client().register_script(_MOVE) if self._shared else None
        self._leases = Leases()
        self._ending: asyncio.TimerHandle | None = None
        self._giving: set[asyncio.Task[float | None]] = set()

    async def close(self) -> None:
        """Give back what was taken ahead, and leave Redis."""
        if self._ending is not None:
            self._ending.cancel()
        self._end_leases(every=True)
        await asyncio.gather(*self._giving, return_exceptions=True)
        if self._shared is not None:
            client: Any = self._shared._backend.get_client()
            await client.aclose()

    async def hit(self, key: str, per_minute: int, burst: int, cost: int = 1) -> Verdict:
        """Take `cost` from the bucket, or nothing where it does not hold as much."""
        lease = self._lease(key, per_minute, burst)
        if lease is None:
            return await self._take(key, per_minute, burst, cost)
        now = self._clock.monotonic()
        lease.demand.note(cost, now)
        if lease.has(cost, now) or await self._comes(lease, key, per_minute, burst, cost):
            lease.units -= cost
            return Verdict(True, per_minute, burst, *lease.state(self._clock.monotonic()))
        # Of what is held, a part of the cost; a refusal leaves it.
        part = lease.part(cost, self._clock.monotonic())
        verdict = await self._take(key, per_minute, burst, cost - part)
        lease.learn(verdict.reset_after, self._clock.monotonic())
        if part and not verdict.admitted:
            lease.units += part
            return msgspec.structs.replace(verdict, remaining=verdict.remaining + part)
        return verdict

    async def owe(self, key: str, per_minute: int, burst: int, units: int) -> Verdict:
        """Take `units` of a bucket that refused them: what it does not hold is owed, and holds up all others.

        `retry_after` of the answer is when the last of these units has flowed in.
        """
        lease = self._lease(key, per_minute, burst)
        part = 0 if lease is None else lease.part(units, self._clock.monotonic())
        reset_after = await self._shift(self._name(key, per_minute, burst), (units - part) * 60 / per_minute)
        if lease is not None:
            lease.learn(reset_after, self._clock.monotonic())
        remaining = max(0, int(burst - reset_after * per_minute / 60 + ROUNDING))
        return Verdict(True, per_minute, burst, remaining, reset_after, max(0.0, reset_after - burst * 60 / per_minute))

    async def peek(self, key: str, per_minute: int, burst: int) -> Verdict:
        """The bucket as it stands; takes nothing."""
        lease = self._lease(key, per_minute, burst)
        if lease is not None and lease.has(1, now := self._clock.monotonic()):
            return _seen(per_minute, burst, *lease.state(now))
        state = await self._ask("peek", key, per_minute, burst)
        return _seen(per_minute, burst, state.remaining, state.reset_after)

    async def glance(self, key: str, per_minute: int, burst: int) -> Verdict:
        """The bucket as it was a quarter of a second ago or later: enough for headers, and nothing to refuse by."""
        lease = self._lease(key, per_minute, burst)
        if lease is not None and lease.fresh(now := self._clock.monotonic()):
            return _seen(per_minute, burst, *lease.state(now))
        verdict = await self.peek(key, per_minute, burst)
        if lease is not None and not lease.units:
            lease.learn(verdict.reset_after, self._clock.monotonic())
        return verdict

    async def refund(self, key: str, verdict: Verdict, units: int) -> Verdict:
        """Put back what a `hit` took and was not used: the bucket as it is then, never fuller than full."""
        seconds = units * 60 / verdict.quota
        lease = self._lease(key, verdict.quota, verdict.burst)
        if lease is not None and lease.has_room(units, self._clock.monotonic()):
            lease.units += units
        else:
            await self._shift(self._name(key, verdict.quota, verdict.burst), -seconds)
        remaining = min(verdict.burst, verdict.remaining + units)
        after = max(0.0, verdict.reset_after - seconds)
        return Verdict(verdict.admitted, verdict.quota, verdict.burst, remaining, after)

    def _lease(self, key: str, per_minute: int, burst: int) -> Lease | None:
        if self._shared is None or self._absence.away:
            return None
        found = self._leases.find(key, per_minute, burst)
        if found is not None and self._ending is None:
            self._ending = asyncio.get_running_loop().call_later(GOOD_SECONDS, self._end_leases)
        return found

    async def _comes(self, lease: Lease, key: str, per_minute: int, burst: int, cost: int) -> bool:
        """Whether the lease holds the cost once those units have come that are asked for now."""
        if lease.asking is None and (ahead := lease.wanted(self._clock.monotonic())) > 0:
            lease.coming = cost + ahead
            lease.asking = asyncio.create_task(self._take_ahead(lease, key, per_minute, burst, cost + ahead))
        if lease.asking is None or lease.coming < cost:
            return False
        lease.coming -= cost
        # Who gives up waiting leaves what comes to the others.
        await asyncio.shield(lease.asking)
        return lease.has(cost, self._clock.monotonic())

    async def _take_ahead(self, lease: Lease, key: str, per_minute: int, burst: int, units: int) -> None:
        """All of the units, or none: then whoever wants some asks for those alone, to the last that there is."""
        until = self._clock.monotonic() + GOOD_SECONDS
        try:
            result = await self._ask_shared("limit", key, per_minute, burst, cost=units)
            if result is not None and not result.limited:
                lease.learn(result.state.reset_after, self._clock.monotonic())
                lease.grant(units, until)
        finally:
            lease.asking, lease.coming = None, 0

    def _end_leases(self, *, every: bool = False) -> None:
        for key, per_minute, burst, seconds in self._leases.end(self._clock.monotonic(), every=every):
            # What Redis does not take flows in by itself.
            task = asyncio.create_task(self._shift_shared(self._name(key, per_minute, burst), -seconds))
            self._giving.add(task)
            task.add_done_callback(self._giving.discard)
        self._ending = None
        if self._leases:
            self._ending = asyncio.get_running_loop().call_later(GOOD_SECONDS, self._end_leases)

    async def _shift(self, name: str, seconds: float) -> float:
        """Make a bucket full that much later, or earlier; the seconds until it is."""
        left = await self._shift_shared(name, seconds)
        return await self._shift_here(name, seconds) if left is None else left

    async def _shift_shared(self, name: str, seconds: float) -> float | None:
        """None without Redis, and while it is away."""
        if self._move is None or not self._absence.may_ask():
            return None
        try:
            left = float(await self._move(keys=[name], args=[seconds]))
        except (RedisError, OSError) as error:
            self._lost(error)
            return None
        self._absence.found()
        return left

    async def _shift_here(self, name: str, seconds: float) -> float:
        now = now_mono_f()
        left = max(0.0, float(await self._memory.get(name) or now) - now) + seconds
        await self._memory.set(name, now + max(0.0, left), max(1, ceil(left)))
        return max(0.0, left)

    async def _take(self, key: str, per_minute: int, burst: int, cost: int) -> Verdict:
        result = await self._ask("limit", key, per_minute, burst, cost=cost)
        state = result.state
        return Verdict(
            not result.limited,
            per_minute,
            burst,
            max(0, state.remaining),
            state.reset_after,
            max(0.0, state.retry_after),
        )

    async def _ask(self, method: str, key: str, per_minute: int, burst: int, **given: Any) -> Any:
        answer = await self._ask_shared(method, key, per_minute, burst, **given)
        if answer is not None:
            return answer
        return await getattr(self._bucket(per_minute, burst, shared=False), method)(key, **given)

    async def _ask_shared(self, method: str, key: str, per_minute: int, burst: int, **given: Any) -> Any:
        """What Redis says; None without one, and while it is away."""
        if self._shared is None or not self._absence.may_ask():
            return None
        try:
            answer = await getattr(self._bucket(per_minute, burst, shared=True), method)(key, **given)
        except (StoreUnavailableError, RedisError, OSError) as error:
            self._lost(error)
            return None
        self._absence.found()
        return answer

    def _lost(self, error: Exception) -> None:
        if self._absence.lost():
            LOG.warning("Redis is away: this process limits for itself", reason=str(error))

    def _name(self, key: str, per_minute: int, burst: int) -> str:
        """The library's own key: its limiters only take, so what is put back changes the one number they keep there."""
        name: str = self._bucket(per_minute, burst, shared=self._shared is not None).limiter._prepare_key(key)
        return name

    def _bucket(self, per_minute: int, burst: int, *, shared: bool) -> Throttled:
        name = (per_minute, burst, shared)
        if name not in self._buckets:
            quota = rate_limiter.per_duration(timedelta(minutes=1), per_minute, burst)
            store = self._shared if shared else self._memory
            # The number of a bucket is a time, which under other limits stands for another count.
            prefix = f"{self._prefix}:{per_minute}:{burst}"
            self._buckets[name] = Throttled(using="gcra", quota=quota, store=store, timeout=-1, key_prefix=prefix)
        return self._buckets[name]
