"""Subscriptions over WebSocket: the protocol graphql-transport-ws."""

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from graphql import GraphQLSchema

from app.endings import ended
from app.settings import Settings
from graph.transport_ws import Socket
from graph.wire import Receive, Scope, Send, header

if TYPE_CHECKING:
    from graph.admission import Admission

PROTOCOL = "graphql-transport-ws"
#: How long a socket may take to leave when the server stops; who does not read is cut off with the server.
LEAVE_SECONDS = 5.0


class WebSockets:
    """All open sockets of a server."""

    def __init__(
        self, schema: GraphQLSchema, admission: "Admission", settings: Settings, init_seconds: float = 10.0
    ) -> None:
        self._schema, self._admission, self._settings = schema, admission, settings
        self.init_seconds = init_seconds
        self._open: set[Socket] = set()
        self._stopped = False

    def __len__(self) -> int:
        return len(self._open)

    async def stop(self) -> None:
        """Complete every subscription and close every socket with 1001 (going away); who does not read is left."""
        self._stopped = True
        leaving = [asyncio.ensure_future(socket.leave()) for socket in self._open]
        if leaving:
            await asyncio.wait(leaving, timeout=LEAVE_SECONDS)
            await ended(*leaving)
            await asyncio.gather(*leaving, return_exceptions=True)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        message: Any = await receive()
        if message["type"] != "websocket.connect":
            return
        if self._stopped or not self._is_same_origin(scope) or scope["path"].rstrip("/") != "/graphql":
            # Before it is accepted, a close is answered as 403 by the server.
            await send({"type": "websocket.close", "code": 1001 if self._stopped else 4403, "reason": "Forbidden"})
            return
        if PROTOCOL not in scope.get("subprotocols", ()):
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4406, "reason": "Subprotocol not acceptable"})
            return
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        socket = Socket(self._schema, self._admission, scope, receive, send)
        socket.init_seconds, socket.most_bytes = self.init_seconds, self._settings.max_body_bytes
        self._open.add(socket)
        try:
            await socket.run()
        finally:
            self._open.discard(socket)

    def _is_same_origin(self, scope: Scope) -> bool:
        """Browsers send Origin and no other site may open a socket here; other clients send none."""
        origin = header(scope, b"origin")
        if origin is None:
            return True
        own = {(header(scope, b"host") or "").lower(), urlsplit(self._settings.url).netloc.lower()}
        return urlsplit(origin).netloc.lower() in own - {""}
