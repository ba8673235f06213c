"""The database goes away while another service does what it was asked: the caller learns what that said."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from aiohttp import web

from app.database import postgres_engine, postgres_pool, sqlite_engine
from app.errors import Unavailable
from models.audit import AuditEvent
from services.integrations.execution import ledger
from tests.databases import fresh_url
from tests.resilience.proxies import proxied
from tests.runtime.platform import Platform
from tests.runtime.upstreams import connected, execute, method, upstream
from tests.world import World, running

pytestmark = pytest.mark.resilience
SENDS = method("send", request={"method": "POST", "path": "/messages", "body": {}}, sideEffect="send")
ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


class Leaving:
    """Takes the database away before it answers."""

    def __init__(self, leave: Callable[[], None], status: int) -> None:
        self._leave, self._status, self.asked = leave, status, 0

    async def __call__(self, _: web.Request) -> web.Response:
        self.asked += 1
        self._leave()
        return web.json_response({"done": True}, status=self._status)


class Far:
    """A server, and how its database goes and comes back."""

    def __init__(self, world: World, leave: Callable[[], None], come: Callable[[], None]) -> None:
        self.world, self.leave, self.come = world, leave, come


@asynccontextmanager
async def _postgres(home: Path, tmp_path: Path) -> AsyncIterator[Far]:
    with fresh_url("postgres", tmp_path) as url:
        parts = urlsplit(url)
        async with proxied(parts.hostname or "127.0.0.1", parts.port or 5432) as proxy:
            netloc = parts.netloc.rpartition("@")[0] + f"@127.0.0.1:{proxy.port}"
            through = urlunsplit(parts._replace(netloc=netloc))
            async with running(through, home, egress_allow=["127.0.0.0/8"]) as served:
                try:
                    yield Far(await World(*served).open(), proxy.freeze, proxy.thaw)
                finally:
                    proxy.thaw()


@asynccontextmanager
async def _sqlite(home: Path, tmp_path: Path) -> AsyncIterator[Far]:
    with fresh_url("sqlite", tmp_path) as url:
        async with running(url, home, egress_allow=["127.0.0.0/8"]) as served:
            world = await World(*served).open()
            beside = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
            try:
                yield Far(world, lambda: _hold(beside), lambda: _let_go(beside))
            finally:
                _let_go(beside)
                beside.close()


def _hold(beside: sqlite3.Connection) -> None:
    if not beside.in_transaction:
        beside.execute("BEGIN IMMEDIATE")


def _let_go(beside: sqlite3.Connection) -> None:
    if beside.in_transaction:
        beside.execute("ROLLBACK")


@pytest.fixture
async def far(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Far]:
    monkeypatch.setattr(postgres_engine, "COMMAND_SECONDS", 2.0)
    monkeypatch.setattr(postgres_pool, "ACQUIRE_SECONDS", 2.0)
    monkeypatch.setattr(postgres_pool, "REPAIR_SECONDS", 1.0)
    short = tuple(pragma.replace("=5000", "=1500") for pragma in sqlite_engine.PRAGMAS)
    monkeypatch.setattr(sqlite_engine.SqliteEngine.connect, "__defaults__", (short,))
    served = _sqlite if request.param == "sqlite" else _postgres
    async with served(tmp_path / "home", tmp_path) as made:
        yield made


async def _row(platform: Platform, one: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            answer = await platform.get(f"{one}/executions")
            if answer.status_code == 200 and answer.json()["items"][0]["outcome"] != "running":
                return dict(answer.json()["items"][0])
            await asyncio.sleep(0.05)


async def _events(world: World) -> list[dict[str, Any]]:
    told = (AuditEvent.tenant == world.tenant) & (AuditEvent.action == "integration_method.executed")
    return list(await AuditEvent.select().where(told))


@pytest.mark.parametrize("far", ENGINES, indirect=True)
@pytest.mark.parametrize(("status", "told", "outcome"), [(200, 200, "success"), (500, 502, "failed")])
async def test_the_caller_learns_what_was_said(far: Far, status: int, told: int, outcome: str) -> None:
    """And the row and its event, one alone, are there as soon as the database is back."""
    platform = Platform(far.world)
    async with upstream() as away:
        one = await connected(platform, away.base, SENDS)
        leaving = Leaving(far.leave, status)
        away.answer(leaving)
        answer = await platform.ask("POST", execute(one, "send"), {}, Idempotency_Key="k1")
        assert answer.status_code == told, answer.text
        assert answer.json().get("data") == ({"done": True} if told == 200 else None)
        far.come()
        row = await _row(platform, one)
        assert (row["outcome"], row["attempts"], leaving.asked) == (outcome, 1, 1)
        [event] = await _events(far.world)
        assert event["outcome"] == ("allow" if told == 200 else "error") and row["requestId"] == event["request_id"]
        # The answer could not be kept under its key, which stays taken: the same is not done again.
        await platform.refused(409, "CONFLICT", "POST", execute(one, "send"), {}, Idempotency_Key="k1")
        assert leaving.asked == 1


@pytest.mark.parametrize("far", ENGINES, indirect=True)
async def test_a_circuit_that_cannot_be_written(far: Far) -> None:
    """The fifth failure would open the circuit; the caller is told of the failure all the same."""
    platform = Platform(far.world)
    async with upstream() as away:
        one = await connected(platform, away.base, SENDS)
        away.answer(*[Leaving(lambda: None, 500)] * 4, Leaving(far.leave, 500))
        for _ in range(5):
            await platform.refused(502, "INTEGRATION_ERROR", "POST", execute(one, "send"), {})
        far.come()
        await _row(platform, one)


async def test_what_is_kept_is_bounded_and_one_does_not_keep_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An end that breaks is lost alone; while the database is away their order stays."""
    monkeypatch.setattr(ledger, "MOST_ENDS", 3)
    executions, written, away = world.runtime.executions, list[int](), True
    await executions.flush()  # what other tests have left

    async def write(number: int) -> None:
        if away:
            raise Unavailable
        if number == 1:
            raise ValueError(number)
        written.append(number)

    for number in range(4):
        executions.keep(world.tenant, lambda number=number: write(number))
    with pytest.raises(Unavailable):
        await executions.flush()
    away = False
    assert await executions.flush() == 2 and written == [0, 2]
