"""Walks that any process may go on with: kept in Redis, each step one script, so that two cannot take one use."""

import hashlib
from collections import OrderedDict
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.absence import Absence
from services.leases import GOOD_SECONDS, Demand
from services.walks import TRIES, Cover, MemoryWalks, WalkKey

LOG = structlog.get_logger("dovetail.walks")
_MOST_BEGUN = 4_096
_MOST_AHEAD = 1_000
#: What an earlier call reserved ahead and nobody began is taken off again, where it is still there.
_BEGIN = """
local paid = tonumber(redis.call('HGET', KEYS[1], 'paid') or '0')
local uses = tonumber(redis.call('HGET', KEYS[1], 'uses') or '0')
local follow = tonumber(ARGV[1])
uses = math.max(uses - tonumber(ARGV[4]), 0) + tonumber(ARGV[3])
redis.call('HSET', KEYS[1], 'pages', follow + 1, 'paid', follow, 'uses', uses)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return follow - math.min(paid, follow)
"""
_COVERS = """
local pages = tonumber(redis.call('HGET', KEYS[1], 'pages') or '0')
local page = tonumber(ARGV[1])
if page < 2 or page > pages + 1 or pages == 0 then return 0 end
if tonumber(redis.call('HGET', KEYS[1], 'uses')) < 1 then return 0 end
redis.call('HINCRBY', KEYS[1], 'uses', -1)
if tonumber(redis.call('HGET', KEYS[1], 'paid')) < 1 then return 1 end
redis.call('HINCRBY', KEYS[1], 'paid', -1)
return 2
"""


class _Begun:
    """A walk that this process begins over and over: how many of the next are in Redis already."""

    __slots__ = ("ahead", "asking", "demand", "follow", "until")

    def __init__(self) -> None:
        self.demand = Demand()
        self.follow = self.ahead = 0
        self.until = 0.0
        self.asking = False

    def goes_on(self, follow: int, now: float) -> bool:
        return self.ahead > 0 and self.follow == follow and now < self.until


class RedisWalks:
    """`alone` keeps the walks of this process while Redis is away.

    A list whose page 1 is asked for often is begun for several callers in one call. The next page 1 is then no news to
    Redis: its pages are reserved, and paid for unless somebody walked meanwhile. What other processes walked in that
    quarter of a second is paid for page by page.
    """

    def __init__(
        self, redis: Redis, alone: MemoryWalks, absence: Absence | None = None, *, prefix: str = "dovetail"
    ) -> None:
        self._prefix = f"{prefix}:walk:"
        self._alone, self._absence = alone, absence or Absence()
        self._begin, self._covers = redis.register_script(_BEGIN), redis.register_script(_COVERS)
        self._begun: OrderedDict[WalkKey, _Begun] = OrderedDict()

    async def begin(self, key: WalkKey, pages: int) -> int:
        follow = min(pages - 1, self._alone.ceiling)
        if follow < 1:
            return 0
        now, begun = self._alone.clock.monotonic(), self._begun_of(key)
        begun.demand.note(1, now)
        if begun.goes_on(follow, now) and not self._absence.away:
            begun.ahead -= 1
            return 0
        done = await self._begin_now(begun, key, follow, now + GOOD_SECONDS)
        return await self._alone.begin(key, pages) if done is None else done

    async def _begin_now(self, begun: _Begun, key: WalkKey, follow: int, until: float) -> int | None:
        if begun.asking:
            return await self._run(self._begin, key, follow, self._alone.seconds, follow * TRIES, 0)
        ahead, unused = min(begun.demand.expected, _MOST_AHEAD), begun.ahead * begun.follow * TRIES
        # Before Redis is asked, for what is walked from here meanwhile ends it.
        begun.asking, begun.ahead, begun.follow, begun.until = True, 0, follow, until
        try:
            uses = follow * (1 + ahead) * TRIES
            done = await self._run(self._begin, key, follow, self._alone.seconds, uses, unused)
        finally:
            begun.asking = False
        if done is not None:
            begun.ahead = ahead
        return done

    async def covers(self, key: WalkKey, page: int) -> Cover:
        if (begun := self._begun.get(key)) is not None:
            # What is walked from here is to be paid for by the next page 1.
            begun.until = 0.0
        done = await self._run(self._covers, key, page)
        return await self._alone.covers(key, page) if done is None else Cover(done)

    def _begun_of(self, key: WalkKey) -> _Begun:
        begun = self._begun.get(key)
        if begun is None:
            begun = self._begun[key] = _Begun()
            if len(self._begun) > _MOST_BEGUN:
                self._begun.popitem(last=False)
        return begun

    async def _run(self, script: Any, key: WalkKey, *args: int) -> int | None:
        if not self._absence.may_ask():
            return None
        try:
            done = int(await script(keys=[self._prefix + _name(key)], args=args))
        except (RedisError, OSError) as error:
            if self._absence.lost():
                LOG.warning("Redis is away: this process keeps walks for itself", reason=str(error))
            return None
        self._absence.found()
        return done


def _name(key: WalkKey) -> str:
    """A key of one length, however long the query of the walk is."""
    return hashlib.blake2b(repr(key).encode(), digest_size=16).hexdigest()
