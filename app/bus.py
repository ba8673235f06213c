"""The event bus: bounded queues, and no publisher that waits. In memory here; between processes in app.shared_bus."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from app.endings import told_to_end

#: Messages a slow reader may be behind before it is told that it lagged.
BACKLOG = 1_000
#: What the processes of one server tell each other, begins so; no client reads it.
INTERNAL = "internal:"


class Subscription:
    """One reader's queue. `dropped` counts what did not fit since the reader last looked."""

    def __init__(self, backlog: int = BACKLOG) -> None:
        self._queue: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue(backlog)
        self.dropped = 0

    def offer(self, message: Mapping[str, Any]) -> None:
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            # Where a chain ends is no event of it: what is missed is told again.
            self.dropped += message.get("type") != "head"

    async def messages(self) -> AsyncIterator[Mapping[str, Any]]:
        """Messages in order, until cancelled; `{"type": "lagged", "dropped": n}` stands where some were dropped."""
        while not told_to_end():
            message = await self._queue.get()
            if self.dropped:
                dropped, self.dropped = self.dropped, 0
                yield {"type": "lagged", "dropped": dropped}
            yield message


class Bus(Protocol):
    async def publish(self, topic: str, message: Mapping[str, Any]) -> None: ...

    def subscribe(self, topic: str) -> Any: ...

    def deliver(self, topic: str, message: Mapping[str, Any]) -> None: ...

    def topics(self) -> list[str]: ...

    def readers(self) -> int: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class MemoryBus:
    def __init__(self) -> None:
        self._topics: dict[str, set[Subscription]] = {}

    async def start(self) -> None:
        """Nothing to open."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        self.deliver(topic, message)

    def deliver(self, topic: str, message: Mapping[str, Any]) -> None:
        """Give a message to the readers in this process."""
        for subscription in self._topics.get(topic, ()):
            subscription.offer(message)

    @contextmanager
    def subscribe(self, topic: str) -> Any:
        subscription = Subscription()
        readers = self._topics.setdefault(topic, set())
        readers.add(subscription)
        try:
            yield subscription
        finally:
            readers.discard(subscription)
            if not readers:
                self._topics.pop(topic, None)

    def topics(self) -> list[str]:
        """What somebody in this process listens to."""
        return list(self._topics)

    def readers(self) -> int:
        return sum(len(readers) for topic, readers in self._topics.items() if not topic.startswith(INTERNAL))
