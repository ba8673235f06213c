"""A cancellation that is lost on its way: what was told to end does, and a server that stops waits for nobody in vain.

The Redis driver sends each command through `asyncio.wait_for`, which loses a cancellation that meets its result
(before Python 3.12).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio.client import PubSub

from app.bus import MemoryBus
from app.endings import ended
from app.script_batches import BatchingRedis
from app.shared_bus import RedisBus, connect
from services.chain.decisions import TOPIC as DECISIONS_TOPIC
from services.chain.decisions import Decisions
from services.chain.sealing import Sealer
from services.duties import _kept_up, _to_its_end
from services.jobs import JobRunner
from services.runtime import AUDIT_TOPIC
from tests.databases import required_redis_url  # noqa: F401 - a fixture
from tests.resilience.serving import alone
from tests.world import World

pytestmark = pytest.mark.resilience
CREATE = 'mutation { createProject(input: {title: "P"}) { errors { code } } }'


class Deaf:
    """Waits, and takes as many cancellations for the end of its wait; then it waits no more."""

    def __init__(self, times: int = 1) -> None:
        self.times, self.begun = times, asyncio.Event()

    async def __call__(self, *_: Any) -> int:
        self.begun.set()
        while self.times > 0:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.times -= 1
        return 0


@pytest.mark.redis
@pytest.mark.usefixtures("patient_redis")
async def test_a_duty_ends_wherever_it_is_in_a_command_of_redis(required_redis_url: str) -> None:  # noqa: F811
    """Cancelled after each number of turns of the loop: in some of them the driver loses it."""
    client = connect(required_redis_url)
    await client.ping()
    for turns in range(60):
        duty = asyncio.create_task(_kept_up("tell", lambda: client.publish("nobody", b"1"), 0))
        for _ in range(turns):
            await asyncio.sleep(0)
        duty.cancel()
        assert (await asyncio.wait([duty], timeout=30))[0], f"after {turns} turns it went on"
    await client.aclose()


def _loops(world: World, monkeypatch: pytest.MonkeyPatch, deaf: Deaf) -> dict[str, Callable[[], Awaitable[None]]]:
    runtime = world.runtime
    sealer = Sealer(runtime.database, runtime.audit_key, lambda *_: asyncio.sleep(0))
    jobs = JobRunner(runtime, {}, 1)
    monkeypatch.setattr(sealer, "seal_all", deaf)
    monkeypatch.setattr(jobs, "run_due", deaf)
    sealer.wake()
    return {"duty": lambda: _kept_up("deaf", deaf, 60), "sealer": sealer.run, "jobs": jobs.run}


@pytest.mark.parametrize("which", ["duty", "sealer", "jobs"])
async def test_what_goes_on_for_ever_ends(which: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = Deaf()
    going_on = asyncio.ensure_future(_loops(world, monkeypatch, deaf)[which]())
    await deaf.begun.wait()
    going_on.cancel()
    assert (await asyncio.wait([going_on], timeout=30))[0]


async def test_who_hears_others_for_ever_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told to end while it answers a message, and that was lost: it does not wait for another one."""
    deaf, bus = Deaf(), MemoryBus()
    decisions = Decisions(world.runtime.denials, bus, shared=True)
    monkeypatch.setattr(decisions, "_answer", deaf)
    hearing = asyncio.ensure_future(decisions.listen())
    await asyncio.sleep(0)
    bus.deliver(DECISIONS_TOPIC, {"request_id": "any"})
    await deaf.begun.wait()
    hearing.cancel()
    done, _ = await asyncio.wait([hearing], timeout=10)
    await ended(hearing)
    assert done


@pytest.mark.redis
async def test_the_bus_ends_where_it_is_told_once(
    required_redis_url: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As by a loop that closes: it cancels what is left once, and waits for it."""
    deaf, client = Deaf(), connect(required_redis_url)

    async def nothing_heard(*_: Any, **__: Any) -> None:
        await deaf()
        await asyncio.sleep(0.01)

    monkeypatch.setattr(PubSub, "get_message", nothing_heard)
    bus = RedisBus(client)
    await bus.start()
    await deaf.begun.wait()
    listener = bus._listener
    assert listener is not None
    listener.cancel()
    done, _ = await asyncio.wait([listener], timeout=10)
    await bus.stop()
    await client.aclose()
    assert done


@pytest.mark.redis
async def test_a_stop_goes_on_past_what_fails(
    required_redis_url: str,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A defect in what is written out is told, and keeps nothing open: neither the bus nor a connection."""

    async def broken() -> None:
        raise RuntimeError("a defect")

    async with asyncio.timeout(60):
        with pytest.raises(RuntimeError, match="a defect"):
            async with alone("sqlite", tmp_path, redis_url=required_redis_url) as world:
                runtime = world.runtime
                monkeypatch.setattr(runtime.usage, "close", broken)
    assert runtime.bus._listener.done()
    assert runtime.database.engine._pool is None


@pytest.mark.redis
async def test_a_server_stops_in_the_middle_of_its_news(
    required_redis_url: str,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sealer tells the others of an event when the stop meets the answer of Redis."""
    deaf, publish = Deaf(), BatchingRedis.publish

    async def told(redis: BatchingRedis, channel: str, message: bytes) -> Any:
        return await (deaf() if AUDIT_TOPIC in channel else publish(redis, channel, message))

    async with asyncio.timeout(60):
        async with alone("sqlite", tmp_path, redis_url=required_redis_url) as world:
            monkeypatch.setattr(BatchingRedis, "publish", told)
            writing = asyncio.create_task(world.graphql(CREATE, world.token("admin")))
            await deaf.begun.wait()
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)


@pytest.mark.parametrize("times", [1, 3])
async def test_it_is_said_again_until_it_is_heard(times: int) -> None:
    deaf = Deaf(times)
    task = asyncio.ensure_future(deaf())
    await deaf.begun.wait()
    async with asyncio.timeout(30):
        await ended(task, again_seconds=0.01)
    assert task.done()


async def test_who_ends_others_ends_after_them() -> None:
    """Cancelled in the meantime, it neither leaves them running nor loses its own cancellation."""
    deaf = Deaf(2)
    task = asyncio.ensure_future(deaf())
    await deaf.begun.wait()
    ending = asyncio.ensure_future(ended(task, again_seconds=30))
    await asyncio.sleep(0)
    ending.cancel()
    await asyncio.wait([ending], timeout=30)
    assert task.done()
    assert ending.cancelled()


async def test_a_commit_is_not_cut_off_by_who_says_it_twice() -> None:
    """What a loop that closes does to a duty that is ending."""
    go_on, done = asyncio.Event(), []

    async def commit() -> None:
        await go_on.wait()
        done.append("committed")

    duty = asyncio.ensure_future(_to_its_end(commit))
    for _ in range(3):
        await asyncio.sleep(0)
        duty.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait([duty], timeout=30)
    assert duty.cancelled()
    assert done == ["committed"]
