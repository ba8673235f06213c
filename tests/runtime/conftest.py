"""The surface under test."""

import pytest

from tests.runtime.surface import Surface
from tests.world import World


@pytest.fixture
def v1(world: World) -> Surface:
    return Surface(world)


@pytest.fixture
def v2(world: World) -> Surface:
    return Surface(world, "v2")
