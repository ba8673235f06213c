"""Refusals in the contract's form: `{error, code, details}`; the request id is in the header alone."""

from typing import Any, get_args

import msgspec
import structlog
from litestar import Request, Response
from litestar.enums import MediaType
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)

from app.errors import (
    DomainError,
    Internal,
    InvalidQueryParameters,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    Unavailable,
    ValidationFailed,
)
from rest.integrations_v1.queries import RULES
from rest.integrations_v1.shapes import Code

LOG = structlog.get_logger("dovetail.rest")
NOT_ALLOWED = MethodNotAllowed("Method not allowed")
_CODES = frozenset(get_args(Code))


def refusal(error: DomainError) -> DomainError:
    """The error as this contract knows it: a code that is not in the contract is never sent."""
    if error.code in _CODES:
        return error
    return InvalidQueryParameters(dict(error.details or {})) if isinstance(error, ValidationFailed) else Internal()


def body_of(error: DomainError, request_id: str | None = None) -> bytes:
    """This contract has the request id in the header alone."""
    details = None if error.details is None else dict(error.details)
    return msgspec.json.encode({"error": error.message, "code": error.code, "details": details})


def answer(error: DomainError, headers: dict[str, str] | None = None) -> Response[bytes]:
    sent = refusal(error)
    given = dict(headers or {})
    if isinstance(sent, RateLimited):
        given["Retry-After"] = str(sent.retry_after)
    if sent.status == 503:
        given["Retry-After"] = str(Unavailable.RETRY_AFTER)
    return Response(body_of(sent), status_code=sent.status, headers=given, media_type=MediaType.JSON)


def on_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Any exception under this prefix as the contract's answer; what was not expected is logged and not shown."""
    if isinstance(error, DomainError):
        return answer(error)
    if isinstance(error, ValidationException):
        return answer(InvalidQueryParameters(_fields(error.extra)))
    if isinstance(error, NotFoundException):
        return answer(NotFound("Not found"))
    if isinstance(error, MethodNotAllowedException):
        return answer(NOT_ALLOWED, {"Allow": "GET, OPTIONS"})
    if isinstance(error, HTTPException) and error.status_code == 413:
        return answer(PayloadTooLarge())
    if isinstance(error, HTTPException) and error.status_code < 500:
        return answer(InvalidQueryParameters({"request": "cannot be read"}))
    request_id = request.scope["state"]["request_id"]
    LOG.error("unexpected error", request_id=request_id, path=request.scope["path"], exc_info=error)
    return answer(Internal())


def _fields(extra: Any) -> dict[str, str]:
    """Field → rule, in words of our own."""
    fields: dict[str, str] = {}
    for item in extra if isinstance(extra, list) else []:
        name = str(item.get("key", "query"))
        name = "dir" if name == "direction" else name
        fields[name] = RULES.get(name, "is not valid")
    return fields or {"query": "cannot be read"}
