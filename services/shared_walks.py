"""Walks that any process may go on with: kept in Redis, each step one script, so that two cannot take one use."""

import hashlib
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.absence import Absence
from services.walks import TRIES, Cover, MemoryWalks, WalkKey

LOG = structlog.get_logger("dovetail.walks")
_BEGIN = """
local paid = tonumber(redis.call('HGET', KEYS[1], 'paid') or '0')
local uses = tonumber(redis.call('HGET', KEYS[1], 'uses') or '0')
local follow = tonumber(ARGV[1])
redis.call('HSET', KEYS[1], 'pages', follow + 1, 'paid', follow, 'uses', uses + follow * tonumber(ARGV[3]))
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


class RedisWalks:
    """`alone` keeps the walks of this process while Redis is away."""

    def __init__(self, redis: Redis, alone: MemoryWalks, absence: Absence | None = None) -> None:
        self._alone, self._absence = alone, absence or Absence()
        self._begin, self._covers = redis.register_script(_BEGIN), redis.register_script(_COVERS)

    async def begin(self, key: WalkKey, pages: int) -> int:
        follow = min(pages - 1, self._alone.ceiling)
        if follow < 1:
            return 0
        done = await self._run(self._begin, key, follow, self._alone.seconds, TRIES)
        return await self._alone.begin(key, pages) if done is None else done

    async def covers(self, key: WalkKey, page: int) -> Cover:
        done = await self._run(self._covers, key, page)
        return await self._alone.covers(key, page) if done is None else Cover(done)

    async def _run(self, script: Any, key: WalkKey, *args: int) -> int | None:
        if not self._absence.may_ask():
            return None
        try:
            done = int(await script(keys=[_name(key)], args=args))
        except (RedisError, OSError) as error:
            if self._absence.lost():
                LOG.warning("Redis is away: this process keeps walks for itself", reason=str(error))
            return None
        self._absence.found()
        return done


def _name(key: WalkKey) -> str:
    """A key of one length, however long the query of the walk is."""
    return "dovetail:walk:" + hashlib.blake2b(repr(key).encode(), digest_size=16).hexdigest()
