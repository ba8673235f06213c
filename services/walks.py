"""Walk-safety: a list that was begun can be read to its end.

A plugin that is refused in mid-walk hides everybody it has not seen. So the first page of a list, once
admitted, pays for the pages that follow, and those pages are then not refused for quota: each may be asked
for, and asked for again, a bounded number of times within the walk's window. What the budget does not hold
is owed, and no walk begins until it has flowed in.
"""

from collections import OrderedDict
from enum import IntEnum
from typing import Protocol
from uuid import UUID

import msgspec

from app.clock import Clock

_MOST_WALKS = 20_000
#: How often each page of a walk may be asked for: once, and again after a timeout.
TRIES = 2

#: (installation, surface, list and query without the page)
WalkKey = tuple[UUID, str, str]


class _Walk(msgspec.Struct):
    pages: int
    paid: int
    uses_left: int
    until: float


class Cover(IntEnum):
    """What a walk does for a page: nothing; not refused, but taken or owed; or paid for by its first page.

    Walks of one list that begin before one of them goes on share what was paid, so a page may be asked for when all
    of it is used.
    """

    NONE = 0
    UNPAID = 1
    PAID = 2


class Walks(Protocol):
    """The walks that are going on."""

    async def begin(self, key: WalkKey, pages: int) -> int:
        """Reserve pages 2..`pages`, up to the ceiling; how many of them are yet to be paid for."""

    async def covers(self, key: WalkKey, page: int) -> Cover:
        """Whether this page of a walk is reserved, and paid for; takes one of the walk's uses."""


class MemoryWalks:
    """The walks of one process."""

    def __init__(self, clock: Clock, *, ceiling: int, seconds: int) -> None:
        self.clock, self.ceiling, self.seconds = clock, ceiling, seconds
        self._walks: OrderedDict[WalkKey, _Walk] = OrderedDict()

    async def begin(self, key: WalkKey, pages: int) -> int:
        follow = min(pages - 1, self.ceiling)
        if follow < 1:
            return 0
        known = self._live(key)
        # What an earlier walk paid for and did not use is not paid for twice.
        unpaid = follow - (min(known.paid, follow) if known else 0)
        # Each page 1 that was admitted begins a walk of its own: the uses of another that goes on stay.
        uses = follow * TRIES + (known.uses_left if known else 0)
        while len(self._walks) >= _MOST_WALKS:
            self._walks.popitem(last=False)
        self._walks[key] = _Walk(follow + 1, follow, uses, self.clock.monotonic() + self.seconds)
        self._walks.move_to_end(key)
        return unpaid

    async def covers(self, key: WalkKey, page: int) -> Cover:
        walk = self._live(key)
        # One page of slack: rows may be added while the list is walked.
        if walk is None or not 2 <= page <= walk.pages + 1 or walk.uses_left < 1:
            return Cover.NONE
        walk.uses_left -= 1
        if walk.paid < 1:
            return Cover.UNPAID
        walk.paid -= 1
        return Cover.PAID

    def _live(self, key: WalkKey) -> _Walk | None:
        walk = self._walks.get(key)
        if walk is not None and self.clock.monotonic() >= walk.until:
            del self._walks[key]
            return None
        return walk
