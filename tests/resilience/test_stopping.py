"""A server that stops in good order answers what was sent to it, and cuts nobody off."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvicorn

from app.cli.connections import HttpConnection
from app.cli.serving_loop import ServingLoop

pytestmark = pytest.mark.resilience

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def _application(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(0.001)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


class Stopping:
    """A server of this process, on the loop and with the connections that `dovetail serve` has."""

    def __init__(self, port: socket.socket) -> None:
        config = uvicorn.Config(_application, http=HttpConnection, lifespan="off", log_config=None)
        self.server, self.address = uvicorn.Server(config), port.getsockname()
        self.run = asyncio.create_task(self.server.serve(sockets=[port]))

    async def started(self) -> Stopping:
        while not self.server.started:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.01)
        return self

    def stop(self) -> None:
        self.server.should_exit = True


def _on_the_serving_loop(check: Callable[[Stopping], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        stopping = await Stopping(socket.create_server(("127.0.0.1", 0))).started()
        await check(stopping)
        await stopping.run

    with asyncio.Runner(loop_factory=ServingLoop) as runner:
        runner.run(asyncio.wait_for(main(), 60))


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether the answer says that it is the last of its connection; raises where there is none."""
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    assert await reader.readexactly(2) == b"ok"
    return b"connection: close" in head.lower()


def test_no_request_of_a_kept_connection_is_lost() -> None:
    """Sixteen that ask without a pause are answered to the last, which tells them to go elsewhere."""

    async def check(stopping: Stopping) -> None:
        answers = 0

        async def hammer() -> None:
            nonlocal answers
            reader, writer = await asyncio.open_connection(*stopping.address)
            while not await _asked(reader, writer):
                answers += 1
                if answers == 400:
                    stopping.stop()
            writer.close()

        await asyncio.gather(*(hammer() for _ in range(16)))

    _on_the_serving_loop(check)


def test_who_waits_to_be_accepted_is_answered() -> None:
    """The kernel took them in while the server was busy with its last turn."""

    async def check(stopping: Stopping) -> None:
        links = [socket.create_connection(stopping.address) for _ in range(50)]
        for link in links:
            link.sendall(REQUEST)
        # Nothing of them was accepted: this function has not waited since.
        await stopping.server.shutdown()
        for link in links:
            link.settimeout(30)
            assert link.recv(1_000).startswith(b"HTTP/1.1 200 ")
            link.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(stopping.address)
        stopping.stop()

    _on_the_serving_loop(check)


def test_a_connection_that_asks_nothing_holds_nobody_up() -> None:
    async def check(stopping: Stopping) -> None:
        reader, writer = await asyncio.open_connection(*stopping.address)
        assert not await _asked(reader, writer)
        # A request that is begun and not sent on is no reason to stay.
        writer.write(REQUEST[:10])
        stopping.stop()
        async with asyncio.timeout(30):
            assert await reader.read() == b""
            await stopping.run
        writer.close()

    _on_the_serving_loop(check)
