"""A server that stops while it writes out what it gathered: everything is written, and nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from models.integrations import IntegrationExecution
from models.operations import UsageCount
from services.duties import run_duties
from tests.databases import fresh_url
from tests.runtime.platform import Platform
from tests.world import World, running

pytestmark = pytest.mark.resilience
ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def _execution(world: World, instance: Any) -> dict[str, Any]:
    given = {"tenant": world.tenant, "instance": instance, "method": "call", "side_effect": "read", "at": 1}
    none = dict.fromkeys(["code", "error", "host", "status_code", "response_bytes"])
    who = {"actor_kind": "user", "actor_id": "ada", "surface": "rest", "request_id": "one"}
    return given | none | who | {"outcome": "success", "latency_ms": 1, "attempts": 1}


def _slow(world: World, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set once a transaction was committed; who waited for it is told only later, as by a slow network."""
    database, event = world.runtime.database, asyncio.Event()
    whole = database.in_transaction

    async def slow(fn: Callable[[], Awaitable[Any]], retries: int = 3) -> Any:
        result = await whole(fn, retries)
        event.set()
        await asyncio.sleep(0.2)
        return result

    monkeypatch.setattr(database, "in_transaction", slow)
    return event


async def test_an_execution_is_recorded_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flush is cut off between its commit and the news of it, and runs again."""
    instance = (await Platform(world).instance())["id"]
    executions = world.runtime.executions
    await executions.flush()
    committed = _slow(world, monkeypatch)
    executions.note(_execution(world, instance))
    flush = asyncio.ensure_future(executions.flush())
    await committed.wait()
    flush.cancel()
    await asyncio.gather(flush, return_exceptions=True)
    await executions.flush()
    assert await IntegrationExecution.of(world.tenant).count() == 1


async def test_a_flush_waits_for_the_one_on_its_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for what was executed, or used, has it written first."""
    instance = (await Platform(world).instance())["id"]
    key = await world.ready_key()
    executions, usage = world.runtime.executions, world.runtime.usage
    await asyncio.gather(executions.flush(), usage.flush())
    database, begin = world.runtime.database, asyncio.Event()
    whole = database.in_transaction

    async def held(fn: Callable[[], Awaitable[Any]], retries: int = 3) -> Any:
        await begin.wait()
        return await whole(fn, retries)

    assert (await world.get("/people", key)).status_code == 200
    executions.note(_execution(world, instance))
    monkeypatch.setattr(database, "in_transaction", held)
    first = [asyncio.ensure_future(ledger.flush()) for ledger in (executions, usage)]
    await asyncio.sleep(0)
    second = [asyncio.ensure_future(ledger.flush()) for ledger in (executions, usage)]
    await asyncio.sleep(0.05)
    assert not any(flush.done() for flush in (*first, *second))
    begin.set()
    await asyncio.gather(*second)
    assert await IntegrationExecution.of(world.tenant).count() == await UsageCount.of(world.tenant).count() == 1
    await asyncio.gather(*first)


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_use_is_counted_once(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round that gathers is not cut off by the stop: a count that is added twice shows no trace."""
    with fresh_url(engine, tmp_path) as url:
        async with running(url, tmp_path / "home") as served:
            world = await World(*served).open()
            key = await world.ready_key()
            await world.runtime.usage.flush()
            assert (await world.get("/people", key)).status_code == 200
            committed = _slow(world, monkeypatch)
            duties = asyncio.ensure_future(run_duties(world.runtime))
            await committed.wait()
            duties.cancel()
            await asyncio.gather(duties, return_exceptions=True)
            await world.runtime.usage.flush()
            [row] = await UsageCount.of(world.tenant).select(UsageCount.count)
            assert row["count"] == 1
