"""A clock that runs as the machine's does and can be moved: other people's tokens bear the machine's time."""

from app.clock import SECOND, SYSTEM_CLOCK


class ShiftedClock:
    def __init__(self) -> None:
        self._seconds = 0.0

    def now_ms(self) -> int:
        return SYSTEM_CLOCK.now_ms() + int(self._seconds * SECOND)

    def monotonic(self) -> float:
        return SYSTEM_CLOCK.monotonic() + self._seconds

    def advance(self, seconds: float) -> None:
        self._seconds += seconds
