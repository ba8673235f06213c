"""The bus between processes: what one publishes, all hear once; without Redis, each hears itself."""

import asyncio
from typing import Any

import pytest

from app.ids import new_id
from app.shared_bus import RedisBus, connect
from tests.databases import required_redis_url  # noqa: F401 - a fixture


async def _heard(bus: RedisBus, topic: str, count: int, publish: Any) -> list[Any]:
    heard: list[Any] = []
    with bus.subscribe(topic) as subscription:
        await publish()
        async with asyncio.timeout(5):
            async for message in subscription.messages():
                heard.append(message)
                if len(heard) == count:
                    return heard
    return heard


async def _listening(bus: RedisBus) -> None:
    async with asyncio.timeout(5):
        while not bus.listening:  # noqa: ASYNC110 - Redis tells nobody of it
            await asyncio.sleep(0.01)


@pytest.mark.redis
async def test_what_one_publishes_all_hear_once(required_redis_url: str) -> None:  # noqa: F811
    """Two processes on one Redis: each hears both messages, in order, and neither twice."""
    clients = [connect(required_redis_url) for _ in range(2)]
    buses = [RedisBus(client) for client in clients]
    topic = f"audit:{new_id()}"
    for bus in buses:
        await bus.start()
        await _listening(bus)

    async def publish() -> None:
        await buses[0].publish(topic, {"seq": 1, "id": new_id()})
        await buses[1].publish(topic, {"seq": 2, "id": new_id()})

    async def nothing() -> None:
        return

    other = asyncio.create_task(_heard(buses[1], topic, 2, nothing))
    await asyncio.sleep(0.05)
    mine = await _heard(buses[0], topic, 2, publish)
    assert [message["seq"] for message in mine] == [1, 2]
    assert [message["seq"] for message in await other] == [1, 2]
    for bus, client in zip(buses, clients, strict=True):
        await bus.stop()
        await client.aclose()


async def test_without_redis_a_process_hears_itself() -> None:
    """An event is not lost to those who are connected to the process that published it."""
    client = connect("redis://127.0.0.1:1/0")
    bus = RedisBus(client)
    await bus.start()
    heard = await _heard(bus, "t", 1, lambda: bus.publish("t", {"seq": 7}))
    assert heard == [{"seq": 7}]
    await bus.stop()
    await client.aclose()
