"""A provider for each test, and who uses it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.oauth2.rotating import Rotating, rotating
from tests.runtime.platform import Platform
from tests.world import World


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[Rotating]:
    async with rotating() as started:
        yield started


@pytest.fixture
def platform(world: World) -> Platform:
    return Platform(world)
