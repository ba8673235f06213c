"""Keys that were not seen before: those in flight together share no token, and good ones take none."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.errors import Unavailable
from services.access import strangers
from tests.databases import missing, redis_url
from tests.resilience.serving import alone
from tests.runtime import keys
from tests.runtime.surface import Surface
from tests.world import World

pytestmark = pytest.mark.resilience
BURST = 5


@pytest_asyncio.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
async def small(
    request: pytest.FixtureRequest, engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patient_redis: None
) -> AsyncIterator[World]:
    """An application that lets five unknown keys of an address through, and refills by one a minute."""
    url = redis_url() if request.param == "redis" else None
    if request.param == "redis" and url is None:
        missing("Redis")
    for name, value in {"PER_MINUTE": 1, "BURST": BURST, "AT_ONCE": 4}.items():
        monkeypatch.setattr(strangers, name, value)
    async with alone(engine, tmp_path, **({"redis_url": url} if url else {})) as world:
        # The bucket of the address may be another test's, on the Redis that tests share.
        for store in filter(None, [world.runtime.redis]):
            for name in await store.keys("*unknown:*"):
                await store.delete(name)
        yield world


async def statuses(world: World, wanted: list[str]) -> list[int]:
    v1 = Surface(world)
    answers = await asyncio.gather(*(v1.get("/people", key) for key in wanted))
    return [answer.status_code for answer in answers]


async def test_unknown_keys_in_flight_together(small: World) -> None:
    """Of fifty at once as many are looked up as the address has left, and not one more."""
    with small.runtime.database.count_statements() as log:
        seen = await statuses(small, [keys.unknown_kid() for _ in range(50)])
    assert (seen.count(401), seen.count(429)) == (BURST, 50 - BURST)
    assert sum("FROM credential" in text for text in log.texts) == BURST


async def test_good_keys_pay_nothing(small: World) -> None:
    """Many sites of one host that begin in the same moment are all served, and leave the budget as it was."""
    issued = [await small.ready_key() for _ in range(12)]
    assert await statuses(small, issued) == [200] * 12
    assert (await statuses(small, [keys.unknown_kid() for _ in range(10)])).count(401) == BURST
    # What is known goes on although the address has nothing left.
    assert await statuses(small, issued) == [200] * 12


async def test_a_database_that_is_away_costs_the_address_nothing(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that could not be looked up was not found to be unknown."""

    async def away(_: str) -> None:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr(small.runtime.keys, "open", away)
        assert await statuses(small, [keys.unknown_kid() for _ in range(10)]) == [503] * 10
    assert (await statuses(small, [keys.unknown_kid() for _ in range(10)])).count(401) == BURST
    assert not small.runtime.gate._strangers._lines
