"""What is counted of the calls to one upstream host, and when that opens its circuit."""

from collections import deque
from typing import NamedTuple

import msgspec

WINDOW_SECONDS = 60
LEAST_CALLS = 10
IN_A_ROW = 5


class Counts(NamedTuple):
    """Calls that ended one after another: how many, how many of them failed, and how many failed at the end."""

    calls: int = 0
    failures: int = 0
    row: int = 0

    def then(self, more: "Counts") -> "Counts":
        row = more.row if more.calls > more.failures else self.row + more.row
        return Counts(self.calls + more.calls, self.failures + more.failures, row)


SUCCESS, FAILURE = Counts(1, 0, 0), Counts(1, 1, 1)


class Window:
    """Calls and failures of the last minute by the second, and failures in a row; times are monotonic seconds."""

    def __init__(self) -> None:
        self._seconds: deque[list[int]] = deque()
        self.in_a_row = 0

    def add(self, counts: Counts, at: float) -> bool:
        """Count calls; whether the circuit is to open now, which it never is after a success."""
        second = int(at)
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append([second, 0, 0])
        while self._seconds[0][0] <= second - WINDOW_SECONDS:
            self._seconds.popleft()
        self._seconds[-1][1] += counts.calls
        self._seconds[-1][2] += counts.failures
        self.in_a_row = Counts(row=self.in_a_row).then(counts).row
        if not counts.row:
            return False
        calls, failures = self.sums
        return self.in_a_row >= IN_A_ROW or (calls >= LEAST_CALLS and 2 * failures >= calls)

    @property
    def sums(self) -> tuple[int, int]:
        """Calls and failures."""
        return sum(each[1] for each in self._seconds), sum(each[2] for each in self._seconds)

    @property
    def stored(self) -> str:
        calls, failures = self.sums
        return msgspec.json.encode({"calls": calls, "failures": failures}).decode()
