"""Kept pages across processes, outages and the clock."""

import asyncio
from pathlib import Path

import pytest

import app.asgi
from app.clock import DAY, SECOND
from app.database import Database, Statement, open_database
from models.people import Person
from services.changes import _TAKE
from services.runtime import Runtime
from tests.resilience.serving import timed
from tests.resilience.test_outages import away
from tests.runtime.records import person
from tests.runtime.surface import Surface
from tests.world import World

pytestmark = pytest.mark.resilience
_HIDE = Statement("UPDATE person SET listed = {listed} WHERE tenant = {tenant}")
_TALLY = Statement("UPDATE tally SET total = {total} WHERE tenant = {tenant} AND kind = 'people'")


async def change_elsewhere(world: World, total: int) -> None:
    """Another process lists the tenant's one person, or does not, by a change that this one does not hear of."""
    other: Database = open_database(world.runtime.database.url, 1)
    await other.start()

    async def change() -> None:
        await other.fetch(_TAKE, tenant=world.tenant, now=world.runtime.clock.now_ms())
        await other.execute(_HIDE, tenant=world.tenant, listed=bool(total))
        await other.execute(_TALLY, tenant=world.tenant, total=total)

    await other.in_transaction(change)
    await other.stop()


async def total(world: World, key: str) -> int:
    return int((await Surface(world).ok("/people", key))["total"])


async def test_another_process_is_seen_within_a_second(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second after it was asked the version is asked again, however the wall clock jumps."""
    async with timed(engine, tmp_path, monkeypatch) as (world, clock):
        await world.people(person(1))
        key = await world.ready_key()
        for jump in (0, -5 * DAY, 400 * DAY):
            clock.jump(jump)
            clock.advance(SECOND)
            assert await total(world, key) == 1
            await change_elsewhere(world, 0)
            clock.advance(SECOND)
            assert await total(world, key) == 0
            await change_elsewhere(world, 1)


async def test_a_row_changed_by_hand_is_seen_within_a_minute(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It moves no version; a page is kept for a minute at most."""
    async with timed(engine, tmp_path, monkeypatch) as (world, clock):
        await world.people(person(1))
        key = await world.ready_key()
        assert await total(world, key) == 1
        await Person.of(world.tenant).update({"sync_status": "failed"})
        clock.advance(60 * SECOND)
        found = await Surface(world).ok("/people", key)
        assert found["people"][0]["sync_status"] == "failed"


async def test_an_outage_is_bridged_for_a_second(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is good as long as its version is known; then it is 503, and never an older page."""

    async def nothing(_: Runtime) -> None:
        """A transaction of the server's own that ended in between would make the version unknown at once."""
        await asyncio.Event().wait()

    monkeypatch.setattr(app.asgi, "run_duties", nothing)
    async with timed(engine, tmp_path, monkeypatch) as (world, clock):
        await world.people(person(1))
        v1, key = Surface(world), await world.ready_key()
        await v1.ok("/people", key)
        await v1.ok("/people", key)
        with away(world.runtime.database):
            await v1.ok("/people", key)
            clock.advance(SECOND)
            await v1.refused(503, "service_unavailable", "/people", key)
        await v1.ok("/people", key)


async def test_nothing_is_kept_where_nothing_may_be(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with timed(engine, tmp_path, monkeypatch, page_cache_bytes=0) as (world, _):
        await world.people(person(1))
        key = await world.ready_key()
        assert await total(world, key) == 1
        await change_elsewhere(world, 0)
        assert await total(world, key) == 0
