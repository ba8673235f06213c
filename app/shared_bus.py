"""The event bus between processes, over Redis publish/subscribe.

Redis gives no promise of delivery, and none is needed: messages carry a `seq`, and who misses one reads it from
the history. While Redis is away, each process hears what it publishes itself.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.absence import Absence
from app.bus import MemoryBus
from app.endings import ended, told_to_end
from app.script_batches import BatchingRedis

LOG = structlog.get_logger("dovetail.bus")
_RETRY_SECONDS = 1.0
_STOP_SECONDS = 0.2
#: How long a request is held for Redis; then this process goes on alone.
ANSWER_SECONDS = 0.5


def connect(url: str) -> Redis:
    """A client that connects when it is first used."""
    return BatchingRedis.from_url(
        url, protocol=2, socket_connect_timeout=ANSWER_SECONDS, socket_timeout=ANSWER_SECONDS, health_check_interval=15
    )


class RedisBus(MemoryBus):
    """`prefix` names the installation: others on the same Redis are not heard, in whichever of its databases."""

    def __init__(self, redis: Redis, absence: Absence | None = None, *, prefix: str = "dovetail") -> None:
        super().__init__()
        self._prefix = f"{prefix}:bus:"
        self._redis, self._absence = redis, absence or Absence()
        self._listener: asyncio.Task[None] | None = None
        self.listening = False
        self._lost = False

    async def start(self) -> None:
        self._listener = asyncio.create_task(self._listen_always())

    async def stop(self) -> None:
        if self._listener is not None:
            await ended(self._listener, again_seconds=_STOP_SECONDS)

    async def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        """Where Redis did not take it, this process alone hears of it; others find it in the history."""
        if not await self._sent(topic, message) or not self.listening:
            self.deliver(topic, message)

    async def _sent(self, topic: str, message: Mapping[str, Any]) -> bool:
        if not self._absence.may_ask():
            return False
        try:
            await self._redis.publish(self._prefix + topic, msgspec.json.encode(dict(message)))
        except (RedisError, OSError) as error:
            if self._absence.lost():
                LOG.warning("Redis is away: only this process hears of an event", reason=str(error))
            return False
        self._absence.found()
        return True

    async def _listen_always(self) -> None:
        """Until cancelled."""
        while not told_to_end():
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                if not self._lost:
                    LOG.warning("the bus has lost Redis", reason=str(error))
                self._lost = True
            self.listening = False
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen(self) -> None:
        async with self._redis.pubsub() as channel:
            await channel.psubscribe(self._prefix + "*")
            self.listening = True
            if self._lost:
                LOG.info("the bus has Redis again")
            self._lost = False
            while not told_to_end():
                # A timeout of the read is no loss of the connection.
                with contextlib.suppress(TimeoutError):
                    heard = await channel.get_message(ignore_subscribe_messages=True, timeout=3)
                    if heard is not None:
                        self._hear(heard["channel"].decode(errors="replace").removeprefix(self._prefix), heard["data"])

    def _hear(self, topic: str, data: bytes) -> None:
        try:
            message = msgspec.json.decode(data, type=dict[str, Any])
        except msgspec.DecodeError as error:
            # Whoever may write to this Redis can send it; it must not end the listener.
            LOG.warning("what came over Redis is no event", topic=topic, reason=str(error))
            return
        self.deliver(topic, message)
