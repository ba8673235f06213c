"""Redis hangs, restarts under load, or is full: requests are held half a second at most, and limits fall back."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from redis import Redis

from tests.claims import free_port
from tests.databases import missing, required_redis_url  # noqa: F401 - a fixture
from tests.endings import SECONDS, killed
from tests.resilience.proxies import FreezableProxy, proxied
from tests.resilience.serving import alone
from tests.runtime.records import person
from tests.runtime.surface import Surface
from tests.world import World

pytestmark = [pytest.mark.resilience, pytest.mark.redis]

#: The wait for an answer, once for the limiter and once for the walk of a list, and some time for a busy machine.
HELD_SECONDS = 6


@pytest.fixture
async def frozen(tmp_path: Path, required_redis_url: str) -> AsyncIterator[tuple[World, FreezableProxy]]:  # noqa: F811
    server = urlsplit(required_redis_url)
    async with proxied(server.hostname or "127.0.0.1", server.port or 6379) as proxy:
        url = f"redis://127.0.0.1:{proxy.port}{server.path}"
        async with alone("sqlite", tmp_path, redis_url=url) as world:
            yield world, proxy


async def test_a_redis_that_does_not_answer(frozen: tuple[World, FreezableProxy]) -> None:
    """Nobody is held longer than the bound, the limit holds in this process, and Redis is used again afterwards."""
    world, proxy = frozen
    v1, key = Surface(world), await world.ready_key(rate_limit_per_minute=60, rate_limit_burst=30)
    await v1.ok("/people", key)
    proxy.freeze()
    async with asyncio.timeout(HELD_SECONDS):
        answers = await asyncio.gather(*(v1.get("/people", key) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    started = time.monotonic()
    answers = [await v1.get("/people", key) for _ in range(20)]
    assert time.monotonic() - started < HELD_SECONDS, "only one caller a second finds out anew"
    assert {answer.status_code for answer in answers} == {200, 429}, "this process limits for itself"
    assert (await world.client.get("/health/ready")).status_code == 200
    made = await world.graphql(
        'mutation { createProject(input: {title: "P"}) { errors { code } } }', world.token("admin")
    )
    assert made.json()["data"] == {"createProject": {"errors": []}}
    proxy.thaw()
    # The bucket in Redis was hardly used.
    await _answered(v1, key)


async def test_what_is_held_when_redis_hangs(frozen: tuple[World, FreezableProxy]) -> None:
    """Units that were taken ahead are spent or not; nobody is refused for them, and none is there twice afterwards."""
    world, proxy = frozen
    v1, key = Surface(world), await world.ready_key(rate_limit_per_minute=600, rate_limit_burst=2_000)
    started = time.monotonic()
    for _ in range(30):
        await v1.ok("/people", key)
    proxy.freeze()
    async with asyncio.timeout(HELD_SECONDS):
        answers = await asyncio.gather(*(v1.get("/people", key) for _ in range(30)))
    assert {answer.status_code for answer in answers} == {200}
    proxy.thaw()
    async with asyncio.timeout(60):
        last = await v1.get("/people", key)
        while world.runtime.limiter._absence.away:
            await asyncio.sleep(0.1)
            last = await v1.get("/people", key)
    flowed_in = (time.monotonic() - started) * 10
    assert int(last.headers["x-ratelimit-remaining"]) <= 2_000 - 31 + flowed_in + 1


async def test_a_walk_goes_on_while_redis_hangs(frozen: tuple[World, FreezableProxy]) -> None:
    """A list that is begun while Redis does not answer is read to its end, beyond the limit."""
    world, proxy = frozen
    await world.people(*(person(n) for n in range(1, 13)))
    v1, key = Surface(world), await world.ready_key(["people.read"], rate_limit_per_minute=1, rate_limit_burst=1)
    proxy.freeze()
    for page in range(1, 5):
        async with asyncio.timeout(HELD_SECONDS):
            assert len((await v1.ok(f"/people?per_page=3&page={page}", key))["people"]) == 3


@contextlib.contextmanager
def _own_redis(port: int, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server")
    command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd="/")
    try:
        deadline = time.monotonic() + SECONDS
        with Redis(port=port, socket_timeout=SECONDS) as client:
            while not _answers(client):
                assert process.poll() is None and time.monotonic() < deadline, f"no Redis answers on {port}"
                time.sleep(0.02)
        yield process
    finally:
        killed(process)


def _answers(client: Redis) -> bool:
    with contextlib.suppress(OSError):
        return bool(client.ping())
    return False


async def test_a_redis_that_is_restarted_under_load(tmp_path: Path) -> None:
    """Killed and started again, without a word: every request is answered with 200, before, while and after."""
    port, statuses, done = free_port(), set[int](), asyncio.Event()
    async with alone("sqlite", tmp_path, redis_url=f"redis://127.0.0.1:{port}/0") as world:
        v1 = Surface(world)
        key = await world.ready_key(rate_limit_per_minute=100_000, rate_limit_burst=100_000)

        async def ask() -> None:
            while not done.is_set():
                statuses.add((await v1.get("/people", key)).status_code)
                await asyncio.sleep(0.002)

        asking = [asyncio.create_task(ask()) for _ in range(4)]
        for _ in range(2):
            with _own_redis(port):
                await _bucket_in(port)
            await asyncio.sleep(0.2)
        with _own_redis(port):
            await _bucket_in(port)
        done.set()
        await asyncio.gather(*asking)
    assert statuses == {200}


async def _bucket_in(port: int) -> None:
    """The limits are in Redis again."""
    with Redis(port=port) as client:
        async with asyncio.timeout(20):
            while not client.keys("*"):  # noqa: ASYNC110 - the other is a server
                await asyncio.sleep(0.05)


async def _answered(v1: Surface, key: str) -> None:
    """By Redis, which has more left than flows into the spent bucket of this process between two requests."""
    async with asyncio.timeout(20):
        while int((await v1.get("/people", key)).headers["x-ratelimit-remaining"]) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_a_redis_that_is_full(tmp_path: Path) -> None:
    """`maxmemory` reached and nothing evicted: writes to it fail, so each process limits for itself."""
    port = free_port()
    with _own_redis(port, "--maxmemory", "2mb", "--maxmemory-policy", "noeviction"):
        async with alone("sqlite", tmp_path, redis_url=f"redis://127.0.0.1:{port}/0") as world:
            v1, key = Surface(world), await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=5)
            with Redis(port=port) as client, contextlib.suppress(Exception):
                for number in range(10_000):
                    client.set(f"ballast {number}", "x" * 1_000)
            answers: list[httpx.Response] = [await v1.get("/people", key) for _ in range(8)]
            assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
            with Redis(port=port) as client:
                client.flushall()
            await _answered(v1, key)
            await _bucket_in(port)
