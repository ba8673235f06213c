"""One version as an ASGI application below its prefix: its document, CORS preflights, and the routes."""

from collections.abc import Callable

from litestar import Litestar
from litestar.types import Receive, Scope, Send

from app.answers import send_answer
from app.errors import DomainError, MethodNotAllowed, Unavailable
from services.runtime import Runtime

_DOCUMENT = "/openapi.json"
_ALLOW = (b"allow", b"GET, OPTIONS")
ALLOWED_HEADERS = "X-API-Key, Content-Type, X-Request-Id"


class ConsumerSurface:
    """ASGI: `document` are the bytes of `/openapi.json`, `routes` answers whatever is no preflight."""

    allowed_headers = ALLOWED_HEADERS
    #: The refusal of a method, and how this version tells a refusal: its media type, and its body with the request id.
    not_allowed: MethodNotAllowed
    media: bytes
    refused: Callable[[DomainError, str], bytes]

    def __init__(self, runtime: Runtime, document: bytes, routes: Litestar) -> None:
        self._runtime, self._document, self._routes = runtime, document, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope.get("method")
        if method == "OPTIONS":
            await self._preflight(scope, send)
        elif method is not None and scope["path"] == _DOCUMENT:
            await self._served(scope, send)
        else:
            scope["state"]["runtime"] = self._runtime
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._routes(scope, receive, send)

    async def _served(self, scope: Scope, send: Send) -> None:
        """The document; what else is asked of its path is refused as on every other."""
        if scope.get("method") == "GET":
            await send_answer(send, 200, [(b"content-type", b"application/json")], self._document)
            return
        body = self.refused(self.not_allowed, scope["state"]["request_id"])
        headers = [(b"content-type", self.media), _ALLOW, (b"vary", b"Origin"), (b"cache-control", b"no-store")]
        await send_answer(send, self.not_allowed.status, headers, body)

    async def _preflight(self, scope: Scope, send: Send) -> None:
        """RFC 9110 OPTIONS, and for a verified origin the permission that a browser asks for."""
        headers = [_ALLOW, (b"vary", b"Origin")]
        origin = dict(scope["headers"]).get(b"origin")
        if origin is not None and await self._serves(origin.decode("latin-1")):
            headers += [
                (b"access-control-allow-origin", origin),
                (b"access-control-allow-methods", b"GET"),
                (b"access-control-allow-headers", self.allowed_headers.encode()),
                (b"access-control-max-age", b"600"),
            ]
        await send_answer(send, 204, headers, b"")

    async def _serves(self, origin: str) -> bool:
        try:
            return await self._runtime.keys.serves_origin(origin)
        except Unavailable:
            # Without the permission the browser stops here, and asks again.
            return False
