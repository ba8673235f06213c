"""Scalars of our own. Instants are kept as milliseconds and shown as ISO 8601."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NewType

import msgspec
import strawberry
from strawberry.types.scalar import ScalarDefinition

from app.clock import iso

DateTime = NewType("DateTime", int)
Date = NewType("Date", str)
BigInt = NewType("BigInt", int)
JSON = NewType("JSON", object)
LocalisedText = NewType("LocalisedText", dict[str, str])

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST, _MOST = -(2**63), 2**63 - 1


def _show_instant(value: Any) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("an instant is whole milliseconds since the epoch")
    return iso(value)


def _read_instant(value: Any) -> int:
    try:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError
        return (instant.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("must be an instant in ISO 8601 with a time zone, such as 2025-11-02T12:00:00.000Z") from None


def _show_date(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _read_date(value: Any) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise ValueError("must be a date as YYYY-MM-DD") from None


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not _LEAST <= value <= _MOST:
        raise ValueError("must be a whole number of at most 64 bits")
    return value


def _show_json(value: Any) -> Any:
    """Raw bytes and values that JSON knows, as they are."""
    return value


def _read_json(value: Any, depth: int = 0) -> Any:
    if depth > 10:
        raise ValueError("must nest at most 10 levels")
    if isinstance(value, dict):
        return {key: _read_json(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_read_json(inner, depth + 1) for inner in value]
    return _whole(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _read_localised(value: Any) -> dict[str, str]:
    try:
        return msgspec.convert(value, dict[str, str])
    except msgspec.ValidationError:
        raise ValueError('must map locales to texts, such as {"en": "Physics", "ro": "Fizică"}') from None


SCALARS: Mapping[object, ScalarDefinition] = {
    DateTime: strawberry.scalar(
        name="DateTime",
        description="An instant in ISO 8601, UTC with milliseconds: `2025-11-02T12:00:00.000Z`.",
        serialize=_show_instant,
        parse_value=_read_instant,
    ),
    Date: strawberry.scalar(
        name="Date", description="A calendar date, `YYYY-MM-DD`.", serialize=_show_date, parse_value=_read_date
    ),
    BigInt: strawberry.scalar(
        name="BigInt", description="A whole number of at most 64 bits.", serialize=_whole, parse_value=_whole
    ),
    JSON: strawberry.scalar(name="JSON", description="Any JSON value.", serialize=_show_json, parse_value=_read_json),
    LocalisedText: strawberry.scalar(
        name="LocalisedText",
        description='A text in several languages, by locale: `{"en": "Physics", "ro": "Fizică"}`.',
        serialize=_show_json,
        parse_value=_read_localised,
    ),
}
