"""`kill -9` of a real server while it writes: no half-written row, no double, no lost event, a chain that verifies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from pathlib import Path

import pytest

from app.settings import load_settings
from tests.claims import free_port
from tests.databases import fresh_url, required_redis_url  # noqa: F401 - a fixture
from tests.endings import gone, killed
from tests.resilience.processes import ForkedServer, Server
from tests.resilience.write_loads import Load

pytestmark = pytest.mark.resilience

#: 21 moments of SQLite, 21 of PostgreSQL and 8 of one worker of two; each part has a seed of its own.
_PARTS = [
    pytest.param("sqlite", 7, 11, id="sqlite-first"),
    pytest.param("sqlite", 8, 10, id="sqlite-second"),
    pytest.param("postgres", 9, 11, id="postgres-first", marks=pytest.mark.postgres),
    pytest.param("postgres", 10, 10, id="postgres-second", marks=pytest.mark.postgres),
]
_WORKER_SEED, _WORKER_KILLS = 11, 8


@pytest.mark.parametrize(("engine", "seed", "kills"), _PARTS)
async def test_a_server_killed_while_it_writes(engine: str, seed: int, kills: int, tmp_path: Path) -> None:
    """What was confirmed is there once, what was not is there whole or not at all; the server serves again."""
    moments = random.Random(seed)
    with fresh_url(engine, tmp_path) as url:
        settings = load_settings({}, home=tmp_path / "home", database_url=url, port=free_port(), log_level="error")
        server = ForkedServer(settings)
        load = await Load.prepared(server)
        try:
            for number in range(kills):
                await server.start()
                writing = load.begin(f"run {number}")
                await load.is_on()
                await asyncio.sleep(moments.uniform(0.01, 0.4))
                server.kill()
                await writing
            assert await load.check() >= kills
            assert await load.check_chain() > kills
        finally:
            server.end()


@pytest.mark.postgres
@pytest.mark.redis
async def test_a_worker_killed_while_it_writes(tmp_path: Path, required_redis_url: str) -> None:  # noqa: F811
    """One of two, again and again under one load: the other answers, a new one takes its place, nothing is lost."""
    moments = random.Random(_WORKER_SEED)
    with fresh_url("postgres", tmp_path) as url:
        settings = load_settings({}, home=tmp_path / "home", database_url=url, port=free_port(), log_level="error")
        server = Server(settings, workers=2, DOVETAIL_REDIS_URL=required_redis_url)
        load = await Load.prepared(server)
        await server.start()
        try:
            for number in range(_WORKER_KILLS):
                writing = load.begin(f"run {number}", lasting=True)
                await load.is_on()
                await asyncio.sleep(moments.uniform(0.01, 0.4))
                alive = await _two_workers(server)
                os.kill(moments.choice(alive), signal.SIGKILL)
                await asyncio.sleep(0.05)
                load.stopped = True
                await writing
            assert len(await _two_workers(server)) == 2
        finally:
            server.kill()
        assert await load.check() >= _WORKER_KILLS
        assert await load.check_chain() > _WORKER_KILLS


async def _two_workers(server: Server) -> list[int]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if len(alive := server.worker_ids()) == 2:
            return alive
        await asyncio.sleep(0.05)
    raise AssertionError("a killed worker was not replaced")


@pytest.mark.postgres
@pytest.mark.redis
async def test_a_parent_that_is_killed_takes_its_workers_along(tmp_path: Path, required_redis_url: str) -> None:  # noqa: F811
    """They end as when they are told to, write out what they hold, and leave the port to the next start."""
    with fresh_url("postgres", tmp_path) as url:
        settings = load_settings({}, home=tmp_path / "home", database_url=url, port=free_port(), log_level="error")
        server = Server(settings, workers=2, DOVETAIL_REDIS_URL=required_redis_url)
        load = await Load.prepared(server)
        await server.start()
        workers = await _two_workers(server)
        try:
            writing = load.begin("run 0")
            await load.is_on()
            await asyncio.sleep(0.2)
            assert server.process is not None
            killed(server.process)
            await asyncio.to_thread(gone, workers)
            await writing
            await server.start()
            assert not set(await _two_workers(server)) & set(workers)
        finally:
            for pid in workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            server.kill()
        assert await load.check() >= 1
        assert await load.check_chain() > 1
