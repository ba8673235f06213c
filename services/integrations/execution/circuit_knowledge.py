"""What a process knows of a circuit without asking the database, and whether that lets a call through."""

import asyncio
from collections.abc import Mapping
from typing import Any

from app.clock import MINUTE, SECOND, Clock
from app.errors import CircuitOpen
from services.integrations.execution.circuit_rows import Upstream
from services.integrations.execution.circuit_states import LONGEST_OPEN
from services.integrations.execution.windows import Window

#: How old what is known of a closed circuit may be, and of one that another process tries; seconds.
_LOOK, _LOOK_AT_PROBE = 5.0, 0.5
#: How far the clocks of two machines may be apart.
_SKEW = MINUTE
_NEVER = -1.0e12
BEING_TRIED = "The integration is being tried by one call; try again shortly."


class Known:
    """What this process knows of one circuit; `row` is None where it never opened.

    `upstream` is None until this process itself has called there.
    """

    __slots__ = ("looked", "looking", "probing", "row", "upstream", "window")

    def __init__(self) -> None:
        self.window, self.looked, self.probing = Window(), _NEVER, False
        self.looking = asyncio.Lock()
        self.row: Mapping[str, Any] | None = None
        self.upstream: Upstream | None = None

    @property
    def closed(self) -> bool:
        return self.row is None or self.row["state"] == "closed"

    def is_fresh(self, at: float) -> bool:
        """Whether a closed circuit need not be looked at; `at` is monotonic seconds."""
        return self.closed and at - self.looked < _LOOK

    def learn(self, row: Mapping[str, Any] | None, at: float) -> None:
        """Take a row, where it is no older than the one that is known."""
        if row is not None and self.row is not None and row["version"] < self.row["version"]:
            return
        was_closed, self.row, self.looked = self.closed, row, at
        if self.closed is not was_closed:
            self.window = Window()

    def doubt(self) -> None:
        """Look at the row before the next call: something was missed."""
        self.looked = _NEVER

    def refuse_open(self, clock: Clock) -> None:
        """Raise CircuitOpen where the time is not over, or where somebody probes already."""
        row, now = self.row, clock.now_ms()
        if row is None or row["state"] == "closed":
            return
        # A clock that was put back must not keep a circuit open for hours.
        if row["state"] == "open" and row["opened_at"] - _SKEW <= now < row["open_until"]:
            raise CircuitOpen(-(-(row["open_until"] - now) // SECOND))
        elsewhere = row["probe_owner"] is not None and now < row["probe_until"] <= now + LONGEST_OPEN + _SKEW
        if self.probing or (elsewhere and clock.monotonic() - self.looked < _LOOK_AT_PROBE):
            raise CircuitOpen(1, BEING_TRIED)
