"""Whether something that others provide is away, so that one caller finds out at a time and the rest do not wait."""

import time

#: How long nobody asks after there was no answer.
PAUSE_SECONDS = 1.0


class Absence:
    """After `lost` nobody asks for a pause; then one caller does, and `found` lets all others ask again."""

    def __init__(self, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._pause = pause_seconds
        self._ask_again_at = 0.0
        self.away = False

    def may_ask(self) -> bool:
        if not self.away:
            return True
        now = time.monotonic()
        if now < self._ask_again_at:
            return False
        self._ask_again_at = now + self._pause
        return True

    def lost(self) -> bool:
        """Whether this is news."""
        news, self.away = not self.away, True
        self._ask_again_at = time.monotonic() + self._pause
        return news

    def found(self) -> None:
        self.away = False
