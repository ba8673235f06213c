"""v2 without its parts: a database that is away, several processes."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from services.shared_walks import RedisWalks
from services.walks import MemoryWalks
from tests.databases import required_redis_url as required_redis_url
from tests.resilience.serving import alone
from tests.resilience.test_outages import away
from tests.runtime.plugin import Plugin
from tests.runtime.records import made, person, publication, work
from tests.runtime.surface import Surface
from tests.world import World

pytestmark = pytest.mark.resilience


async def test_503_and_recovery(engine: str, tmp_path: Path) -> None:
    """While the database is away each list is 503 with Retry-After, as a problem; a sync then goes on where it was."""
    async with alone(engine, tmp_path) as world:
        await world.people(*(person(n) for n in range(1, 6)))
        v2, key = Surface(world, "v2"), await world.ready_key()
        plugin = Plugin(v2, key, "people", 2)
        first = await plugin.page()
        with away(world.runtime.database):
            for path in ("/people", "/works?updated_since=0", "/projects", f"/people?cursor={first['next_cursor']}"):
                found = await v2.refused(503, "service_unavailable", path, key)
                assert found["detail"] == "The database is not available; try again shortly."
            assert (await v2.get("/people", key)).headers["retry-after"] == "5"
        second = await plugin.page(first["next_cursor"])
        assert len(first["people"] + second["people"]) == 4


@pytest.mark.redis
@pytest.mark.usefixtures("patient_redis")
async def test_a_walk_over_two_processes(
    required_redis_url: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A walk that one process admitted is let through by another, which shares nothing but Redis with it."""
    from app.shared_bus import connect

    redis = connect(required_redis_url)
    here, there = (RedisWalks(redis, MemoryWalks(world.runtime.clock, ceiling=10, seconds=60)) for _ in range(2))
    await world.people(*(person(n) for n in range(1, 6)))
    v2, key = Surface(world, "v2"), await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=1)
    monkeypatch.setattr(world.runtime.gate, "_walks", here)
    cursor = (await v2.ok("/people?limit=2", key))["next_cursor"]
    monkeypatch.setattr(world.runtime.gate, "_walks", there)
    cursor = (await v2.ok(f"/people?limit=2&cursor={cursor}", key))["next_cursor"]
    await v2.ok(f"/people?limit=2&cursor={cursor}", key)
    await redis.aclose()


class InStep(Plugin):
    """Goes on to its second page when all have their first: only the first may be refused for quota."""

    begun: asyncio.Barrier

    async def page(self, cursor: str | None = None, **query: Any) -> Any:
        found = await super().page(cursor, **query)
        if cursor is None:
            await self.begun.wait()
        return found


async def test_many_plugins_at_once(world: World) -> None:
    """Twenty walks of four lists beside each other all come to their end with the same rows."""
    for n in range(1, 10):
        await world.people(person(n), works=made([publication(n)], [work(n)]))
    v2, key = Surface(world, "v2"), await world.ready_key(rate_limit_per_minute=60, rate_limit_burst=25)
    plugins = [InStep(v2, key, name, 2) for name in ("people", "publications", "works", "projects") for _ in range(5)]
    InStep.begun = asyncio.Barrier(len(plugins))
    async with asyncio.timeout(60):
        await asyncio.gather(*(plugin.sync() for plugin in plugins))
    assert [len(plugin.rows) for plugin in plugins] == [9] * 15 + [0] * 5
