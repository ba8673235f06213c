"""The surface as one ASGI application below its prefix, with its own 404, 405 and CORS."""

from typing import Any

from litestar import Litestar
from litestar.logging import LoggingConfig
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme, Server
from litestar.types import Receive, Scope, Send

from app.errors import Unavailable
from rest.integrations_v1 import PREFIX, REVISION
from rest.integrations_v1.entry import add_headers
from rest.integrations_v1.errors import on_error
from rest.integrations_v1.pages import answer_kept
from rest.integrations_v1.routes import ROUTES
from services.runtime import Runtime

_API_KEY = SecurityScheme(
    type="apiKey", name="X-API-Key", security_scheme_in="header", description="A key of an installation."
)


def openapi_config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Dovetail integrations",
        version=REVISION,
        description="The contract of external consumers: server to server, JSON, one key of an installation.",
        servers=[Server(url=PREFIX)],
        components=Components(security_schemes={"ApiKey": _API_KEY}),
        use_handler_docstrings=False,
        create_examples=False,
        render_plugins=[],
    )


def build_app(runtime: Runtime | None) -> Litestar:
    """The routes; without a runtime only good for the document."""
    return Litestar(
        ROUTES,
        exception_handlers={Exception: on_error},
        before_send=[add_headers],
        # Litestar would add routes of its own for the document; the served one is the snapshot.
        openapi_config=openapi_config() if runtime is None else None,
        logging_config=LoggingConfig(configure_root_logger=False, log_exceptions="never"),
    )


#: The lists, by path, with what their routes say of them.
LISTS = {path: route.opt for route in ROUTES if route.opt.get("walk") for path in route.paths}


class IntegrationsV1:
    """ASGI: the contract's document, CORS preflights, and the routes."""

    def __init__(self, runtime: Runtime, document: bytes) -> None:
        self._runtime, self._document = runtime, document
        self._app = build_app(runtime)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope.get("method")
        if method == "OPTIONS":
            await self._preflight(scope, send)
        elif method == "GET" and scope["path"] == "/openapi.json":
            await _send(send, 200, [(b"content-type", b"application/json")], self._document)
        else:
            scope["state"]["runtime"] = self._runtime
            if method == "GET" and scope["path"] in LISTS and await answer_kept(scope, send, LISTS[scope["path"]]):
                return
            await self._app(scope, receive, send)

    async def _preflight(self, scope: Scope, send: Send) -> None:
        """RFC 9110 OPTIONS, and for a verified origin the permission that a browser asks for."""
        headers = [(b"allow", b"GET, OPTIONS"), (b"vary", b"Origin")]
        origin = dict(scope["headers"]).get(b"origin")
        if origin is not None and await self._serves(origin.decode("latin-1")):
            headers += [
                (b"access-control-allow-origin", origin),
                (b"access-control-allow-methods", b"GET"),
                (b"access-control-allow-headers", b"X-API-Key, Content-Type, X-Request-Id"),
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
