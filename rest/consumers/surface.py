"""One version as an ASGI application below its prefix: its document, CORS preflights, and the routes."""

from typing import Any

from litestar import Litestar
from litestar.types import Receive, Scope, Send

from app.errors import Unavailable
from services.runtime import Runtime

ALLOWED_HEADERS = "X-API-Key, Content-Type, X-Request-Id"


class ConsumerSurface:
    """ASGI: `document` are the bytes of `/openapi.json`, `routes` answers whatever is no preflight."""

    allowed_headers = ALLOWED_HEADERS

    def __init__(self, runtime: Runtime, document: bytes, routes: Litestar) -> None:
        self._runtime, self._document, self._routes = runtime, document, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope.get("method")
        if method == "OPTIONS":
            await self._preflight(scope, send)
        elif method == "GET" and scope["path"] == "/openapi.json":
            await _send(send, 200, [(b"content-type", b"application/json")], self._document)
        else:
            scope["state"]["runtime"] = self._runtime
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._routes(scope, receive, send)

    async def _preflight(self, scope: Scope, send: Send) -> None:
        """RFC 9110 OPTIONS, and for a verified origin the permission that a browser asks for."""
        headers = [(b"allow", b"GET, OPTIONS"), (b"vary", b"Origin")]
        origin = dict(scope["headers"]).get(b"origin")
        if origin is not None and await self._serves(origin.decode("latin-1")):
            headers += [
                (b"access-control-allow-origin", origin),
                (b"access-control-allow-methods", b"GET"),
                (b"access-control-allow-headers", self.allowed_headers.encode()),
                (b"access-control-max-age", b"600"),
            ]
        await _send(send, 204, headers, b"")

    async def _serves(self, origin: str) -> bool:
        try:
            return await self._runtime.keys.serves_origin(origin)
        except Unavailable:
            # Without the permission the browser stops here, and asks again.
            return False


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = [] if status == 204 else [(b"content-length", str(len(body)).encode())]
    start: Any = {"type": "http.response.start", "status": status, "headers": [*headers, *length]}
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})
