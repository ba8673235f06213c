"""The way in: a guard that lets the gate judge the key, and the headers that every answer carries."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from app.clock import SECOND, http_date
from app.headers import header
from services.access.gate import Approach
from services.context import Context
from services.operations import check_scope, declared
from services.runtime import Runtime

API = "integrations/v1"
_VARY = (b"vary", b"Origin")
EXPOSED = (
    "X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, RateLimit, RateLimit-Policy, "
    "Retry-After, Deprecation, Sunset"
)


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard: who was not let in or refused before the routing is now; then the query is looked at."""
    state = connection.scope["state"]
    if "refused" in state:
        raise state["refused"]
    if "context" not in state:
        await let_in(connection.scope, handler.opt)


async def let_in(scope: Any, opt: Mapping[str, Any]) -> None:
    """Header, key, credential, installation, rate limit, origin, scope. `opt` is the route's; raises the refusal."""
    state: dict[str, Any] = scope["state"]
    runtime: Runtime = state["runtime"]
    operation = declared(opt["operation"])
    approach = state["approach"] = _approach(scope, operation.name, walk=bool(opt.get("walk")))
    principal = await runtime.gate.admit(approach, pending_too=bool(opt.get("pending_too")))
    context = state["context"] = Context(runtime, principal, "rest", approach.request_id)
    await check_scope(context, operation)
    if approach.opened is not None:
        opened = approach.opened
        asked = (approach.surface, operation.name, scope["query_string"])
        runtime.usage.note(opened.tenant, opened.installation, opened.credential, *asked)


def _approach(scope: Any, operation: str, *, walk: bool) -> Approach:
    client, state = scope.get("client"), scope["state"]
    page, key = _walk_of(scope) if walk else (1, None)
    return Approach(
        api_key=header(scope, b"x-api-key"),
        origin=header(scope, b"origin"),
        address=client[0] if client else "unknown",
        surface=state.get("surface", API),
        request_id=state["request_id"],
        operation=operation,
        walk=key,
        page=page,
    )


def _walk_of(scope: Scope) -> tuple[int, str]:
    """The page that is asked for, and what names the walk: the list and its query without the page."""
    pairs = scope["query_string"].split(b"&")
    pages = [pair[5:] for pair in pairs if pair.startswith(b"page=")]
    page = int(pages[-1]) if pages and pages[-1].isdigit() and len(pages[-1]) < 17 else 1
    rest = b"&".join(sorted(pair for pair in pairs if pair and not pair.startswith(b"page=")))
    return page, f"{scope['path']}?{rest.decode('latin-1')}"


async def add_headers(message: Message, scope: Scope) -> None:
    """`before_send` hook: rate limits, deprecation of a rotated key, CORS for the installation's own origins."""
    if message["type"] != "http.response.start":
        return
    # Put on the end as they are: none of them is there yet, and a look-up for each would cost more than the gate.
    message["headers"] = [*message["headers"], *headers_of(scope)]


def headers_of(scope: Any) -> list[tuple[bytes, bytes]]:
    """The headers that every answer carries, whoever makes its body."""
    state = scope.get("state", {})
    approach: Approach | None = state.get("approach")
    if approach is None:
        return [_VARY]
    added = [*_limit_headers(approach, state["runtime"]), *_key_headers(approach), *_cors_headers(approach)]
    return [_VARY, *((name, value.encode()) for name, value in added)]


def _limit_headers(approach: Approach, runtime: Runtime) -> list[tuple[bytes, str]]:
    verdict = approach.verdict
    if verdict is None:
        return []
    seconds = ceil(verdict.reset_after) if verdict.admitted else verdict.retry_seconds
    remaining = max(0, verdict.remaining) if verdict.admitted else 0
    return [
        (b"x-ratelimit-limit", str(verdict.quota)),
        (b"x-ratelimit-remaining", str(remaining)),
        (b"x-ratelimit-reset", str(runtime.clock.now_ms() // SECOND + seconds)),
        (b"ratelimit-policy", f'"installation";q={verdict.quota};w=60'),
        (b"ratelimit", f'"installation";r={remaining};t={seconds}'),
    ]


def _key_headers(approach: Approach) -> list[tuple[bytes, str]]:
    """RFC 9745 and RFC 8594: the key was rotated and works until its sunset."""
    opened = approach.opened
    if opened is None or opened.rotated_at is None or opened.expires_at is None:
        return []
    return [(b"deprecation", f"@{opened.rotated_at // SECOND}"), (b"sunset", http_date(opened.expires_at))]


def _cors_headers(approach: Approach) -> list[tuple[bytes, str]]:
    if approach.origin is None or approach.opened is None or approach.origin not in approach.opened.origins:
        return []
    return [(b"access-control-allow-origin", approach.origin), (b"access-control-expose-headers", EXPOSED)]
