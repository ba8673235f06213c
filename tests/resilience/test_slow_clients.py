"""Clients that send or read too slowly, on real sockets: cut within stated limits, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from app import bus
from app.cli import connections
from app.cli.serve import configured
from app.database import bind
from models.audit import AuditHead
from models.piccolo_app import TABLES
from tests.resilience.listeners import EventStream, Subscription
from tests.resilience.serving import alone
from tests.runtime.records import person
from tests.world import World

pytestmark = pytest.mark.resilience
HISTORY = "subscription { auditEvents(since: 0) { event { seq before after actor { id name } } lagged { dropped } } }"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of the server, made shorter so that the suite does not wait for them."""
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "UNREAD_SECONDS"):
        monkeypatch.setattr(connections, name, 0.6)


class Reached:
    """A world whose application also listens on a port, as `dovetail serve` would."""

    def __init__(self, world: World, port: int) -> None:
        self.world, self.port, self.url = world, port, f"http://127.0.0.1:{port}"

    async def raw(self, **limits: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, **limits)

    async def answers(self) -> bool:
        """Whether a client of good manners is served, on a connection of its own."""
        reader, writer = await self.raw()
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(30):
            answer = await reader.read()
        writer.close()
        return answer.startswith(b"HTTP/1.1 200 ")


@pytest.fixture
async def reached(tmp_path: Path) -> AsyncIterator[Reached]:
    async with alone("sqlite", tmp_path) as world:
        config = configured(world.app.settings)
        config.app, config.lifespan, config.loop = world.app, "off", "none"
        server = uvicorn.Server(config)
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
        with socket.create_server(("127.0.0.1", 0)) as listener:
            # Inherited by each connection: what is not read is felt soon.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
            serving = asyncio.create_task(server.serve([listener]))
            while not server.started:  # noqa: ASYNC110 - it sets no event
                await asyncio.sleep(0.01)
            bind(world.runtime.database, TABLES)
            yield Reached(world, listener.getsockname()[1])
            server.should_exit = server.force_exit = True
            await serving


@pytest.mark.parametrize("first", [b"", b"\r\n", b"G", b"GET /health/live HTTP/1.1\r\nHost: x\r\n"])
async def test_a_head_that_comes_slowly(reached: Reached, first: bytes) -> None:
    """Nothing at all, or a header now and then: the connection is cut, and others are served meanwhile."""
    reader, writer = await reached.raw()
    writer.write(first)
    cut = asyncio.create_task(_ended(reader))
    while not cut.done():
        assert await reached.answers()
        if len(first) > 1:
            writer.write(b"X-A: b\r\n" if first.startswith(b"GET") else b"\r\n")
        await asyncio.sleep(0.1)
    assert cut.result() == b""
    writer.close()


async def _ended(reader: asyncio.StreamReader) -> bytes:
    """All that came until the server ended the connection."""
    async with asyncio.timeout(30):
        with contextlib.suppress(ConnectionError):
            return await reader.read()
    return b""


async def test_a_second_request_that_comes_slowly(reached: Reached) -> None:
    """A connection that was good once has no more time than another."""
    reader, writer = await reached.raw()
    writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 ")
    writer.write(b"GET /health/live HTTP/1.1\r\n")
    assert await _ended(reader) == b""
    writer.close()


async def test_a_body_that_comes_slowly(reached: Reached) -> None:
    """The length is promised, the bytes do not come."""
    reader, writer = await reached.raw()
    token = reached.world.token("admin")
    head = f"POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
    assert await _ended(reader) == b""
    writer.close()
    assert await reached.answers()


async def test_a_head_without_end(reached: Reached) -> None:
    """431 after 64 kB, however fast it comes."""
    reader, writer = await reached.raw()
    writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\n")
    ending = asyncio.create_task(_ended(reader))
    with contextlib.suppress(ConnectionError):
        for _ in range(2_000):
            writer.write(b"X-A: " + b"b" * 1_000 + b"\r\n")
            await writer.drain()
            if ending.done():
                break
    answer = await ending
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")
    writer.close()
    assert await reached.answers()


def _small_window(port: int) -> socket.socket:
    """A socket that takes in little more than nothing."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.connect(("127.0.0.1", port))
    connection.setblocking(False)
    return connection


async def test_an_answer_that_is_not_read(reached: Reached) -> None:
    """Pipelined requests whose answers nobody takes: no more of them are answered, and the connection is cut."""
    world = reached.world
    await world.people(*(person(n) for n in range(1, 101)))
    key = await world.ready_key(rate_limit_per_minute=100_000, rate_limit_burst=100_000)
    request = f"GET /integrations/v1/people?per_page=100 HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n".encode()
    with _small_window(reached.port) as connection:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(30):
                while True:
                    await loop.sock_sendall(connection, request)
                    await asyncio.sleep(0.002)
        with pytest.raises(ConnectionError):
            await loop.sock_sendall(connection, request)
            while await loop.sock_recv(connection, 65_536):
                pass
            await loop.sock_sendall(connection, request)
    assert await reached.answers()


@pytest.mark.parametrize("kind", [EventStream, Subscription])
async def test_a_listener_that_does_not_read(reached: Reached, kind: Any) -> None:
    """Its stream is cut and its queue is gone; one beside it hears everything."""
    world, token = reached.world, reached.world.token("admin")
    beside = await EventStream.opened(reached.url, token, HISTORY)
    deaf = await kind.opened(reached.url, token, HISTORY, 4_096)
    _stop_reading(deaf)
    while world.runtime.bus.readers() < 2:  # noqa: ASYNC110 - it sets no event
        await asyncio.sleep(0.01)
    last, noise = 0, random.Random(3)  # what is sent over WebSocket is compressed
    async with asyncio.timeout(30):
        while world.runtime.bus.readers() > 1:
            await asyncio.gather(
                *(world.installation(verified=False, description=noise.randbytes(950).hex()) for _ in range(20))
            )
            await world.runtime.sealer.seal_all()
            head = last + 20
            while last < head:
                last = (await beside.next())["data"]["auditEvents"]["event"]["seq"]
    assert await reached.answers()
    await beside.close()


def _stop_reading(listener: Any) -> None:
    transport = listener.socket.transport if isinstance(listener, Subscription) else listener._writer.transport
    transport.pause_reading()


@pytest.mark.parametrize("kind", [EventStream, Subscription])
async def test_a_slow_listener_is_told_that_it_lagged(
    reached: Reached, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads nothing for a while, and then all: `lagged` with a number, and each event once and in order."""
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 600.0)
    queue = bus.Subscription(3)
    monkeypatch.setattr(bus, "Subscription", lambda: queue)
    world = reached.world
    slow = await kind.opened(reached.url, world.token("admin"), HISTORY, 4_096)
    while world.runtime.bus.readers() < 1:  # noqa: ASYNC110 - it sets no event
        await asyncio.sleep(0.01)
    _stop_reading(slow)
    noise = random.Random(4)  # what is sent over WebSocket is compressed
    while not queue.dropped:
        for _ in range(20):
            await world.installation(verified=False, description=noise.randbytes(950).hex())
        await world.runtime.sealer.seal_all()
    last = (await AuditHead.select(AuditHead.seq).where(AuditHead.tenant == world.tenant))[0]["seq"]
    _go_on_reading(slow)
    seqs, dropped = list[int](), list[int]()
    async with asyncio.timeout(60):
        while not seqs or seqs[-1] < last:
            told = (await slow.next())["data"]["auditEvents"]
            seqs += [told["event"]["seq"]] if told["event"] else []
            dropped += [told["lagged"]["dropped"]] if told["lagged"] else []
    assert seqs == list(range(1, last + 1))
    assert dropped and all(number > 0 for number in dropped)
    await slow.close()


def _go_on_reading(listener: Any) -> None:
    transport = listener.socket.transport if isinstance(listener, Subscription) else listener._writer.transport
    transport.resume_reading()
