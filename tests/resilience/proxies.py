"""A TCP proxy that can be frozen: it takes connections and bytes, and passes nothing on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any


class FreezableProxy:
    """Between a server and what it depends on. `frozen` is the state; `cut` ends every connection."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.port = 0

    def freeze(self) -> None:
        self._open.clear()

    def thaw(self) -> None:
        self._open.set()

    def cut(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passing = asyncio.ensure_future(self._through(reader, writer))
        self._tasks.add(passing)
        # Unlike awaiting it: where it is cut, this goes on, and closes its side.
        await asyncio.wait({passing})
        self._tasks.discard(passing)
        writer.close()
        if not passing.cancelled():
            passing.result()

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._open.wait()
        # The server may be away, as some tests have it; who asked sees a connection that ends.
        with contextlib.suppress(ConnectionError):
            far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
            with contextlib.closing(far_writer):
                await self._either(self._pass(reader, far_writer), self._pass(far_reader, writer))

    async def _either(self, *ways: Any) -> None:
        """Until one side has ended."""
        tasks = {asyncio.ensure_future(way) for way in ways}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65_536):
            await self._open.wait()
            writer.write(piece)
            with contextlib.suppress(ConnectionError):
                await writer.drain()


@contextlib.asynccontextmanager
async def proxied(host: str, port: int) -> AsyncIterator[FreezableProxy]:
    """A proxy in front of the server, on a free port of 127.0.0.1."""
    proxy = FreezableProxy(host, port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.thaw()
        proxy.cut()
