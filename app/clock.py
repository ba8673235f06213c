"""Time, as every floor reads it: wall-clock instants in whole milliseconds since the Unix epoch, UTC."""

import time
from datetime import UTC, date, datetime, timedelta
from email.utils import formatdate
from typing import Protocol

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC, and quicker without saying so each time
_MILLISECOND = timedelta(milliseconds=1)


class Clock(Protocol):
    """Wall time for what is stored, monotonic seconds for what is waited for."""

    def now_ms(self) -> int: ...

    def monotonic(self) -> float: ...


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


class SettableClock:
    """A clock that stands still until it is moved; for tests, also backwards."""

    def __init__(self, now_ms: int = 1_762_050_000_000) -> None:
        self._now_ms = now_ms
        self._monotonic = 1_000.0

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, ms: int) -> None:
        self._now_ms += ms
        self._monotonic += ms / SECOND

    def jump(self, ms: int) -> None:
        """Move the wall clock only, as NTP or an operator would."""
        self._now_ms += ms


SYSTEM_CLOCK = SystemClock()


def iso(ms: int) -> str:
    """An instant as ISO 8601 UTC with milliseconds and `Z`. Raises OverflowError outside the years 1 to 9999."""
    # A float of more than 2 ** 33 seconds (before 1697, after 2242) is up to a microsecond less, and so a millisecond.
    return (_EPOCH + ms * _MILLISECOND).isoformat("T", "milliseconds") + "Z"


def utc_date(ms: int) -> date:
    """The calendar day of an instant, UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).date()


def http_date(ms: int) -> str:
    """An instant as an HTTP-date (RFC 9110 section 5.6.7)."""
    return formatdate(ms / 1000, usegmt=True)
