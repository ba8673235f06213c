"""The time of the limiter in memory, which stands still until a test lets it pass."""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import ceil

import pytest
from throttled import utils

from services import limits


class LimiterTime:
    def __init__(self) -> None:
        # Buckets of other tests bear the machine's time; whole seconds add up without a rounding.
        self._now = float(ceil(time.monotonic()))

    def now(self) -> float:
        return self._now

    def elapse(self, seconds: float) -> None:
        self._now += seconds


@pytest.fixture
def limiter_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[LimiterTime]:
    """How long the requests of a test take on this machine refills no bucket."""
    stopped = LimiterTime()
    for module in (utils, limits):
        monkeypatch.setattr(module, "now_mono_f", stopped.now)
    yield stopped
