"""Refusals as problem details (RFC 9457): the codes of v1, and the request id in the body too."""

from collections.abc import Mapping
from typing import Any, get_args

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException, ValidationException

from app.errors import (
    DomainError,
    InstallationScopeDenied,
    Internal,
    InvalidQueryParameters,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    ValidationFailed,
)
from rest.integrations_v2.queries import RULES
from rest.integrations_v2.shapes import Code, FieldProblem, Problem

LOG = structlog.get_logger("dovetail.rest")
PROBLEM_JSON = "application/problem+json"
#: Where this server answers the pages of the codes.
PAGES = "/docs/errors"
NOT_ALLOWED = MethodNotAllowed("This path takes GET.")
_CODES = frozenset(get_args(Code))
_AGAIN_AFTER = 5


def problem_of(error: DomainError, request_id: str) -> Problem:
    """The error as this contract knows it: a code that is not in the contract is never sent."""
    if error.code not in _CODES:
        known = isinstance(error, ValidationFailed)
        error = InvalidQueryParameters(_texts(error)) if known else Internal()
    found = Problem(
        type=f"{PAGES}/{error.code}",
        title=type(error).text,
        status=error.status,
        detail=error.message,
        code=error.code,  # type: ignore[arg-type]  # it is one of them: see above
        request_id=request_id,
    )
    if isinstance(error, InvalidQueryParameters):
        found.errors = [FieldProblem(name, rule) for name, rule in _texts(error).items()]
        found.detail = "; ".join(f"{one.name}: {one.detail}" for one in found.errors)
    elif isinstance(error, InstallationScopeDenied) and error.details:
        found.required_scope = error.details["required_scope"]
        found.granted_scopes = error.details["granted_scopes"]
        found.detail = f"This needs the scope {found.required_scope}, and the credential does not carry it."
    return found


def _texts(error: DomainError) -> dict[str, str]:
    return {name: str(rule) for name, rule in (error.details or {}).items()}


def body_of(error: DomainError, request_id: str) -> bytes:
    return msgspec.json.encode(problem_of(error, request_id))


def answer(error: DomainError, request_id: str, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    problem = problem_of(error, request_id)
    given = {"Cache-Control": "no-store", **(headers or {})}
    if isinstance(error, RateLimited):
        given["Retry-After"] = str(error.retry_after)
    if problem.status == 503:
        given["Retry-After"] = str(_AGAIN_AFTER)
    return Response(msgspec.json.encode(problem), status_code=problem.status, headers=given, media_type=PROBLEM_JSON)


def on_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Any exception under this prefix as the contract's answer; what was not expected is logged and not shown."""
    request_id = request.scope["state"]["request_id"]
    known = error if isinstance(error, DomainError) else _translated(error)
    if known is None:
        LOG.error("unexpected error", request_id=request_id, path=request.scope["path"], exc_info=error)
        known = Internal()
    allow = {"Allow": "GET, OPTIONS"} if isinstance(known, MethodNotAllowed) else None
    return answer(known, request_id, allow)


def _translated(error: Exception) -> DomainError | None:
    """What the framework refused, as an error of ours; None where it is none of the caller's."""
    if isinstance(error, ValidationException):
        return InvalidQueryParameters(_fields(error.extra))
    if isinstance(error, NotFoundException):
        return NotFound("There is nothing at this path.")
    if isinstance(error, MethodNotAllowedException):
        return NOT_ALLOWED
    if isinstance(error, HTTPException) and error.status_code == 413:
        return PayloadTooLarge()
    if isinstance(error, HTTPException) and error.status_code < 500:
        return InvalidQueryParameters({"request": "cannot be read"})
    return None


def _fields(extra: Any) -> dict[str, str]:
    """Field → rule, in words of our own."""
    items = extra if isinstance(extra, list) else []
    names = [str(item.get("key", "query")) for item in items]
    return {name: RULES.get(name, "is not valid") for name in names} or {"query": "cannot be read"}
