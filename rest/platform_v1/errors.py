"""Refusals in the two dialects; the code of a domain error has its own name, and sometimes its own status, in each."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import structlog
from litestar import Request, Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException, ValidationException
from litestar.params import QueryParameter

from app.clock import SECOND, SYSTEM_CLOCK, iso
from app.errors import (
    DomainError,
    Internal,
    InvalidQueryParameters,
    MalformedBody,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    UnsupportedMediaType,
    ValidationFailed,
)
from app.retrying import can_retry, retry_seconds
from app.shown_paths import shown_path
from rest.platform_v1.queries import RULES

LOG = structlog.get_logger("dovetail.rest")
#: Everything of the integration service's own dialect is below these; the rest of the platform has the envelope.
_SERVICE = re.compile(r"/integrations/(?:definitions|instances|auth|webhooks)(?:/|$)")


class Form(NamedTuple):
    """A code in one dialect; `status` None keeps the error's own."""

    code: str
    status: int | None = None


_SERVICE_FORMS = {
    "validation_failed": Form("VALIDATION_ERROR"),
    "invalid_query_parameters": Form("VALIDATION_ERROR"),
    "integration_config_invalid": Form("VALIDATION_ERROR"),
    "malformed_body": Form("VALIDATION_ERROR"),
    "unauthenticated": Form("UNAUTHORIZED"),
    "invalid_token": Form("UNAUTHORIZED"),
    "webhook_refused": Form("UNAUTHORIZED"),
    "scope_denied": Form("FORBIDDEN"),
    "not_found": Form("INTEGRATION_NOT_FOUND"),
    "integration_type_unknown": Form("INTEGRATION_NOT_FOUND"),
    "conflict": Form("CONFLICT"),
    "in_use": Form("CONFLICT"),
    "invalid_transition": Form("CONFLICT"),
    "version_conflict": Form("CONFLICT"),
    "idempotency_in_progress": Form("CONFLICT"),
    "integration_method_not_found": Form("METHOD_NOT_FOUND"),
    "integration_not_ready": Form("CONFLICT"),
    "integration_disabled": Form("CONFLICT"),
    "integration_not_authenticated": Form("AUTH_ERROR"),
    "integration_auth_failed": Form("AUTH_ERROR"),
    "integration_rate_limit_exceeded": Form("RATE_LIMIT_EXCEEDED"),
    "integration_timeout": Form("TIMEOUT_ERROR"),
    "execution_failed": Form("EXECUTION_ERROR"),
}
_ENVELOPE_FORMS = {
    "validation_failed": Form("VAL_FAILED"),
    "invalid_query_parameters": Form("VAL_FAILED"),
    "malformed_body": Form("VAL_MALFORMED_JSON"),
    "integration_config_invalid": Form("INT_CONFIG_INVALID", 422),
    "integration_type_unknown": Form("INT_TYPE_UNKNOWN", 422),
    "unauthenticated": Form("AUTH_TOKEN_MISSING"),
    "invalid_token": Form("AUTH_TOKEN_INVALID"),
    "scope_denied": Form("PERM_DENIED"),
    "not_found": Form("RES_NOT_FOUND"),
    "conflict": Form("RES_ALREADY_EXISTS"),
    "in_use": Form("RES_IN_USE"),
    "invalid_transition": Form("RES_STATE_CONFLICT"),
    "version_conflict": Form("RES_VERSION_CONFLICT"),
    "idempotency_in_progress": Form("RES_STATE_CONFLICT"),
    "idempotency_key_reused": Form("RES_IDEMPOTENCY_MISMATCH"),
    "rate_limit_exceeded": Form("SYS_RATE_LIMITED"),
    "integration_rate_limit_exceeded": Form("INT_RATE_LIMITED"),
    "integration_method_not_found": Form("INT_METHOD_NOT_FOUND"),
    "integration_not_ready": Form("INT_NOT_READY"),
    "integration_disabled": Form("INT_DISABLED", 422),
    "integration_not_authenticated": Form("INT_NOT_AUTHENTICATED"),
    "integration_auth_failed": Form("INT_CONNECTION_FAILED", 422),
    "integration_error": Form("INT_CONNECTION_FAILED", 422),
    "integration_timeout": Form("INT_CONNECTION_FAILED", 422),
    "execution_failed": Form("INT_EXECUTION_FAILED"),
    "circuit_open": Form("INT_CIRCUIT_OPEN"),
    "discovery_unsupported": Form("INT_DISCOVERY_UNSUPPORTED"),
    "internal_error": Form("SYS_INTERNAL"),
    "service_unavailable": Form("SYS_DEPENDENCY"),
}
#: The rule in words tells which kind of rule it is.
_KINDS = (
    ("is required", "VAL_REQUIRED"),
    ("is not a field", "VAL_UNKNOWN_FIELD"),
    ("is not a parameter", "VAL_UNKNOWN_FIELD"),
    ("must be one of", "VAL_ENUM"),
    ("between", "VAL_RANGE"),
    ("of length", "VAL_LENGTH"),
    (" >= ", "VAL_RANGE"),
    (" <= ", "VAL_RANGE"),
    ("control characters", "VAL_FORMAT"),
    ("characters", "VAL_LENGTH"),
    ("must not be empty", "VAL_LENGTH"),
    ("matching regex", "VAL_PATTERN"),
    ("must be str", "VAL_TYPE"),
    ("must be int", "VAL_TYPE"),
    ("must be object", "VAL_TYPE"),
    ("must be array", "VAL_TYPE"),
    ("must be bool", "VAL_TYPE"),
    ("must be a text", "VAL_TYPE"),
    ("must be an integer of", "VAL_TYPE"),
)


_SNAKE = re.compile(r"_([a-z])")
#: What Litestar says of a parameter that is not there.
_MISSING = re.compile(r"Missing required query parameter '([A-Za-z]+)'")


class RouteNotFound(NotFound):
    """There is no such path; unlike an id that names nothing."""


def is_service(path: str) -> bool:
    """Whether a path below the prefix answers in the integration service's own dialect."""
    return _SERVICE.match(path) is not None


def form_of(path: str, error: DomainError) -> Form:
    forms = _SERVICE_FORMS if is_service(path) else _ENVELOPE_FORMS
    found = forms.get(error.code, Form(error.code.upper()))
    if isinstance(error, RouteNotFound):
        found = Form("NOT_FOUND")
    return found if found.status is not None else found._replace(status=error.status)


def body_at(path: str, request_id: str, error: DomainError) -> bytes:
    """The body of a refusal at a path below the prefix."""
    form = form_of(path, error)
    if is_service(path):
        return msgspec.json.encode({"error": _service(form, error) | {"requestId": request_id}})
    meta = {"requestId": request_id, "timestamp": iso(SYSTEM_CLOCK.now_ms())}
    return msgspec.json.encode({"success": False, "error": _enveloped(form, error), "meta": meta})


def body_of(error: DomainError, request_id: str) -> bytes:
    """The body where nothing is known of the path."""
    return body_at("/", request_id, error)


def _faults(error: DomainError) -> list[dict[str, str]]:
    if isinstance(error, MalformedBody):
        return [{"path": "body", "message": error.message}]
    return [{"path": path, "message": str(rule)} for path, rule in (error.details or {}).items()]


def _service(form: Form, error: DomainError) -> dict[str, Any]:
    checked = isinstance(error, ValidationFailed | MalformedBody)
    details: Any = _faults(error) if checked else _details(error)
    shown = {"code": form.code, "message": error.message, "details": details, "kind": error.code}
    shown["canRetry"] = can_retry(error)
    seconds = retry_seconds(error)
    return shown if seconds is None else shown | {"retryAfterMs": seconds * SECOND}


def _enveloped(form: Form, error: DomainError) -> dict[str, Any]:
    shown: dict[str, Any] = {"code": form.code, "message": error.message}
    if form.status == 422 and isinstance(error, ValidationFailed):
        return shown | {"details": {"errors": _faults(error)}}
    if isinstance(error, ValidationFailed):
        fields = [{"field": f["path"], "message": f["message"], "code": _rule(f["message"])} for f in _faults(error)]
        return shown | {"validationErrors": fields}
    return shown | ({"details": _details(error)} if error.details else {})


def _details(error: DomainError) -> dict[str, Any]:
    """The members in this surface's spelling; what they hold is left alone, as it may be another side's answer."""
    return {_SNAKE.sub(lambda found: found[1].upper(), name): value for name, value in (error.details or {}).items()}


def _rule(message: str) -> str:
    return next((code for words, code in _KINDS if words in message), "VAL_FORMAT")


def answer(path: str, request_id: str, error: DomainError, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    given = dict(headers or {})
    seconds = retry_seconds(error)
    if seconds is not None:
        given["Retry-After"] = str(seconds)
    if error.status == 401:
        given["WWW-Authenticate"] = "Signature" if error.code == "webhook_refused" else "Bearer"
    status = form_of(path, error).status or error.status
    return Response(body_at(path, request_id, error), status_code=status, headers=given, media_type=MediaType.JSON)


def on_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Any exception under the prefix as an answer in its dialect; what was not expected is logged and not shown."""
    scope = request.scope
    request_id, path = scope["state"]["request_id"], scope["path"]
    found = expected(error, wire_names(scope.get("route_handler")))
    if found is None:
        LOG.error("unexpected error", request_id=request_id, path=shown_path(path), exc_info=error)
        found = Internal()
    allowed = scope["litestar_app"].state.allowed(path) if isinstance(found, MethodNotAllowed) else None
    return answer(path, request_id, found, {"Allow": allowed} if allowed else None)


def wire_names(handler: Any) -> dict[str, str]:
    """The parameters of a route as they are sent, by the names that its function has for them."""
    found = {} if handler is None else handler.parsed_fn_signature.parameters
    kinds = {name: field.kwarg_definition for name, field in found.items()}
    return {name: kind.query or kind.name or name for name, kind in kinds.items() if isinstance(kind, QueryParameter)}


def expected(error: Exception, names: Mapping[str, str]) -> DomainError | None:
    """The refusal that an exception stands for; None for one that nobody meant."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, ValidationException):
        return InvalidQueryParameters(_fields(error, names))
    if isinstance(error, NotFoundException):
        return RouteNotFound("There is nothing at this path.")
    if isinstance(error, MethodNotAllowedException):
        return MethodNotAllowed()
    if isinstance(error, HTTPException) and error.status_code < 500:
        kinds: dict[int, type[DomainError]] = {413: PayloadTooLarge, 415: UnsupportedMediaType}
        return kinds.get(error.status_code, MalformedBody)()
    return None


def _fields(error: ValidationException, names: Mapping[str, str]) -> dict[str, str]:
    """Parameter → rule, in words of our own."""
    missing = _MISSING.match(error.detail)
    if missing is not None:
        return {missing[1]: "is required"}
    extra = error.extra
    keys = [str(item.get("key", "query")) for item in extra] if isinstance(extra, list) else []
    given = [names.get(key, key) for key in keys]
    return {name: RULES.get(name, "is not valid") for name in given} or {"query": "cannot be read"}
