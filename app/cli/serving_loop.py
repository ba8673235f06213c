"""The server's event loop: a socket that it ceases to listen at leaves nobody behind."""

import asyncio
import socket
from collections.abc import Callable
from itertools import islice
from typing import Any

import uvloop

from app.cli.connections import HttpConnection


class Listening:
    """A server that, before it closes, takes in those whom the kernel would cut off."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, server: Any, sock: socket.socket, most: int, factory: Any
    ) -> None:
        self._loop, self._server, self._sock, self._factory = loop, server, sock, factory
        self._most = most
        self._coming: set[asyncio.Task[None]] = set()

    @property
    def sockets(self) -> Any:
        return self._server.sockets

    def close(self) -> None:
        """Those who are taken in may each send one request; as many as the queue holds, for a flood has no end."""
        for taken in islice(iter(self._next, None), self._most):
            task = self._loop.create_task(self._take(taken))
            self._coming.add(task)
            task.add_done_callback(self._coming.discard)
        self._server.close()

    async def wait_closed(self) -> None:
        await self._server.wait_closed()

    def _next(self) -> socket.socket | None:
        while True:
            try:
                taken, _ = self._sock.accept()
            except BlockingIOError:
                return None
            except ConnectionAbortedError:
                continue
            except OSError:
                # No descriptors are left for those who wait.
                return None
            taken.setblocking(False)
            return taken

    async def _take(self, taken: socket.socket) -> None:
        connection: HttpConnection
        _, connection = await self._loop.connect_accepted_socket(self._factory, taken)
        connection.shutdown()


class ServingLoop(uvloop.Loop):
    """As uvicorn asks for one: a server at one socket that was bound before."""

    async def create_server(  # type: ignore[override]
        self, protocol_factory: Callable[[], HttpConnection], *, sock: socket.socket, backlog: int, **options: Any
    ) -> Any:
        server = await super().create_server(protocol_factory, sock=sock, backlog=backlog, **options)
        return Listening(self, server, sock, backlog, protocol_factory)
