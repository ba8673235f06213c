"""The window of a circuit against a plain count, and how long it stays open."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.integrations.execution.circuit_states import FIRST_OPEN, LONGEST_OPEN, open_for
from services.integrations.execution.windows import FAILURE, SUCCESS, Counts, Window

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
        assert window.add(FAILURE if failed else SUCCESS, float(at)) is expected
        assert window.sums == (len(recent), sum(recent))


@given(CALLS, st.lists(st.integers(1, 5), min_size=1))
def test_counts_that_were_gathered_count_the_same(calls: list[tuple[bool, int]], parts: list[int]) -> None:
    """However another process gathers its calls before it tells them."""
    one, other, start = Window(), Window(), 0
    for failed, _ in calls:
        one.add(FAILURE if failed else SUCCESS, 1.0)
    while start < len(calls):
        counts, size = Counts(), parts[start % len(parts)]
        for failed, _ in calls[start : start + size]:
            counts = counts.then(FAILURE if failed else SUCCESS)
        other.add(counts, 1.0)
        start += size
    if calls:
        assert (one.sums, one.in_a_row) == (other.sums, other.in_a_row)


@given(st.integers(1, 1_000), st.floats(0, 1))
def test_how_long_it_stays_open(openings: int, fraction: float) -> None:
    """Thirty seconds, doubled each time, five minutes at most, within a tenth of it."""
    plain = min(FIRST_OPEN * 2 ** min(openings - 1, 20), LONGEST_OPEN)
    assert plain * 0.9 - 1 <= open_for(openings, fraction) <= min(plain * 1.1, LONGEST_OPEN)
