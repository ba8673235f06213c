"""Partial dates: ORCID's year, month and day, of which the later ones may be missing or `00`."""

from datetime import date
from typing import Any

from services.people.records.members import child, integer


def publication_date(value: Any) -> tuple[str | None, int | None]:
    """`YYYY-MM-DD`, only when the three make a real day, and the year, when there is one."""
    year, month, day = (integer(child(value, part)) for part in ("year", "month", "day"))
    if year is None or not 1 <= year <= 9_999:
        return None, None
    try:
        return date(year, month or 0, day or 0).isoformat(), year
    except (ValueError, OverflowError):
        return None, year
