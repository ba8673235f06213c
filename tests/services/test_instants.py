"""Instants as text, held to whole numbers alone: each millisecond of the years 1 to 9999 has its own."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.clock import DAY, HOUR, MINUTE, SECOND, iso, utc_date
from graph.instants import instant

FIRST, LAST = -62_135_596_800_000, 253_402_300_799_999


def written(ms: int) -> str:
    """The text by whole numbers: days to the calendar (the proleptic Gregorian one), the rest to the clock."""
    days, rest = divmod(ms, DAY)
    # Years that begin in March have their leap day last; an era is 400 of them, counted from 1 March of year 0.
    era, day = divmod(days + 719_468, 146_097)
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    year, month = era * 400 + year + (month >= 10), month + 3 if month < 10 else month - 9
    time = f"{rest // HOUR:02}:{rest // MINUTE % 60:02}:{rest // SECOND % 60:02}.{rest % SECOND:03}"
    return f"{year:04}-{month:02}-{day + 1:02}T{time}Z"


@given(ms=st.integers(FIRST, LAST))
@example(ms=FIRST)
@example(ms=LAST)
@example(ms=8_600_000_000_001)
@example(ms=951_782_400_000)
@example(ms=-1)
def test_an_instant_is_written_to_the_millisecond(ms: int) -> None:
    """Also by the quicker one of lists. As a float of seconds, every other one after the year 4000 was 1 ms less."""
    assert iso(ms) == instant(ms) == written(ms)
    assert utc_date(ms).isoformat() == written(ms)[:10]


@pytest.mark.parametrize("ms", [FIRST - 1, LAST + 1, 2**63])
def test_what_no_calendar_has(ms: int) -> None:
    with pytest.raises(OverflowError):
        iso(ms)
