"""The surface as one ASGI application below its prefix, with its own 404, 405 and CORS."""

from litestar import Litestar
from litestar.logging import LoggingConfig
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme, Server
from litestar.types import Receive, Scope, Send

from rest.consumers.surface import ConsumerSurface
from rest.framework import Surface
from rest.integrations_v1 import PREFIX, REVISION
from rest.integrations_v1.entry import add_headers
from rest.integrations_v1.errors import NOT_ALLOWED, body_of, on_error
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
    return Surface(
        ROUTES,
        exception_handlers={Exception: on_error},
        before_send=[add_headers],
        # Litestar would add routes of its own for the document; the served one is the snapshot.
        openapi_config=openapi_config() if runtime is None else None,
        logging_config=LoggingConfig(configure_root_logger=False, log_exceptions="never"),
    )


#: The lists, by path, with what their routes say of them.
LISTS = {path: route.opt for route in ROUTES if route.opt.get("walk") for path in route.paths}


class IntegrationsV1(ConsumerSurface):
    """ASGI: the contract's document, CORS preflights, and the routes; a list that is kept comes without them."""

    not_allowed, media, refused = NOT_ALLOWED, b"application/json", staticmethod(body_of)

    def __init__(self, runtime: Runtime, document: bytes) -> None:
        super().__init__(runtime, document, build_app(runtime))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        listed = LISTS.get(scope["path"]) if scope.get("method") == "GET" else None
        if listed is None or not await answer_kept(scope, send, listed):
            await super()._answer(scope, receive, send)
