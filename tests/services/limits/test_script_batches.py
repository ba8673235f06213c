"""Scripts that are asked for at once go to Redis together, and each gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.exceptions import NoScriptError, RedisError, ResponseError

from app import shared_bus
from app.ids import new_id
from app.script_batches import BatchingRedis
from app.shared_bus import connect
from tests.databases import missing, redis_url

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("patient_redis")]
_ADD = "return redis.call('INCRBY', KEYS[1], ARGV[1])"


@pytest.fixture
async def redis(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """A client that is as patient as a busy machine is slow."""
    url = redis_url()
    if url is None:
        missing("Redis")
    monkeypatch.setattr(shared_bus, "ANSWER_SECONDS", 30)
    client = connect(str(url))
    await client.flushdb()
    assert isinstance(client, BatchingRedis)
    yield client
    await client.aclose()


async def test_each_gets_its_own_answer_in_order(redis: Any) -> None:
    script = redis.register_script(_ADD)
    await script(keys=["batch:one"], args=[0])
    assert await asyncio.gather(*(script(keys=["batch:one"], args=[1]) for _ in range(200))) == list(range(1, 201))


async def test_a_script_that_the_server_does_not_know_is_loaded(redis: Any) -> None:
    """Each that is refused for that loads it and asks again, in any order."""
    script = redis.register_script(f"-- {new_id()}\n{_ADD}")
    found = await asyncio.gather(*(script(keys=["batch:new"], args=[1]) for _ in range(50)))
    assert sorted(found) == list(range(1, 51))


async def test_an_error_is_told_to_who_caused_it(redis: Any) -> None:
    good, bad = redis.register_script(_ADD), redis.register_script("return redis.call('NOTHING')")
    await asyncio.gather(good(keys=["batch:two"], args=[1]), return_exceptions=True)
    found = await asyncio.gather(
        *(script(keys=["batch:two"], args=[1]) for script in (good, bad, good)), return_exceptions=True
    )
    assert isinstance(found[1], ResponseError) and not isinstance(found[1], NoScriptError)
    assert [found[0], found[2]] == [2, 3]


async def test_who_gives_up_stops_nobody(redis: Any) -> None:
    script = redis.register_script(_ADD)
    await script(keys=["batch:three"], args=[0])
    calls = [asyncio.ensure_future(script(keys=["batch:three"], args=[1])) for _ in range(9)]
    await asyncio.sleep(0)
    calls[4].cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(each, asyncio.CancelledError) for each in answers) == 1
    assert await script(keys=["batch:three"], args=[0]) == 9


async def test_all_are_told_when_redis_is_away(redis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those who asked while the batch was under way: nobody waits for Redis twice."""
    started, go = asyncio.Event(), asyncio.Event()

    async def broken(_: Any) -> list[Any]:
        started.set()
        await go.wait()
        raise ConnectionResetError("gone")

    monkeypatch.setattr(redis, "_run", broken)
    script = redis.register_script(_ADD)
    first = [asyncio.ensure_future(script(keys=["batch:four"], args=[1])) for _ in range(3)]
    await started.wait()
    second = [asyncio.ensure_future(script(keys=["batch:four"], args=[1])) for _ in range(3)]
    await asyncio.sleep(0)
    go.set()
    found = await asyncio.gather(*first, *second, return_exceptions=True)
    assert all(isinstance(each, RedisError | OSError) for each in found) and len(found) == 6
