"""Many who listen and hear nothing: they cost little, hear the next event, and end with the server or their token."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.auth import tokens
from app.settings import load_settings
from graph import streams
from tests.claims import free_port
from tests.graphql.clients import SocketPeer, StreamPeer
from tests.resilience.listeners import EventStream, Subscription
from tests.resilience.processes import Server
from tests.resilience.serving import alone, timed
from tests.resilience.write_loads import CREATE, Load

pytestmark = pytest.mark.resilience
OF_EACH_KIND = 500
#: Kilobytes of the server for one listener and its connection; about 60 are seen.
MOST_KB = 200
WATCH = "subscription { auditEvents { event { action } } }"


def _kilobytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


async def _readers(client: httpx.AsyncClient) -> int:
    lines = (await client.get("/metrics")).text.splitlines()
    return int(float(next(line.split()[-1] for line in lines if line.startswith("dovetail_bus_readers "))))


async def test_a_thousand_who_listen(tmp_path: Path) -> None:
    """Half over WebSocket and half over SSE: each hears the one event, and a server that stops completes them all."""
    server = Server(load_settings({}, home=tmp_path / "home", port=free_port()))
    load = await Load.prepared(server)
    await server.start()
    assert server.process is not None
    headers = {"Authorization": f"Bearer {load.token}"}
    try:
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=20) as client:
            assert (await client.post("/graphql", json={"query": "{ viewer { name } }"})).status_code == 200
            before = _kilobytes(server.process.pid)
            listeners: list[Any] = []
            for _ in range(OF_EACH_KIND // 50):
                listeners += await asyncio.gather(*(EventStream.opened(server.url, load.token) for _ in range(50)))
                listeners += await asyncio.gather(*(Subscription.opened(server.url, load.token) for _ in range(50)))
            while await _readers(client) < 2 * OF_EACH_KIND:  # noqa: ASYNC110 - the other is a process
                await asyncio.sleep(0.05)
            each = (_kilobytes(server.process.pid) - before) / len(listeners)
            assert each < MOST_KB, f"{each:.0f} kB for each listener"
            # A listener begins with what follows the history that it finds: reads are served in their order, so these
            # come after those of all listeners.
            for _ in range(3):
                asked = await client.post("/graphql", json={"query": "{ projects(first: 1) { totalCount } }"})
                assert "errors" not in asked.json(), asked.text
            body = {"query": CREATE, "variables": {"t": "heard by all"}}
            created = (await client.post("/graphql", json=body)).json()
            assert created["data"]["createProject"]["errors"] == [], created
            async with asyncio.timeout(30):
                heard = await asyncio.gather(*(listener.next() for listener in listeners))
        assert {answer["data"]["auditEvents"]["event"]["action"] for answer in heard} == {"project.created"}
        stopping = asyncio.create_task(server.stop())
        async with asyncio.timeout(30):
            assert set(await asyncio.gather(*(listener.next() for listener in listeners))) == {None}
            sockets = [listener for listener in listeners if isinstance(listener, Subscription)]
            assert set(await asyncio.gather(*(socket.closed() for socket in sockets))) == {1001}
            await asyncio.gather(*(listener.close() for listener in listeners))
            assert await stopping in (0, -signal.SIGTERM), "uvicorn gives itself the signal again once all has stopped"
    finally:
        server.kill()


async def test_an_idle_stream_ends_with_its_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any event: `INVALID_TOKEN`, on both transports, within a second of its end."""
    monkeypatch.setattr(tokens, "LEEWAY_SECONDS", 0)
    async with alone("sqlite", tmp_path) as world:
        await world.runtime.sealer.seal_all()
        token = world.token("admin", ttl_seconds=4)
        stream = StreamPeer(world.app, WATCH, token)
        socket = await SocketPeer(world.app).ready(token)
        socket.say(type="subscribe", id="1", payload={"query": WATCH})
        assert (await stream.heard())["status"] == 200
        async with asyncio.timeout(12):
            told = await stream.from_app.get()
            said = await socket.from_app.get()
        assert b"INVALID_TOKEN" in told["body"]
        assert "INVALID_TOKEN" in said["text"]
        assert world.runtime.bus.readers() == 0
        await socket.gone()


async def test_an_idle_stream_when_the_clock_jumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the token's end: it ends at the next look. Backwards: it goes on."""
    monkeypatch.setattr(streams, "LOOK_AGAIN_SECONDS", 0.01)
    looks = asyncio.Semaphore(0)

    async def admit(*given: Any) -> None:
        await admitted(*given)
        looks.release()

    admitted = streams._admit
    monkeypatch.setattr(streams, "_admit", admit)
    async with timed("sqlite", tmp_path, monkeypatch) as (world, clock):
        await world.runtime.sealer.seal_all()
        stream = StreamPeer(world.app, WATCH, world.token("admin", ttl_seconds=3_600))
        assert (await stream.heard())["status"] == 200
        await looks.acquire()
        clock.jump(-86_400_000)
        async with asyncio.timeout(20):
            for _ in range(4):
                await looks.acquire()
        assert stream.from_app.empty()
        clock.jump(2 * 86_400_000)
        assert "INVALID_TOKEN" in await stream.event()
        await stream.heard()
        await stream.task
