"""The states of a circuit: how long it stays open, and what a probe makes of it."""

from collections.abc import Callable, Mapping
from typing import Any

from app.clock import SECOND

FIRST_OPEN = 30 * SECOND
LONGEST_OPEN = 300 * SECOND
SUCCESSES_TO_CLOSE = 2


def open_for(openings: int, fraction: float, first: int = FIRST_OPEN) -> int:
    """Milliseconds that the circuit stays open the n-th time in a row; `fraction` (0 to 1) is the jitter."""
    longest = min(first << min(openings - 1, 10), LONGEST_OPEN)
    return min(int(longest * (0.9 + 0.2 * fraction)), LONGEST_OPEN)


def after_probe(row: Mapping[str, Any], failed: bool | None, now: int, lasts: Callable[[int], int]) -> dict[str, Any]:
    """What a probe makes of a half-open row; `failed` None: it found nothing. `lasts` gives ms for the n-th opening."""
    settled = {name: row[name] for name in ("successes", "openings", "opened_at", "open_until")}
    settled["state"] = "half_open"
    if failed:
        openings = row["openings"] + 1
        until = now + lasts(openings)
        settled = {"state": "open", "successes": 0, "openings": openings, "opened_at": now, "open_until": until}
    elif failed is False:
        settled["successes"] += 1
        if settled["successes"] >= SUCCESSES_TO_CLOSE:
            settled |= {"state": "closed", "successes": 0, "openings": 0, "open_until": None}
    return settled
