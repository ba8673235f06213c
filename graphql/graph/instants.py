"""Instants as text, quickly: a list shows many, and most of them on few days."""

from datetime import UTC, datetime
from functools import lru_cache

_DAY = 86_400_000


@lru_cache(maxsize=4_096)
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * 86_400, UTC).date().isoformat()


def instant(ms: int) -> str:
    """Milliseconds since the epoch as ISO 8601 UTC; the same text as `app.clock.iso`."""
    number, rest = divmod(ms, _DAY)
    seconds, milliseconds = divmod(rest, 1_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{_day(number)}T{hour:02d}:{minute:02d}:{second:02d}.{milliseconds:03d}Z"
