"""Listeners to the audit history over real sockets: server-sent events and graphql-transport-ws."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed


def _connected(url: str, window: int | None) -> socket.socket:
    """`window` is how little the receiver takes in, in bytes; None for the usual."""
    parts, made = urlsplit(url), socket.socket()
    if window is not None:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    made.connect((parts.hostname, parts.port))
    made.setblocking(False)
    return made


QUERY = "subscription { auditEvents { event { seq action } lagged { dropped } } }"


class EventStream:
    """One stream of server-sent events; `ending` is how it ended."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def opened(cls, url: str, token: str, query: str = QUERY, window: int | None = None) -> EventStream:
        parts, body = urlsplit(url), json.dumps({"query": query}).encode()
        reader, writer = await asyncio.open_connection(sock=_connected(url, window))
        head = (
            f"POST /graphql HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
            f"Accept: text/event-stream\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        return cls(reader, writer)

    async def next(self) -> Any:
        """The next answer, or None at `complete`."""
        kind = ""
        while True:
            line = await self._reader.readline()
            if not line:
                raise ConnectionError("the stream was cut, and not completed")
            line = line.strip()
            if line.startswith(b"event:"):
                kind = line[6:].strip().decode()
            elif line.startswith(b"data:"):
                return json.loads(line[5:]) if kind == "next" else None

    async def close(self) -> None:
        self._writer.close()


class Subscription:
    """One subscription on a WebSocket of its own."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    @classmethod
    async def opened(cls, url: str, token: str, query: str = QUERY, window: int | None = None) -> Subscription:
        address = url.replace("http://", "ws://") + "/graphql"
        options: Any = {"subprotocols": ["graphql-transport-ws"], "proxy": None, "ping_interval": None}
        link = await connect(address, sock=_connected(url, window), **options)
        await link.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
        assert json.loads(await link.recv()) == {"type": "connection_ack"}
        await link.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": query}}))
        return cls(link)

    async def next(self) -> Any:
        """The next answer, `{"errors": …}` where the operation failed, or None at `complete`."""
        said = json.loads(await self.socket.recv())
        if said["type"] == "error":
            return {"errors": said["payload"]}
        return said["payload"] if said["type"] == "next" else None

    async def closed(self) -> int | None:
        """The close code, once the server has closed."""
        try:
            while True:
                await self.socket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    async def close(self) -> None:
        await self.socket.close()
