"""PostgreSQL takes connections and does not answer, or a lock is held: 503 within a bound, and at once well again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest

from app import asgi
from app.database import migration_locks, open_database, postgres_engine, postgres_pool
from app.errors import Unavailable
from services import data_versions
from tests.databases import fresh_url
from tests.endings import standing_still
from tests.resilience.proxies import FreezableProxy, proxied
from tests.runtime.surface import Surface
from tests.world import World, running

pytestmark = [pytest.mark.resilience, pytest.mark.postgres]

#: A request waits for a connection, and then for its statement; a busy machine has some time on top.
BOUND_SECONDS = 2 + 2 + 6
STATUS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dovetail'"
WAITING = (
    "SELECT count(*) FROM pg_locks WHERE NOT granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
CREATE = 'mutation { createProject(input: {title: "P"}) { errors { code } } }'


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds of the server, made shorter so that the suite does not wait for them."""
    monkeypatch.setattr(postgres_engine, "COMMAND_SECONDS", 2.0)
    monkeypatch.setattr(postgres_pool, "ACQUIRE_SECONDS", 2.0)
    monkeypatch.setattr(postgres_pool, "REPAIR_SECONDS", 1.0)
    # A page that is kept would be answered for a second without the database: here its version is always asked.
    monkeypatch.setattr(data_versions, "KNOWN_SECONDS", 0.0)


class Hanging:
    """An application behind a proxy to its database, with a connection beside it that is not proxied."""

    def __init__(self, world: World, proxy: FreezableProxy, beside: Any) -> None:
        self.world, self.proxy, self.beside, self.v1 = world, proxy, beside, Surface(world)

    async def connections(self) -> int:
        return int(await self.beside.fetchval(STATUS))

    async def get(self, key: str, number: int) -> list[httpx.Response]:
        """So many at once; none takes longer than the bound."""
        async with asyncio.timeout(BOUND_SECONDS):
            return list(await asyncio.gather(*(self.v1.get("/people", key) for _ in range(number))))


@pytest.fixture
async def hanging(tmp_path: Path) -> AsyncIterator[Hanging]:
    with fresh_url("postgres", tmp_path) as url:
        parts = urlsplit(url)
        async with proxied(parts.hostname or "127.0.0.1", parts.port or 5432) as proxy:
            netloc = parts.netloc.rpartition("@")[0] + f"@127.0.0.1:{proxy.port}"
            async with running(urlunsplit(parts._replace(netloc=netloc)), tmp_path / "home") as served:
                beside = await asyncpg.connect(url)
                try:
                    yield Hanging(await World(*served).open(), proxy, beside)
                finally:
                    proxy.thaw()
                    await beside.close()


async def _key(world: World) -> str:
    return await world.ready_key(rate_limit_per_minute=100_000, rate_limit_burst=100_000)


async def test_a_database_that_does_not_answer(hanging: Hanging) -> None:
    """Frozen between two packets: 503 for all, `/health/ready` says so in two seconds, and no connection is lost."""
    key = await _key(hanging.world)
    await hanging.get(key, 8)
    hanging.proxy.freeze()
    answers = await hanging.get(key, 12)
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.json()["code"] for answer in answers} == {"service_unavailable"}
    started = time.monotonic()
    ready = await hanging.world.client.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "away")
    assert time.monotonic() - started < 3.5
    assert (await hanging.world.client.get("/health/live")).status_code == 200
    hanging.proxy.thaw()
    async with asyncio.timeout(BOUND_SECONDS):
        while (await hanging.v1.get("/people", key)).status_code != 200:  # noqa: ASYNC110 - the other is a server
            await asyncio.sleep(0.05)
    assert {answer.status_code for answer in await hanging.get(key, 20)} == {200}
    assert (await hanging.world.client.get("/health/ready")).status_code == 200
    assert await hanging.connections() <= hanging.world.runtime.database.pool_size + 1, "the sealer has one of its own"


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_a_list_waits_once(version: str, hanging: Hanging) -> None:
    """The statement for the data's version and the one for the rows share a bound, for a query known or new."""
    surface, key = Surface(hanging.world, version), await _key(hanging.world)
    await surface.ok("/people?q=known", key)
    hanging.proxy.freeze()
    for query in ("known", "new"):
        started = time.monotonic()
        assert (await surface.get(f"/people?q={query}", key)).status_code == 503
        assert time.monotonic() - started < 2 * postgres_engine.COMMAND_SECONDS - 0.5
        hanging.world.runtime.keys._warm.update(
            {mark: (time.monotonic() + 60, opened) for mark, (_, opened) in hanging.world.runtime.keys._warm.items()}
        )


async def test_a_lock_that_another_session_holds(hanging: Hanging) -> None:
    """A write that cannot have its table ends in 503, and its statement is cancelled in the database; reads go on."""
    key, token = await _key(hanging.world), hanging.world.token("admin")
    lock = hanging.beside.transaction()
    await lock.start()
    await hanging.beside.execute("LOCK TABLE project IN SHARE ROW EXCLUSIVE MODE")
    async with asyncio.timeout(BOUND_SECONDS):
        refused = [await asyncio.gather(*(hanging.world.graphql(CREATE, token) for _ in range(6)))]
    for answer in refused[0]:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
    assert {answer.status_code for answer in await hanging.get(key, 8)} == {200}
    assert await hanging.beside.fetchval(WAITING) == 0, "nothing goes on waiting in the database"
    await lock.rollback()
    made = await hanging.world.graphql(CREATE, token)
    assert made.json()["data"] == {"createProject": {"errors": []}}
    count = await hanging.beside.fetchval("SELECT count(*) FROM project WHERE tenant = $1", hanging.world.tenant)
    assert count == 1, "what was refused was not written"


async def test_a_caller_that_gives_up_frees_its_connection(hanging: Hanging) -> None:
    """All connections wait for a lock; their callers go away, and the next request is answered at once."""
    key, token = await _key(hanging.world), hanging.world.token("admin")
    lock = hanging.beside.transaction()
    await lock.start()
    await hanging.beside.execute("LOCK TABLE project IN SHARE ROW EXCLUSIVE MODE")
    waiting = [asyncio.create_task(hanging.world.graphql(CREATE, token)) for _ in range(4)]
    await asyncio.sleep(0.3)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    async with asyncio.timeout(1.5):
        assert (await hanging.v1.get("/people", key)).status_code == 200
    await lock.rollback()


async def test_who_waits_to_migrate_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another has the lock, and then nothing answers any more: also the connection that waited is given up."""
    monkeypatch.setattr(migration_locks, "WAIT_SECONDS", 0.5)
    monkeypatch.setattr(migration_locks, "ACQUIRE_SECONDS", 0.5)
    with fresh_url("postgres", tmp_path) as url:
        parts = urlsplit(url)
        async with proxied(parts.hostname or "127.0.0.1", parts.port or 5432) as proxy:
            netloc = parts.netloc.rpartition("@")[0] + f"@127.0.0.1:{proxy.port}"
            waiting = open_database(urlunsplit(parts._replace(netloc=netloc)))
            async with migration_locks.migration_lock(open_database(url)):
                with pytest.raises(Unavailable, match="migrating"):
                    async with asyncio.timeout(20), _frozen_soon(proxy), migration_locks.migration_lock(waiting):
                        pytest.fail("not reached")


@contextlib.asynccontextmanager
async def _frozen_soon(proxy: FreezableProxy) -> AsyncIterator[None]:
    timer = asyncio.get_running_loop().call_later(0.25, proxy.freeze)
    try:
        yield
    finally:
        timer.cancel()


async def test_a_backend_that_is_stopped(hanging: Hanging) -> None:
    """SIGSTOP to the backends of the pool: 503 within the bound; the pool replaces them and is whole again."""
    key = await _key(hanging.world)
    await hanging.get(key, 8)
    pids = [row["pid"] for row in await hanging.beside.fetch(STATUS.replace("count(*)", "pid"))]
    _may_be_stopped(pids)
    with standing_still(pids):
        assert {answer.status_code for answer in await hanging.get(key, 6)} <= {200, 503}
        async with asyncio.timeout(BOUND_SECONDS):
            while (await hanging.v1.get("/people", key)).status_code != 200:  # noqa: ASYNC110 - the other is a server
                await asyncio.sleep(0.05)
        assert {answer.status_code for answer in await hanging.get(key, 12)} == {200}, "others took their places"


def _may_be_stopped(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, 0)
        except (PermissionError, ProcessLookupError) as error:
            pytest.skip(f"the backends of this PostgreSQL cannot be stopped from here: {error}")


async def test_a_server_that_stops_does_not_wait_for_it(hanging: Hanging, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uses, an execution and seals wait to be written, each for its own time; the stop has one for all of them."""
    world, key = hanging.world, await _key(hanging.world)
    monkeypatch.setattr(asgi, "LAST_SECONDS", 1.0)
    await hanging.get(key, 4)
    world.runtime.executions.used(world.tenant, 1)
    hanging.proxy.freeze()
    started = time.monotonic()
    await world.app.stop()
    assert time.monotonic() - started < 2.0
    monkeypatch.setattr(world.app, "stop", _stopped)


async def test_what_a_slow_database_takes_is_written(hanging: Hanging, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers again before the time is over: nothing of what waited is left out."""
    world, key = hanging.world, await _key(hanging.world)
    await hanging.get(key, 4)
    hanging.proxy.freeze()
    stopping = asyncio.ensure_future(world.app.stop())
    await asyncio.sleep(1)
    hanging.proxy.thaw()
    await stopping
    monkeypatch.setattr(world.app, "stop", _stopped)
    used = "SELECT sum(count) FROM usage_count WHERE tenant = $1"
    assert await hanging.beside.fetchval(used, world.tenant) == 4


async def _stopped() -> None:
    """In the place of a second stop."""
