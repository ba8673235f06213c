"""Rate limits: a token bucket (GCRA) for each key, in memory for one process or in Redis for several."""

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
from app.script_batches import BatchingRedis
from app.shared_bus import ANSWER_SECONDS

LOG = structlog.get_logger("dovetail.limits")
# The library's default of 1,024 keys would let a flood of keys reset everybody's limit.
_MOST_KEYS = 100_000
_OPTIONS = {
    "SOCKET_TIMEOUT": ANSWER_SECONDS,
    "SOCKET_CONNECT_TIMEOUT": ANSWER_SECONDS,
    "REDIS_CLIENT_CLASS": f"{BatchingRedis.__module__}.{BatchingRedis.__name__}",
}
#: The bucket's number is when it is full again, in seconds of the library's own epoch.
_REFUND = """
local full_at = redis.call('GET', KEYS[1])
if not full_at then return 0 end
local now = redis.call('TIME')
now = (now[1] - 1735660800) + (now[2] / 1000000)
local left = tonumber(full_at) - tonumber(ARGV[1]) - now
if left <= 0 then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], now + left, 'EX', math.ceil(left))
return 1
"""


class Verdict(msgspec.Struct, frozen=True):
    """What the limiter said: counts are requests (or cost), times are seconds from now."""

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


class Limiter:
    """Buckets by key. When Redis is away or does not answer in time, each process limits for itself until it does."""

    def __init__(self, redis_url: str | None = None, absence: Absence | None = None) -> None:
        self._memory = MemoryStore(options={"MAX_SIZE": _MOST_KEYS})
        self._shared = RedisStore(server=redis_url, options=dict(_OPTIONS)) if redis_url else None
        self._buckets: dict[tuple[int, int, bool], Throttled] = {}
        self._absence = absence or Absence()
        self._refund = self._shared._backend.get_client().register_script(_REFUND) if self._shared else None

    async def hit(self, key: str, per_minute: int, burst: int, cost: int = 1) -> Verdict:
        """Take `cost` from the bucket, or nothing where it does not hold as much."""
        result = await self._ask("limit", key, per_minute, burst, cost=cost)
        state = result.state
        return Verdict(
            not result.limited, per_minute, burst, state.remaining, state.reset_after, max(0.0, state.retry_after)
        )

    async def peek(self, key: str, per_minute: int, burst: int) -> Verdict:
        """The bucket as it stands; takes nothing."""
        state = await self._ask("peek", key, per_minute, burst)
        wait = 60 / per_minute if state.remaining < 1 else 0.0
        return Verdict(state.remaining > 0, per_minute, burst, state.remaining, state.reset_after, wait)

    async def refund(self, key: str, verdict: Verdict, units: int) -> Verdict:
        """Put back what a `hit` took and was not used: the bucket as it is then, never fuller than full."""
        bucket = self._bucket(verdict.quota, verdict.burst, shared=self._shared is not None)
        seconds = units * 60 / verdict.quota
        # The library's limiters only take: this changes the one number that they keep, under their own key.
        name = bucket.limiter._prepare_key(key)
        if self._refund is None or not self._absence.may_ask():
            await self._refund_here(name, seconds)
        else:
            try:
                await self._refund(keys=[name], args=[seconds])
            except (RedisError, OSError) as error:
                self._lost(error)
        remaining = min(verdict.burst, verdict.remaining + units)
        after = max(0.0, verdict.reset_after - seconds)
        return Verdict(verdict.admitted, verdict.quota, verdict.burst, remaining, after)

    async def _refund_here(self, name: str, seconds: float) -> None:
        full_at = await self._memory.get(name)
        if full_at is not None:
            now = now_mono_f()
            earlier = max(now, float(full_at) - seconds)
            await self._memory.set(name, earlier, max(1, ceil(earlier - now)))

    async def _ask(self, method: str, key: str, per_minute: int, burst: int, **given: Any) -> Any:
        if self._shared is not None and self._absence.may_ask():
            try:
                answer = await getattr(self._bucket(per_minute, burst, shared=True), method)(key, **given)
            except (StoreUnavailableError, RedisError, OSError) as error:
                self._lost(error)
            else:
                self._absence.found()
                return answer
        return await getattr(self._bucket(per_minute, burst, shared=False), method)(key, **given)

    def _lost(self, error: Exception) -> None:
        if self._absence.lost():
            LOG.warning("Redis is away: this process limits for itself", reason=str(error))

    def _bucket(self, per_minute: int, burst: int, *, shared: bool) -> Throttled:
        name = (per_minute, burst, shared)
        if name not in self._buckets:
            quota = rate_limiter.per_duration(timedelta(minutes=1), per_minute, burst)
            store = self._shared if shared else self._memory
            self._buckets[name] = Throttled(using="gcra", quota=quota, store=store, timeout=-1)
        return self._buckets[name]
