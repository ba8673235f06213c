"""A fair gate before a pool: who came first goes first, and nobody waits for ever."""

import asyncio
from collections import deque

ACQUIRE_SECONDS = 5.0


class Gate:
    """`size` places, handed out in order of arrival: who leaves gives the place to who has waited longest.

    A queue that only wakes its first lets a newcomer take the place before it, and under load some then
    starve. Raises TimeoutError after `seconds`.
    """

    def __init__(self, size: int, seconds: float = ACQUIRE_SECONDS) -> None:
        self._free = size
        self._seconds = seconds
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        # A place is only free while nobody waits for one.
        if self._free:
            self._free -= 1
            return
        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(self._seconds, _late, place)
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            # The place had been given to a caller that was cancelled in the same moment.
            if not place.cancelled() and place.exception() is None:
                self.leave()
            raise
        finally:
            timer.cancel()

    def leave(self) -> None:
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._free += 1


def _late(place: "asyncio.Future[None]") -> None:
    if not place.done():
        place.set_exception(TimeoutError())
