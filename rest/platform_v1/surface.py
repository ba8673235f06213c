"""The surface as one ASGI application below its prefix, with its own 404 and 405."""

import re
from typing import Any

import msgspec
from litestar import Litestar
from litestar.logging import LoggingConfig
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, Reference, SecurityScheme, Server
from litestar.types import Receive, Scope, Send

from app.errors import DomainError
from rest.platform_v1 import PREFIX, REVISION
from rest.platform_v1.document import DescribedApp
from rest.platform_v1.entry import add_headers
from rest.platform_v1.errors import body_at, form_of, on_error
from rest.platform_v1.landing import LANDING, Landing
from rest.platform_v1.routes import ROUTES
from services.runtime import Runtime

_SCHEMES: dict[str, SecurityScheme | Reference] = {
    "Bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT", description="A bearer token."),
    "ClientCertificate": SecurityScheme(type="mutualTLS", description="The client certificate of a service."),
}
_PARAMETER = re.compile(r"\{[^/]*\}")


def _bodies() -> dict[str, Any]:
    """The schemas of what is sent in, which Litestar does not see: bodies are read by code of our own."""
    kinds = list(dict.fromkeys(kind for route in ROUTES if (kind := route.opt["body"]) is not None))
    _, schemas = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    return dict(schemas)


def openapi_config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Dovetail platform",
        version=REVISION,
        description="Integrations: what can be connected, and what is connected.",
        servers=[Server(url=PREFIX)],
        components=Components(security_schemes=_SCHEMES),
        use_handler_docstrings=False,
        create_examples=False,
        render_plugins=[],
    )


def allowed_methods(path: str) -> str | None:
    """What `Allow` says of a path below the prefix; None where there is none."""
    found = {method for pattern, method in _PATTERNS if pattern.fullmatch(path.rstrip("/"))}
    return ", ".join(sorted(found)) or None


_PATTERNS = [
    (re.compile(_PARAMETER.sub("[^/]+", path)), str(method))
    for route in ROUTES
    for path in route.paths
    for method in route.http_methods
]


def build_app(runtime: Runtime | None) -> Litestar:
    """The routes; without a runtime only good for the document."""
    app = DescribedApp(
        ROUTES,
        exception_handlers={Exception: on_error},
        before_send=[add_headers],
        # Litestar would add routes of its own for the document; the served one is the snapshot.
        openapi_config=openapi_config() if runtime is None else None,
        logging_config=LoggingConfig(configure_root_logger=False, log_exceptions="never"),
        request_max_body_size=None if runtime is None else runtime.settings.max_body_bytes,
    )
    app.state.runtime, app.state.allowed = runtime, allowed_methods
    if runtime is None:
        _join(app.openapi_schema.components.schemas, _bodies())
    return app


def _join(answered: dict[str, Any], sent: dict[str, Any]) -> None:
    """Put the schemas of bodies beside those of answers. Raises TypeError where two have one name."""
    if both := answered.keys() & sent.keys():
        raise TypeError(f"the document has two schemas of the name {', '.join(sorted(both))}")
    answered.update(sent)


class PlatformV1:
    """ASGI: the contract's document, the page where browsers land, and the routes."""

    def __init__(self, runtime: Runtime, document: bytes) -> None:
        self._document, self._app = document, build_app(runtime)
        self._landing = Landing(runtime)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") == "GET" and scope["path"] == "/openapi.json":
            length = str(len(self._document)).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", length)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": self._document, "more_body": False})
        elif scope.get("method") == "GET" and scope["path"] == LANDING:
            await self._landing(scope, send)
        else:
            await self._app(scope, receive, send)

    def refusal(self, path: str, request_id: str, error: DomainError) -> tuple[int, bytes]:
        """Status and body of a refusal before the routes: `path` is below the prefix."""
        return form_of(path, error).status or error.status, body_at(path, request_id, error)
