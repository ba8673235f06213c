"""The listed order of people in memory: cut into blocks by key, with how many stand in each.

The blocks are ranges of keys and not rows, so that a person who comes or goes changes one number. On demand a
block also holds its people's search texts, and the order the number of hits of each query that was asked.
"""

from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate, compress
from typing import NamedTuple

from services.people.moves import Move

#: A block that has grown to so many times its size makes seeking slow; the order is then cut anew.
_LOPSIDED = 5
MOST_QUERIES = 256
#: Between texts: a control character, which neither a name nor a query can hold.
MARK = "\x1e"
_MARK = MARK.encode()
#: Where this many hits stand in a block, to look at each text is quicker than to go from hit to hit.
_DENSE = 100
#: What an ORCID iD is made of, folded: only a query of these can be found in one.
_IN_ORCID_ID = frozenset("0123456789-x")

Key = tuple[str, str]


class Texts(NamedTuple):
    """A block's people in order: iDs, and the search texts, without the iD's own line where `without_ids`."""

    orcid_ids: bytes
    texts: bytes
    without_ids: bool

    @classmethod
    def of(cls, people: Sequence[tuple[str, str]]) -> "Texts":
        """From each one's iD and search text."""
        tails = [f"\n{orcid_id.lower()}" for orcid_id, _ in people]
        plain = all(text.endswith(tail) or text == tail[1:] for (_, text), tail in zip(people, tails, strict=True))
        texts = [text[: -len(tail)] if plain else text for (_, text), tail in zip(people, tails, strict=True)]
        return cls(MARK.join(orcid_id for orcid_id, _ in people).encode(), MARK.join(texts).encode(), plain)

    @property
    def size(self) -> int:
        return len(self.orcid_ids) + len(self.texts)

    def found(self, query: str) -> list[bool]:
        """For each person, whether the query stands in their search text."""
        if not self.orcid_ids:
            return []
        needle = query.encode()
        in_texts = [needle in text for text in self.texts.split(_MARK)]
        if not self.without_ids or not _IN_ORCID_ID.issuperset(query):
            return in_texts
        in_ids = [needle in orcid_id for orcid_id in self.orcid_ids.lower().split(_MARK)]
        return [text or orcid_id for text, orcid_id in zip(in_texts, in_ids, strict=True)]

    def count(self, query: str) -> int:
        """How many of `found` are true, quicker where they are few."""
        needle = query.encode()
        if self.without_ids and _IN_ORCID_ID.issuperset(query) and needle in self.orcid_ids.lower():
            return sum(self.found(query))
        occurrences = self.texts.count(needle)
        if occurrences < 2:
            return occurrences
        return sum(self.found(query)) if occurrences > _DENSE else self._count_few(needle)

    def _count_few(self, needle: bytes) -> int:
        total, at = 0, self.texts.find(needle)
        while at >= 0:
            total += 1
            end = self.texts.find(_MARK, at)
            at = self.texts.find(needle, end) if end >= 0 else -1
        return total


class Blocks:
    """True as of the change `at`. `firsts` are the lower bounds of blocks of `size`, the first of which is open."""

    def __init__(self, at: int, firsts: Sequence[Key], total: int, size: int) -> None:
        self.at, self._most = at, size * _LOPSIDED
        self.firsts: list[Key] = [("", ""), *firsts[1:]]
        last = total - size * (len(self.firsts) - 1)
        self.counts = array("q", [size] * (len(self.firsts) - 1) + [last])
        self.texts: list[Texts | None] = [None] * len(self.firsts)
        self._hits: OrderedDict[str, array[int]] = OrderedDict()

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
        for move in moves:
            place = bisect_right(self.firsts, move.key) - 1
            self.counts[place] += move.delta
            self.texts[place] = None
            for query, hits in self._hits.items():
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
        return list(compress(texts.orcid_ids.decode().split(MARK), texts.found(query)))


def locate(counts: Sequence[int], offset: int) -> tuple[int, int] | None:
    """The block in which the row `offset` (from 0) stands, and how many of the block stand before it."""
    before = list(accumulate(counts, initial=0))
    if not 0 <= offset < before[-1]:
        return None
    place = bisect_right(before, offset) - 1
    return place, offset - before[place]


def count_hits(blocks: Sequence[Texts], query: str, bound: "array[int] | None" = None) -> "array[int]":
    """In how many texts of each block the query stands; a block whose `bound` is 0 is not looked at."""
    places = range(len(blocks))
    return array("q", [0 if bound is not None and not bound[place] else blocks[place].count(query) for place in places])
