"""Fields that a list can be filtered by: what their values are, and what they can be asked."""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from services.filters.patterns import Pattern, read_pattern

MOST_CHARACTERS = 500
_EQUAL = ("eq", "ne", "in")
ORDERED = ("gt", "gte", "lt", "lte")
#: RFC 3339 with milliseconds at most: instants are stored so, and a finer one would equal none.
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,3}0*)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_LEAST, _MOST = -(2**63), 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Kind(NamedTuple):
    """A kind of value: `read` makes one of what JSON holds, and raises ValueError with the rule.

    `sql_type` is PostgreSQL's name of it, by which a parameter is typed.
    """

    operators: tuple[str, ...]
    sql_type: str
    read: Callable[[Any], Any]


class Field(NamedTuple):
    """A field of a list's rows: an SQL expression of our own words, its kind, and whether it may be null."""

    sql: str
    kind: Kind
    nullable: bool = False


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    if len(value) > MOST_CHARACTERS:
        raise ValueError(f"must be at most {MOST_CHARACTERS} characters")
    if any(char == "\0" or unicodedata.category(char) == "Cs" for char in value):
        raise ValueError("must not hold U+0000 or half a surrogate pair")
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not _LEAST <= value <= _MOST:
        raise ValueError("must be an integer of at most 64 bits, written without point and exponent")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _instant(value: Any) -> int:
    rule = "must be an instant as RFC 3339 writes it, to the millisecond: 2026-11-21T09:30:00.000Z"
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError(rule)
    try:
        since = datetime.fromisoformat(value.upper()) - _EPOCH
    except (ValueError, OverflowError):
        raise ValueError(rule) from None
    return since // timedelta(milliseconds=1)


def _uuid(value: Any) -> UUID:
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise ValueError("must be a UUID")
    return UUID(value)


TEXT = Kind((*_EQUAL, *ORDERED, "like"), "TEXT", _text)
INTEGER = Kind((*_EQUAL, *ORDERED), "BIGINT", _integer)
INSTANT = Kind((*_EQUAL, *ORDERED), "BIGINT", _instant)
BOOLEAN = Kind(_EQUAL, "BOOLEAN", _boolean)
ID = Kind(_EQUAL, "UUID", _uuid)


def one_of(*words: str) -> Kind:
    """A closed set of words, which have no order."""

    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return str(value)

    return Kind(_EQUAL, "TEXT", read)


def read_like(value: Any) -> Pattern:
    """A pattern of `like`, part by part. Raises ValueError."""
    return read_pattern(_text(value))
