"""The window of a circuit against a plain count, and how long it stays open."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.integrations.execution.circuits import FIRST_OPEN, LONGEST_OPEN, Window, open_for

CALLS = st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=120)


@given(CALLS)
def test_it_opens_when_the_law_says(calls: list[tuple[bool, int]]) -> None:
    """Five failures in a row, or half of ten and more calls in the last sixty seconds; never on a success."""
    window, at, made = Window(), 1_000, []
    for failed, pause in calls:
        at += pause
        made.append((at, failed))
        recent = [each for second, each in made if second > at - 60]
        row = [each for _, each in made[-5:]]
        expected = failed and ((len(row) == 5 and all(row)) or (len(recent) >= 10 and 2 * sum(recent) >= len(recent)))
        assert window.add(failed=failed, at=float(at)) is expected
        assert window.sums == (len(recent), sum(recent))


@given(st.integers(1, 1_000), st.floats(0, 1))
def test_how_long_it_stays_open(openings: int, fraction: float) -> None:
    """Thirty seconds, doubled each time, five minutes at most, within a tenth of it."""
    plain = min(FIRST_OPEN * 2 ** min(openings - 1, 20), LONGEST_OPEN)
    assert plain * 0.9 - 1 <= open_for(openings, fraction) <= min(plain * 1.1, LONGEST_OPEN)
