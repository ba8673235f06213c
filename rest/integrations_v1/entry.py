"""The way in: a guard that lets the gate judge the key, and the headers that every answer carries."""

from math import ceil
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from app.clock import SECOND, http_date
from services.access.gate import Approach
from services.context import Context
from services.operations import check_scope, declared
from services.runtime import Runtime

API = "integrations/v1"
EXPOSED = (
    "X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, RateLimit, RateLimit-Policy, "
    "Retry-After, Deprecation, Sunset"
)


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard: header, key, credential, installation, rate limit, origin, scope; then the query is looked at."""
    scope = connection.scope
    runtime: Runtime = scope["litestar_app"].state.runtime
    operation = declared(handler.opt["operation"])
    approach = _approach(connection, operation.name, walk=bool(handler.opt.get("walk")))
    state: dict[str, Any] = scope["state"]
    state["approach"] = approach
    principal = await runtime.gate.admit(approach, pending_too=bool(handler.opt.get("pending_too")))
    context = state["context"] = Context(runtime, principal, "rest", approach.request_id)
    await check_scope(context, operation)
    if approach.opened is not None:
        opened = approach.opened
        asked = (approach.surface, operation.name, scope["query_string"])
        runtime.usage.note(opened.tenant, opened.installation, opened.credential, *asked)


def _approach(connection: ASGIConnection[Any, Any, Any, Any], operation: str, *, walk: bool) -> Approach:
    headers = connection.headers
    client = connection.scope.get("client")
    state = connection.scope["state"]
    page, key = _walk_of(connection.scope) if walk else (1, None)
    return Approach(
        api_key=headers.get("x-api-key"),
        origin=headers.get("origin"),
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
    approach: Approach | None = scope.get("state", {}).get("approach")
    added = [("vary", "Origin")]
    if approach is not None:
        added += [*_limit_headers(approach, scope), *_key_headers(approach), *_cors_headers(approach)]
    # Put on the end as they are: none of them is there yet, and a look-up for each would cost more than the gate.
    message["headers"] = [*message["headers"], *((name.lower().encode(), value.encode()) for name, value in added)]


def _limit_headers(approach: Approach, scope: Scope) -> list[tuple[str, str]]:
    verdict = approach.verdict
    if verdict is None:
        return []
    runtime: Runtime = scope["litestar_app"].state.runtime
    seconds = ceil(verdict.reset_after) if verdict.admitted else verdict.retry_seconds
    remaining = max(0, verdict.remaining) if verdict.admitted else 0
    return [
        ("X-RateLimit-Limit", str(verdict.quota)),
        ("X-RateLimit-Remaining", str(remaining)),
        ("X-RateLimit-Reset", str(runtime.clock.now_ms() // SECOND + seconds)),
        ("RateLimit-Policy", f'"installation";q={verdict.quota};w=60'),
        ("RateLimit", f'"installation";r={remaining};t={seconds}'),
    ]


def _key_headers(approach: Approach) -> list[tuple[str, str]]:
    """RFC 9745 and RFC 8594: the key was rotated and works until its sunset."""
    opened = approach.opened
    if opened is None or opened.rotated_at is None or opened.expires_at is None:
        return []
    return [("Deprecation", f"@{opened.rotated_at // SECOND}"), ("Sunset", http_date(opened.expires_at))]


def _cors_headers(approach: Approach) -> list[tuple[str, str]]:
    if approach.origin is None or approach.opened is None or approach.origin not in approach.opened.origins:
        return []
    return [("Access-Control-Allow-Origin", approach.origin), ("Access-Control-Expose-Headers", EXPOSED)]
