"""A fair gate before a pool: who came first goes first, and nobody waits for ever."""

import asyncio

ACQUIRE_SECONDS = 5.0


class Gate:
    """`size` places, handed out in order of arrival.

    A pool's own queue wakes a waiter, but a newcomer may take the connection first; under load some
    waiters then starve. Raises TimeoutError after `seconds`.
    """

    def __init__(self, size: int, seconds: float = ACQUIRE_SECONDS) -> None:
        self._places = asyncio.Semaphore(size)
        self._seconds = seconds

    async def enter(self) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        async with asyncio.timeout(self._seconds):
            await self._places.acquire()

    def leave(self) -> None:
        self._places.release()
