"""Installations that share a Redis: those with the same keys are one, and others have nothing in common."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.ids import new_id
from app.settings import SettingsError, load_settings
from services.runtime import Runtime
from services.walks import Cover
from tests.databases import required_redis_url  # noqa: F401 - a fixture

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("patient_redis")]


@contextlib.asynccontextmanager
async def on(redis_url: str, home: Path, **settings: Any) -> AsyncIterator[Runtime]:
    """What a process has of Redis; it listens, and has opened no database."""
    runtime = Runtime(load_settings({}, home=home, redis_url=redis_url, **settings))
    await runtime.bus.start()
    try:
        async with asyncio.timeout(60):
            while not runtime.bus.listening:  # type: ignore[attr-defined]  # noqa: ASYNC110 - Redis tells nobody of it
                await asyncio.sleep(0.01)
        yield runtime
    finally:
        await runtime.bus.stop()
        await runtime.limiter.close()
        assert runtime.redis is not None
        await runtime.redis.aclose()


async def in_common(one: Runtime, other: Runtime) -> dict[str, bool]:
    """Whether the other hears what the one publishes, and finds its budget spent and its walk begun."""
    name, walk = new_id().hex, (new_id(), "integrations/v1", "people")
    after = f"{name}-after"
    with other.bus.subscribe(name) as heard, other.bus.subscribe(after) as last, one.bus.subscribe(name) as own:
        await one.bus.publish(name, {"seq": 1})
        # Redis passes on in one order: where one of its own has come, all before it has.
        await other.bus.publish(after, {"seq": 2})
        async with asyncio.timeout(60):
            assert (await anext(own.messages()))["seq"] == 1
            assert (await anext(last.messages()))["seq"] == 2
        bus = [heard._queue.get_nowait()["seq"] for _ in range(heard._queue.qsize())] == [1]
    assert (await one.limiter.hit(name, 1, 1)).admitted
    limits = not (await other.limiter.hit(name, 1, 1)).admitted
    await one.walks.begin(walk, 3)
    return {"bus": bus, "limits": limits, "walks": await other.walks.covers(walk, 2) is not Cover.NONE}


async def test_two_installations_have_nothing_in_common(required_redis_url: str, tmp_path: Path) -> None:  # noqa: F811
    """Keys of their own are enough; also in two databases of one Redis, whose channels are the same."""
    elsewhere = required_redis_url.rpartition("/")[0] + "/0"
    async with on(required_redis_url, tmp_path / "a") as one:
        for url in (required_redis_url, elsewhere):
            async with on(url, tmp_path / "b") as other:
                assert await in_common(one, other) == {"bus": False, "limits": False, "walks": False}


async def test_processes_of_one_installation_have_all_of_it(required_redis_url: str, tmp_path: Path) -> None:  # noqa: F811
    """The same keys folder, or the same name."""
    async with on(required_redis_url, tmp_path / "a") as one, on(required_redis_url, tmp_path / "a") as other:
        assert await in_common(one, other) == {"bus": True, "limits": True, "walks": True}
    named = {"redis_prefix": f"test-{new_id().hex[:8]}"}
    async with (
        on(required_redis_url, tmp_path / "a", **named) as one,
        on(required_redis_url, tmp_path / "b", **named) as other,
    ):
        assert await in_common(one, other) == {"bus": True, "limits": True, "walks": True}


async def test_a_copy_with_the_same_keys_is_parted_by_a_name(required_redis_url: str, tmp_path: Path) -> None:  # noqa: F811
    """A test system that was restored from a backup."""
    async with (
        on(required_redis_url, tmp_path / "a") as one,
        on(required_redis_url, tmp_path / "a", redis_prefix="copy") as other,
    ):
        assert await in_common(one, other) == {"bus": False, "limits": False, "walks": False}


@pytest.mark.parametrize("name", ["", "a*", "a:b", "[x]", "a b", "é", "x" * 41])
def test_a_name_is_no_pattern(name: str) -> None:
    with pytest.raises(SettingsError, match="redis_prefix"):
        load_settings({}, redis_prefix=name)
