"""The way in: who calls, whether the limit holds, and whether the scope is there; then the answer's own headers."""

import asyncio
import re
from math import ceil
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import InternalServerException
from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from app.auth.principal import Principal
from app.clock import SECOND
from app.errors import MalformedBody, PayloadTooLarge, RequestsLimited, UnsupportedMediaType, ValidationFailed
from rest.platform_v1.errors import is_service, wire_names
from rest.platform_v1.queries import check_query
from services.access.callers import credential, identify
from services.context import Context
from services.limits import Verdict
from services.operations import check_scope, declared
from services.runtime import Runtime

#: Requests a minute and at once of the platform, by tier.
_TIERS = {"standard": (1_000, 100), "premium": (5_000, 500)}
_UPLOAD_SECONDS = 60
_EXECUTE = re.compile(r"/methods/[^/]+/execute/?$")
#: The name of this version in the ledger of uses.
API = "platform/v1"
Asked = Request[Any, Any, Any]


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard: token or certificate, rate limit, scope; only then is the request looked at."""
    scope = connection.scope
    runtime: Runtime = scope["litestar_app"].state.runtime
    state: dict[str, Any] = scope["state"]
    given = credential(scope, connection.headers.get("authorization"))
    principal = await identify(runtime, given, "rest", state["request_id"])
    verdict = state["verdict"] = await _limited(runtime, scope, principal)
    if not verdict.admitted:
        raise RequestsLimited(verdict.retry_seconds)
    context = state["context"] = Context(runtime, principal, "rest", state["request_id"])
    await check_scope(context, declared(handler.opt["operation"]))
    if handler.opt["body"] is None or handler.opt["upload"]:
        _note(context, scope, b"")
    check_query(scope["query_string"], frozenset(wire_names(handler).values()))


def _note(context: Context, scope: Any, body: bytes) -> None:
    operation_id = str(scope["route_handler"].operation_id)
    context.runtime.usage.note_request(context.principal, API, operation_id, scope["query_string"], body)
    scope["state"]["noted"] = True


async def _limited(runtime: Runtime, scope: Scope, principal: Principal) -> Verdict:
    settings = runtime.settings
    # A method has a limit of its own, for each instance.
    if is_service(scope["path"]) and not _EXECUTE.search(scope["path"]):
        kind, quota = "write", settings.integration_writes_per_minute
        if scope["method"] == "GET":  # type: ignore[typeddict-item]
            kind, quota = "read", settings.integration_reads_per_minute
        burst = quota
    else:
        kind, (quota, burst) = "platform", _TIERS[principal.tier]
    return await runtime.limiter.hit(f"{kind}:{principal.tenant}:{principal.subject}", quota, burst)


async def add_headers(message: Message, scope: Scope) -> None:
    """`before_send` hook: the state of the limit, on every answer that was counted."""
    if message["type"] != "http.response.start":
        return
    state = scope.get("state", {})
    context: Context | None = state.get("context")
    verdict: Verdict | None = context.verdict if context is not None and context.verdict else state.get("verdict")
    if verdict is not None:
        runtime: Runtime = scope["litestar_app"].state.runtime
        added = _limit_headers(verdict, runtime.clock.now_ms())
        message["headers"] = [*message["headers"], *((name.lower().encode(), text.encode()) for name, text in added)]


def _limit_headers(verdict: Verdict, now: int) -> list[tuple[str, str]]:
    seconds = ceil(verdict.reset_after) if verdict.admitted else verdict.retry_seconds
    remaining = max(0, verdict.remaining) if verdict.admitted else 0
    return [
        ("X-RateLimit-Limit", str(verdict.quota)),
        ("X-RateLimit-Remaining", str(remaining)),
        ("X-RateLimit-Reset", str(now // SECOND + seconds)),
        ("RateLimit-Policy", f'"caller";q={verdict.quota};w=60'),
        ("RateLimit", f'"caller";r={remaining};t={seconds}'),
    ]


def context_of(request: Asked) -> Context:
    context: Context = request.scope["state"]["context"]
    return context


async def body_of(request: Asked) -> bytes:
    """The body, which is JSON unless the route takes more. Raises UnsupportedMediaType and PayloadTooLarge."""
    state: dict[str, Any] = request.scope["state"]
    if request.scope["route_handler"].opt["upload"]:
        if "uploaded" not in state:
            _check_media(request)
            state["uploaded"] = await _uploaded(request, context_of(request).runtime.settings.import_max_bytes)
        uploaded: bytes = state["uploaded"]
        return uploaded
    body = await request.body()
    if len(body) > context_of(request).runtime.settings.max_body_bytes:
        raise PayloadTooLarge
    if body:
        _check_media(request)
    if "noted" not in state:
        _note(context_of(request), request.scope, body)
    return body


def _check_media(request: Asked) -> None:
    kind = (request.headers.get("content-type") or "").partition(";")[0].strip().lower()
    taken = request.scope["route_handler"].opt["media"]
    if kind not in taken:
        raise UnsupportedMediaType(f"This path takes {', '.join(taken)}.")


async def _uploaded(request: Asked, most: int) -> bytes:
    """A large body, read piece by piece: one that is too large or too slow is not read to its end."""
    pieces, size = [], 0
    try:
        async with asyncio.timeout(_UPLOAD_SECONDS):
            async for piece in request.stream():
                size += len(piece)
                if size > most:
                    raise PayloadTooLarge
                pieces.append(piece)
    except TimeoutError:
        raise MalformedBody(f"The body did not arrive within {_UPLOAD_SECONDS} seconds.") from None
    except InternalServerException:
        raise MalformedBody("The body ended before it was whole.") from None
    return b"".join(pieces)


def expected_version(request: Asked) -> int | None:
    """The version that `If-Match` names (RFC 9110 section 13.1.1); None where any is right."""
    text = (request.headers.get("if-match") or "*").strip()
    if text == "*":
        return None
    if "," in text:
        raise ValidationFailed({"If-Match": "must be one ETag of an earlier answer, or *"})
    # An ETag of another form is not this row's, and so matches no version of it.
    return int(text[1:-1]) if text[:1] == text[-1:] == '"' and text[1:-1].isascii() and text[1:-1].isdigit() else -1
