"""Instants as text, quickly: a list shows many, and most of them on few days."""

from datetime import UTC, datetime
from functools import lru_cache

_DAY, _MINUTE = 86_400_000, 60_000
_MINUTES = [f"T{hour:02d}:{minute:02d}:" for hour in range(24) for minute in range(60)]
_SECONDS = [f"{second:02d}." for second in range(60)]


@lru_cache(maxsize=4_096)
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * 86_400, UTC).date().isoformat()


def instant(ms: int) -> str:
    """Milliseconds since the epoch as ISO 8601 UTC; the same text as `app.clock.iso`."""
    number, rest = divmod(ms, _DAY)
    minute, rest = divmod(rest, _MINUTE)
    second, milliseconds = divmod(rest, 1_000)
    return f"{_day(number)}{_MINUTES[minute]}{_SECONDS[second]}{milliseconds:03d}Z"
