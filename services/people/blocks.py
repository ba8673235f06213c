"""The listed order of people in memory: cut into blocks by key, with how many stand in each.

The blocks are ranges of keys and not rows, so that a person who comes or goes changes one number. On demand a
block also holds its people's search texts, and the order the number of hits of each query that was asked.
"""

from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, compress

from services.people.held_texts import MARK, Needle, Texts
from services.people.moves import Move

#: A block that has grown to so many times its size makes seeking slow; the order is then cut anew.
_LOPSIDED = 5
MOST_QUERIES = 256
#: Looks of one remembered query at one move: so many take some milliseconds, in which nobody is answered.
_MOST_LOOKS = 50_000

Key = tuple[str, str]


class Blocks:
    """True as of the change `at`. `firsts` are the lower bounds of blocks of `size`, the first of which is open."""

    def __init__(self, at: int, firsts: Sequence[Key], total: int, size: int) -> None:
        self.at, self._most = at, size * _LOPSIDED
        self.firsts: list[Key] = [("", ""), *firsts[1:]]
        last = total - size * (len(self.firsts) - 1)
        self.counts = array("q", [size] * (len(self.firsts) - 1) + [last])
        self.texts: list[Texts | None] = [None] * len(self.firsts)
        self._hits: OrderedDict[str, array[int]] = OrderedDict()
        self._counting: dict[str, array[int]] = {}

    @property
    def total(self) -> int:
        return sum(self.counts)

    @property
    def lopsided(self) -> bool:
        return max(self.counts) > self._most or min(self.counts) < 0

    @property
    def size(self) -> int:
        """Bytes of texts."""
        return sum(texts.size for texts in self.texts if texts)

    def take(self, at: int, moves: Sequence[Move]) -> None:
        """Bring everything up to the change `at`."""
        while len(moves) * len(self._hits) > _MOST_LOOKS:
            self._hits.popitem(last=False)
        followed = [*self._hits.items(), *self._counting.items()]
        for move in moves:
            place = bisect_right(self.firsts, move.key) - 1
            self.counts[place] += move.delta
            self.texts[place] = None
            for query, hits in followed:
                if query in move.text:
                    hits[place] += move.delta
        self.at = at

    def let_go(self) -> None:
        """Forget the texts; what was counted stays true."""
        self.texts = [None] * len(self.firsts)

    def empty_places(self) -> list[int]:
        """The blocks whose texts are to be read, or read again."""
        return [place for place, text in enumerate(self.texts) if text is None]

    def remember(self, query: str, hits: "array[int]") -> None:
        self._hits[query] = hits
        while len(self._hits) > MOST_QUERIES:
            self._hits.popitem(last=False)

    @contextmanager
    def counting(self, query: str) -> Iterator["array[int]"]:
        """Numbers for each block, all 0, which a count of the texts as they are now may fill in while others work.

        What moves meanwhile is added to them at the end, so that they are true then; and they are remembered.
        """
        hits, moved = (array("q", bytes(8 * len(self.firsts))) for _ in range(2))
        self._counting[query] = moved
        try:
            yield hits
        finally:
            del self._counting[query]
        for place, delta in enumerate(moved):
            hits[place] += delta
        self.remember(query, hits)

    def bound_of(self, query: str) -> "array[int] | None":
        """The hits of a remembered query that this one contains, the rarest of them: no block has more of this one."""
        contained = [hits for known, hits in self._hits.items() if known in query]
        return min(contained, key=sum)[:] if contained else None

    def knows(self, query: str) -> bool:
        return query in self._hits

    def hits_of(self, query: str) -> "array[int] | None":
        """How many hits each block has, where that was remembered."""
        hits = self._hits.get(query)
        if hits is not None:
            self._hits.move_to_end(query)
        return hits

    def matching(self, place: int, query: str) -> list[str]:
        """The iDs of the people of a block, in order, whose text holds the query; its texts are there."""
        texts = self.texts[place]
        assert texts is not None
        return list(compress(texts.orcid_ids.decode().split(MARK), texts.found(Needle.of(query))))


def locate(counts: Sequence[int], offset: int) -> tuple[int, int] | None:
    """The block in which the row `offset` (from 0) stands, and how many of the block stand before it."""
    before = list(accumulate(counts, initial=0))
    if not 0 <= offset < before[-1]:
        return None
    place = bisect_right(before, offset) - 1
    return place, offset - before[place]
