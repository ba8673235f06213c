"""The way in to v1: what names a walk here, and the headers of its answers."""

from collections.abc import Mapping
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from rest.consumers import admission
from rest.consumers.headers import headers_of


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard: who was not let in or refused before the routing is now; then the query is looked at."""
    state = connection.scope["state"]
    if "refused" in state:
        raise state["refused"]
    if "context" not in state:
        await let_in(connection.scope, handler.opt)


async def let_in(scope: Any, opt: Mapping[str, Any]) -> None:
    """Header, key, credential, installation, rate limit, origin, scope. `opt` is the route's; raises the refusal."""
    page, walk = _walk_of(scope) if opt.get("walk") else (1, None)
    await admission.let_in(scope, opt, admission.approach_of(scope, opt, "integrations/v1", page=page, walk=walk))


def _walk_of(scope: Scope) -> tuple[int, str]:
    """The page that is asked for, and what names the walk: the list and its query without the page."""
    pairs = scope["query_string"].split(b"&")
    pages = [pair[5:] for pair in pairs if pair.startswith(b"page=")]
    page = int(pages[-1]) if pages and pages[-1].isdigit() and len(pages[-1]) < 17 else 1
    rest = b"&".join(sorted(pair for pair in pairs if pair and not pair.startswith(b"page=")))
    return page, f"{scope['path']}?{rest.decode('latin-1')}"


async def add_headers(message: Message, scope: Scope) -> None:
    """`before_send` hook."""
    if message["type"] == "http.response.start":
        # Put on the end as they are: none of them is there yet, and a look-up for each would cost more than the gate.
        message["headers"] = [*message["headers"], *headers_of(scope)]
