"""The search texts of a block of people, joined, and searched by what bytes do at once and not person by person.

What a query found is reduced to marks, one byte between people and one for each place where it stands, so that an
exact count of people costs little more than to go over the text once, however many they are.
"""

from collections.abc import Sequence
from typing import NamedTuple

#: Between texts, and in place of a query: control characters, which neither a name nor a query can hold.
MARK = "\x1e"
_MARK, _HIT = MARK.encode(), b"\x1f"
_REST = bytes(set(range(256)) - {*_MARK, *_HIT})
#: Where fewer hits stand in a block, to look between them is quicker than to reduce it to marks.
_FEW = 50
#: What an ORCID iD is made of, folded: only a query of these can be found in one.
_IN_ORCID_ID = frozenset("0123456789-x")
_ORCID_LETTERS = b"0123456789-X" + _MARK


class Needle(NamedTuple):
    """A folded query as it stands in texts, and as it stands in iDs where it can."""

    text: bytes
    orcid_id: bytes | None

    @classmethod
    def of(cls, query: str) -> "Needle":
        return cls(query.encode(), query.upper().encode() if _IN_ORCID_ID.issuperset(query) else None)


class Texts(NamedTuple):
    """A block's people in order: iDs, and the search texts, without the iD's own line where `without_ids`."""

    orcid_ids: bytes
    texts: bytes
    without_ids: bool

    @classmethod
    def of(cls, people: Sequence[tuple[str, str]]) -> "Texts":
        """From each one's iD and search text."""
        orcid_ids = MARK.join(orcid_id for orcid_id, _ in people).encode()
        tails = [f"\n{orcid_id.lower()}" for orcid_id, _ in people]
        plain = not orcid_ids.translate(None, _ORCID_LETTERS) and all(
            text.endswith(tail) or text == tail[1:] for (_, text), tail in zip(people, tails, strict=True)
        )
        texts = [text[: -len(tail)] if plain else text for (_, text), tail in zip(people, tails, strict=True)]
        return cls(orcid_ids, MARK.join(texts).encode(), plain)

    @property
    def size(self) -> int:
        return len(self.orcid_ids) + len(self.texts)

    def found(self, needle: Needle) -> bytes:
        """For each person a byte: 1 where the query stands in their search text, else 0."""
        if not self.orcid_ids:
            return b""
        in_texts = _flags(self.texts, needle.text)
        if not self._has_in_ids(needle):
            return in_texts
        assert needle.orcid_id is not None
        either = int.from_bytes(in_texts) | int.from_bytes(_flags(self.orcid_ids, needle.orcid_id))
        return either.to_bytes(len(in_texts))

    def count(self, needle: Needle) -> int:
        """How many of `found` are 1."""
        if not self._has_in_ids(needle):
            return _count(self.texts, needle.text)
        if needle.text in self.texts:
            return self.found(needle).count(1)
        assert needle.orcid_id is not None
        return _count(self.orcid_ids, needle.orcid_id)

    def _has_in_ids(self, needle: Needle) -> bool:
        return self.without_ids and needle.orcid_id is not None and needle.orcid_id in self.orcid_ids


def _marks(joined: bytes, needle: bytes) -> bytes:
    """The text without anything but the marks between people, and one for each place where the needle stands."""
    return joined.replace(needle, _HIT).translate(None, _REST)


def _flags(joined: bytes, needle: bytes) -> bytes:
    marks = _marks(joined, needle) + _MARK
    while _HIT * 2 in marks:
        marks = marks.replace(_HIT * 2, _HIT)
    return marks.replace(_HIT + _MARK, b"\1").replace(_MARK, b"\0")


def _count(joined: bytes, needle: bytes) -> int:
    hits = joined.count(needle)
    if hits < 2:
        return hits
    if hits < _FEW:
        return 1 + sum([_MARK in between for between in joined.split(needle)[1:-1]])
    marks = _marks(joined, needle)
    return marks.count(_MARK + _HIT) + marks.startswith(_HIT)
