"""The surfaces under test, and the server's clock."""

import pytest

from app.clock import SECOND, SettableClock
from services.access import gate
from tests.runtime.platform import Platform
from tests.runtime.surface import Surface
from tests.world import World


@pytest.fixture
def v1(world: World) -> Surface:
    return Surface(world)


@pytest.fixture
def v2(world: World) -> Surface:
    return Surface(world, "v2")


@pytest.fixture
def platform(world: World) -> Platform:
    return Platform(world)


@pytest.fixture
def clock(world: World, monkeypatch: pytest.MonkeyPatch) -> SettableClock:
    """The server's clock, at the full second; it stands still until a test lets it pass."""
    clock = SettableClock(world.runtime.clock.now_ms() // SECOND * SECOND)
    monkeypatch.setattr(world.runtime, "clock", clock)
    return clock


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page beyond the budget is served at once, for tests of what is served and not of when."""
    monkeypatch.setattr(gate, "LONGEST_WAIT_SECONDS", 0.0)
