"""The bus between processes: what one publishes, all hear once; without Redis, each hears itself."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from redis.asyncio.client import PubSub

from app.ids import new_id
from app.shared_bus import RedisBus, connect
from tests.databases import required_redis_url  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("patient_redis")


async def _heard(bus: RedisBus, topic: str, count: int, publish: Any) -> list[Any]:
    heard: list[Any] = []
    with bus.subscribe(topic) as subscription:
        await publish()
        async with asyncio.timeout(60):
            async for message in subscription.messages():
                heard.append(message)
                if len(heard) == count:
                    return heard
    return heard


async def _listening(bus: RedisBus) -> None:
    async with asyncio.timeout(60):
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


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the bus logs."""
    events: list[str] = []

    def tell(event: str, **_: Any) -> None:
        events.append(event)

    monkeypatch.setattr("app.shared_bus.LOG", SimpleNamespace(warning=tell, info=tell))
    return events


async def test_a_loss_of_redis_is_told_once(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at each try; and when it is over."""
    monkeypatch.setattr("app.shared_bus._RETRY_SECONDS", 0.01)
    client, tries = connect("redis://127.0.0.1:1/0"), 0
    psubscribe = PubSub.psubscribe

    async def counted(self: PubSub, pattern: str) -> None:
        nonlocal tries
        tries += 1
        if tries < 5:
            await psubscribe(self, pattern)

    async def get_message(*_: Any, **__: Any) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(PubSub, "psubscribe", counted)
    monkeypatch.setattr(PubSub, "get_message", get_message)
    bus = RedisBus(client)
    await bus.start()
    await _listening(bus)
    assert told == ["the bus has lost Redis", "the bus has Redis again"]
    await bus.stop()
    await client.aclose()


@pytest.mark.redis
@pytest.mark.parametrize("data", [b"\xff\xfe", b"{", b"[1]", b"null"])
async def test_what_is_no_event_ends_no_listener(
    data: bytes,
    required_redis_url: str,  # noqa: F811
    told: list[str],
) -> None:
    client, topic = connect(required_redis_url), f"audit:{new_id()}"
    bus = RedisBus(client)
    await bus.start()
    await _listening(bus)

    async def publish() -> None:
        await client.publish(f"dovetail:bus:{topic}", data)
        await bus.publish(topic, {"seq": 1})

    assert await _heard(bus, topic, 1, publish) == [{"seq": 1}]
    assert told == ["what came over Redis is no event"]
    await bus.stop()
    await client.aclose()


@pytest.mark.redis
async def test_a_stop_that_is_taken_for_a_timeout_is_said_again(
    required_redis_url: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A cancellation in the moment in which a read runs out of time is lost to the listener."""
    swallowed = asyncio.Event()

    async def get_message(*_: Any, **__: Any) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if swallowed.is_set():
                raise
            swallowed.set()
            raise TimeoutError from None

    monkeypatch.setattr(PubSub, "get_message", get_message)
    client = connect(required_redis_url)
    bus = RedisBus(client)
    await bus.start()
    await _listening(bus)
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await bus.stop()
    assert swallowed.is_set()
    await client.aclose()
