"""Cursors: where a page ended, signed, so that one of another list, query or workspace is told apart.

The same page gives the same cursor, so that an answer that has not changed has the same entity tag.
"""

import hashlib
import hmac
from collections.abc import Iterable
from uuid import UUID

import msgspec

from app import base64url
from services.feeds import Position

_MAC_BYTES = 16
_LONGEST = 400


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """`page` is the number of the page that it leads to; `until` (ms) is what page one was read under."""

    workspace: bytes
    path: str
    query: bytes
    page: int
    until: int
    at: int
    row: bytes

    @property
    def after(self) -> Position:
        return self.at, UUID(bytes=self.row)


class NoCursor(ValueError):
    """The text is no cursor that this server made."""


def mark(*parts: str | bytes) -> bytes:
    """Eight bytes that stand for a workspace or a query inside a cursor."""
    joined = msgspec.msgpack.encode(parts)
    return hashlib.blake2b(joined, digest_size=8).digest()


def mark_of_query(pairs: Iterable[tuple[str, str]]) -> bytes:
    """What a walk is over: all parameters but the size of a page, which may differ from page to page."""
    kept = sorted(pair for pair in pairs if pair[0] not in ("limit", "cursor"))
    return mark(*(text for pair in kept for text in pair))


def write_cursor(key: bytes, cursor: Cursor) -> str:
    payload = msgspec.msgpack.encode(cursor)
    return base64url.encode(payload + _mac(key, payload))


def read_cursor(key: bytes, text: str) -> Cursor:
    """Raises NoCursor for anything that `write_cursor` did not make with this key."""
    if len(text) > _LONGEST:
        raise NoCursor
    try:
        raw = base64url.decode(text)
    except ValueError:
        raise NoCursor from None
    payload, given = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not hmac.compare_digest(given, _mac(key, payload)):
        raise NoCursor
    return msgspec.msgpack.decode(payload, type=Cursor)


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, payload, "sha256")[:_MAC_BYTES]
