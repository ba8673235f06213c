"""Circuits and limits of methods in two processes on one database and one Redis: one circuit, one probe, one budget."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from aiohttp import web

from app.database import bind
from app.settings import load_settings
from models.integrations import IntegrationCircuit
from models.piccolo_app import TABLES
from tests.claims import free_port
from tests.databases import fresh_url, missing, redis_url
from tests.resilience.processes import ForkedServer
from tests.runtime.platform import Platform
from tests.runtime.upstreams import Upstream, connected, execute, json, method, upstream
from tests.world import World, running

pytestmark = [pytest.mark.resilience, pytest.mark.postgres, pytest.mark.redis]
CALLERS = 50
#: What one process tells has surely reached the other, on a busy machine too.
TELLING_SECONDS = 0.5
#: Less flows in than two processes refuse on a busy machine.
PER_MINUTE, BURST, SECONDS = 240, 240, 3.0


class Side:
    """One of the two processes, and who calls it."""

    def __init__(self, server: ForkedServer, world: World) -> None:
        self.server, self._world = server, world
        # The server ends a connection that nobody uses for five seconds: it is not to do so as it is used again.
        limits = httpx.Limits(max_connections=100, keepalive_expiry=1)
        self._client = httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits)
        self.broken: httpx.TransportError | None = None

    def caller(self) -> Platform:
        """Somebody with a limit of their own."""
        there = World(self._world.app, self._client)
        there.tenant = self._world.tenant
        return Platform(there, tier="premium")

    async def ask(self, path: str) -> int:
        """The status; 0 where the process was killed, and `broken` says how that was seen."""
        try:
            return (await self.caller().ask("POST", path, {})).status_code
        except httpx.TransportError as error:
            self.broken = error
            return 0

    async def close(self) -> None:
        await self._client.aclose()
        self.server.end()


class Two:
    """Two processes, and a tenant that this one acts on through the same database."""

    def __init__(self, world: World, sides: list[Side]) -> None:
        self.world, self.sides = world, sides

    async def row(self) -> dict[str, Any]:
        [row] = await IntegrationCircuit.of(self.world.tenant).select(*IntegrationCircuit.all_columns())
        return dict(row)

    async def until_open_is_over(self) -> None:
        await asyncio.sleep(max(0.0, (await self.row())["open_until"] / 1_000 - time.time()) + 0.02)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def processes(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Two]:
    folder, redis = tmp_path_factory.mktemp("circuits"), redis_url()
    if redis is None:
        missing("Redis")
    given = {
        "DOVETAIL_REDIS_URL": str(redis), "DOVETAIL_EGRESS_ALLOW": "127.0.0.0/8", "DOVETAIL_CIRCUIT_OPEN_SECONDS": "1",
    }  # fmt: skip
    with fresh_url("postgres", folder) as url:
        async with running(url, folder / "home", egress_allow=["127.0.0.0/8"]) as (app, client):
            world = await World(app, client).open()
            sides = []
            for _ in range(2):
                settings = load_settings({}, home=folder / "home", database_url=url, port=free_port())
                sides.append(Side(ForkedServer(settings, **given), world))
            try:
                await asyncio.gather(*(side.server.start() for side in sides))
                yield Two(world, sides)
            finally:
                for side in sides:
                    await side.close()


@pytest_asyncio.fixture(loop_scope="session")
async def two(processes: Two) -> Two:
    """Each test has a tenant of its own."""
    app, client = processes.world.app, processes.world.client
    bind(app.runtime.database, TABLES)
    processes.world.tenant = (await World(app, client).open()).tenant
    return processes


class Held:
    """Answers what it is told to, once it is let go."""

    def __init__(self) -> None:
        self.came, self.go, self.status = asyncio.Event(), asyncio.Event(), 200

    async def __call__(self, _: web.Request) -> web.Response:
        self.came.set()
        await self.go.wait()
        return web.json_response({}, status=self.status)


async def _time_to_tell(seconds: float = TELLING_SECONDS) -> None:
    """In small steps: while the machine stands still, nobody is told."""
    for _ in range(int(seconds * 100)):
        await asyncio.sleep(0.01)


async def _settled(two: Two, wanted: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while not wanted.items() <= (row := await two.row()).items():
        assert time.monotonic() < deadline, (wanted, row)
        await asyncio.sleep(0.02)
    return row


async def _one_arrives(far: Upstream, sides: list[Side], path: str) -> tuple[Held, dict[asyncio.Task[int], Side]]:
    """50 callers at once over these processes: 49 are refused while one waits for the other side. Who waits."""
    held = Held()
    far.answer(held)
    far.seen.clear()
    asked = {
        asyncio.ensure_future(sides[number % len(sides)].ask(path)): sides[number % len(sides)]
        for number in range(CALLERS)
    }
    async with asyncio.timeout(60):
        await held.came.wait()
        refused = asyncio.Semaphore(0)
        for one in asked:
            one.add_done_callback(lambda _: refused.release())
        for _ in range(CALLERS - 1):
            await refused.acquire()
    assert {one.result() for one in asked if one.done()} == {503}, [side.broken for side in sides]
    assert len(far.seen) == 1
    return held, {one: side for one, side in asked.items() if not one.done()}


async def _tripped(two: Two, far: Upstream, path: str) -> None:
    """Five failures, of which neither process sees more than three."""
    far.answer(json({}, 500))
    for number in range(5):
        assert await two.sides[number % 2].ask(path) == 502
        await asyncio.sleep(0.1)
    assert len(far.seen) == 5
    await _opened(two)
    assert [await side.ask(path) for side in two.sides] == [503, 503] and len(far.seen) == 5


async def _opened(two: Two) -> None:
    """The circuit is open, and there was time to tell."""
    async with asyncio.timeout(20):
        while not await IntegrationCircuit.of(two.world.tenant).count():  # noqa: ASYNC110 - a row tells nobody
            await asyncio.sleep(0.02)
    await _time_to_tell()


async def test_failures_of_all_processes_count_together(two: Two) -> None:
    """Five in a row, of which no process saw five."""
    async with upstream() as far:
        await _tripped(two, far, execute(await connected(Platform(two.world), far.base, method())))


async def test_the_share_of_failures_is_that_of_all_processes(two: Two) -> None:
    """Half of ten: one process made eight of the calls, and the other, which opens it, the rest."""
    async with upstream() as far:
        share = execute(await connected(Platform(two.world), far.base, method()))
        one, other = two.sides
        for number in range(10):
            far.answer(json({}, 200 if number % 2 else 500))
            assert await (one if number < 8 else other).ask(share) in (200, 502)
            await _time_to_tell(TELLING_SECONDS if number >= 7 else 0.05)
        assert len(far.seen) == 10
        far.answer(json({}, 500))
        # The tenth call was a success, which opens nothing; the next failure does, wherever it is.
        assert await other.ask(share) == 502
        await _opened(two)
        assert [await side.ask(share) for side in two.sides] == [503, 503]


async def test_an_opening_reaches_the_other_process(two: Two) -> None:
    """Half a second after it opened in one at most, the other refuses; a look at the row would take five."""
    async with upstream() as far:
        path = execute(await connected(Platform(two.world), far.base, method()))
        far.answer(json({}))
        one, other = two.sides
        assert await other.ask(path) == 200
        far.answer(json({}, 500))
        for _ in range(5):
            assert await one.ask(path) == 502
        began, far_seen = time.monotonic(), len(far.seen)
        asked = began
        while (status := await other.ask(path)) != 503:
            assert status == 502 and asked - began < 0.5
            asked = time.monotonic()
        assert len(far.seen) - far_seen <= 2


async def test_half_open_lets_one_call_through(two: Two) -> None:
    """Of 50 callers of two processes, round after round: the probe fails, is killed, and goes well twice."""
    async with upstream() as far:
        path = execute(await connected(Platform(two.world), far.base, method(timeoutMs=30_000)))
        await _tripped(two, far, path)
        await two.until_open_is_over()
        held, waiting = await _one_arrives(far, two.sides, path)
        held.status = 500
        held.go.set()
        assert await asyncio.gather(*waiting) == [502]
        row = await _settled(two, {"state": "open", "openings": 2})
        assert 1_800 <= row["open_until"] - row["opened_at"] <= 2_200
        assert [await side.ask(path) for side in two.sides] == [503, 503] and len(far.seen) == 1
        # `kill -9` of the process whose call is the probe.
        await two.until_open_is_over()
        held, waiting = await _one_arrives(far, two.sides, path)
        [dead] = waiting.values()
        [alive] = [side for side in two.sides if side is not dead]
        dead.server.kill()
        assert await asyncio.gather(*waiting) == [0]
        held.go.set()
        assert [await alive.ask(path) for _ in range(5)] == [503] * 5, "the place of the dead is held"
        # As if the time of its lease had passed.
        await (
            IntegrationCircuit.of(two.world.tenant)
            .update({"probe_until": 1})
            .where(IntegrationCircuit.id.is_not_null())
        )
        await asyncio.sleep(0.6)
        held, waiting = await _one_arrives(far, [alive], path)
        held.go.set()
        assert await asyncio.gather(*waiting) == [200]
        await _settled(two, {"state": "half_open", "successes": 1, "probe_owner": None})
        await dead.server.start()
        held, waiting = await _one_arrives(far, two.sides, path)
        held.go.set()
        assert await asyncio.gather(*waiting) == [200]
        await _settled(two, {"state": "closed", "openings": 0})
        far.answer(json({}))
        await _time_to_tell()
        assert set(await asyncio.gather(*(two.sides[number % 2].ask(path) for number in range(20)))) == {200}


async def test_both_processes_share_the_budget_of_a_method(two: Two) -> None:
    """16 callers who are refused most of the time use all of it, and not more: what is refused costs nothing."""
    limits = {"requestsPerMinute": PER_MINUTE, "burstLimit": BURST}
    async with upstream() as far:
        far.answer(json({}))
        path = execute(await connected(Platform(two.world), far.base, method(rateLimits=limits)))
        admitted: list[tuple[float, float]] = []
        refused, began = 0, time.monotonic()

        async def hammer(caller: Platform) -> None:
            nonlocal refused
            status = 200
            # The last that each hears is a refusal, so that nothing is left however long a machine stood still.
            while status == 200 or time.monotonic() - began < SECONDS or refused <= len(admitted) / 10:
                asked = time.monotonic()
                answer = await caller.ask("POST", path, {})
                status = answer.status_code
                if status == 200:
                    admitted.append((asked, time.monotonic()))
                else:
                    assert status == 429 and int(answer.headers["Retry-After"]) >= 1
                    refused += 1

        await asyncio.gather(*(hammer(two.sides[number % 2].caller()) for number in range(16)))
        asked, answered = zip(*admitted, strict=True)
        most = BURST + (max(answered) - min(asked)) * PER_MINUTE / 60
        least = BURST + (max(asked) - min(answered)) * PER_MINUTE / 60
        assert least * 0.99 - 1 <= len(admitted) <= most * 1.01 + 1
        assert len(far.seen) == len(admitted) and refused > len(admitted) / 10, refused
