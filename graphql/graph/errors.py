"""Errors of an answer: refusals say their code, everything unexpected says nothing and is logged with its stack."""

from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from graphql import GraphQLError

from app.errors import DomainError, Internal, QueryRefused, RateLimited, ScopeDenied, ValidationFailed

LOG = structlog.get_logger("dovetail.graphql")


def code_of(error: DomainError | type[DomainError]) -> str:
    """`scope_denied` as `SCOPE_DENIED`; only the unexpected has a shorter name."""
    return "INTERNAL" if error.code == Internal.code else error.code.upper()


def refusal(error: DomainError, request_id: str) -> dict[str, Any]:
    """One entry of `errors` for a refusal, without path and locations."""
    extensions: dict[str, Any] = {"code": code_of(error), "requestId": request_id}
    if isinstance(error, RateLimited):
        extensions["retryAfterMs"] = error.retry_after * 1000
    extensions.update(_particulars(error))
    return {"message": error.message, "extensions": extensions}


def _particulars(error: DomainError) -> Mapping[str, Any]:
    details = error.details or {}
    if isinstance(error, ValidationFailed):
        return {"fields": [{"field": field, "message": str(rule)} for field, rule in details.items()]}
    if isinstance(error, ScopeDenied) and details:
        return {"required": details.get("required_scope"), "granted": details.get("granted_scopes")}
    return {}


def formatted(errors: Iterable[GraphQLError], request_id: str) -> list[dict[str, Any]]:
    """Errors of an execution as they go out."""
    return [_formatted(error, request_id) for error in errors]


def _formatted(error: GraphQLError, request_id: str) -> dict[str, Any]:
    cause = _root_cause(error)
    if isinstance(cause, DomainError):
        entry = refusal(cause, request_id)
    elif _is_callers_fault(cause):
        entry = refusal(QueryRefused(error.message), request_id)
    else:
        _log(error, cause, request_id)
        entry = refusal(Internal(), request_id)
    if error.locations:
        entry["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        entry["path"] = error.path
    return entry


def unexpected(error: BaseException, request_id: str, doing: str) -> dict[str, Any]:
    """Log what broke outside of a field; the entry that stands for it."""
    LOG.error(doing, request_id=request_id, exc_info=error)
    return refusal(Internal(), request_id)


def _root_cause(error: GraphQLError) -> BaseException:
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _is_callers_fault(cause: BaseException) -> bool:
    """graphql-core raises GraphQLError for arguments and variables, but also for values of ours that do not fit."""
    return isinstance(cause, GraphQLError) and cause.message.startswith(("Argument ", "Variable "))


def _log(error: GraphQLError, cause: BaseException, request_id: str) -> None:
    path = ".".join(str(part) for part in error.path or ())
    LOG.error("a field failed", path=path, request_id=request_id, exc_info=cause)
