"""The surface as one ASGI application below its prefix, with its own 404 and 405."""

import re
from typing import Any

import msgspec
from litestar import Litestar
from litestar.logging import LoggingConfig
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, Reference, SecurityScheme, Server
from litestar.types import Receive, Scope, Send

from app.answers import send_answer
from app.errors import DomainError, MethodNotAllowed
from rest.platform_v1 import PREFIX, REVISION
from rest.platform_v1.document import DescribedApp
from rest.platform_v1.entry import add_headers
from rest.platform_v1.errors import body_at, form_of, on_error
from rest.platform_v1.importing import IMPORT
from rest.platform_v1.landing import LANDING, Landing
from rest.platform_v1.routes import ROUTES
from services.runtime import Runtime

_JSON = (b"content-type", b"application/json")
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
    if path in _PAGES:
        return "GET, OPTIONS"
    found = [(held, method) for pattern, held, method in _PATTERNS if pattern.fullmatch(path.rstrip("/"))]
    # A literal segment goes before a parameter, as in routing.
    fewest = min((held for held, _ in found), default=0)
    methods = {method for held, method in found if held == fewest}
    return ", ".join(sorted({*methods, "OPTIONS"})) if methods else None


_DOCUMENT = "/openapi.json"
#: Served beside the routes, without a credential.
_PAGES = frozenset({_DOCUMENT, LANDING})
_PATTERNS = [
    (re.compile(_PARAMETER.sub("[^/]+", path)), len(_PARAMETER.findall(path)), str(method))
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
        self._document, self._app, self._settings = document, build_app(runtime), runtime.settings
        self._landing = Landing(runtime)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope.get("method"), scope["path"]
        allowed = allowed_methods(path) if method == "OPTIONS" else None
        if allowed is not None:
            await send_answer(send, 204, [(b"allow", allowed.encode())], b"")
        elif method is None or path not in _PAGES:
            await self._app(scope, receive, send)
        elif method != "GET":
            status, body = self.refusal(path, scope["state"]["request_id"], MethodNotAllowed())
            await send_answer(send, status, [_JSON, (b"allow", b"GET, OPTIONS")], body)
        elif path == LANDING:
            await self._landing(scope, send)
        else:
            await send_answer(send, 200, [_JSON], self._document)

    def most_bytes(self, path: str) -> int:
        """The largest body that a path below the prefix takes."""
        settings = self._settings
        return settings.import_max_bytes if path.rstrip("/") == IMPORT else settings.max_body_bytes

    def refusal(self, path: str, request_id: str, error: DomainError) -> tuple[int, bytes]:
        """Status and body of a refusal before the routes: `path` is below the prefix."""
        return form_of(path, error).status or error.status, body_at(path, request_id, error)
