"""Errors of an answer: refusals say their code, everything unexpected says nothing and is logged with its stack."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from graphql import GraphQLError

from app.errors import DomainError, Internal, QueryRefused, RateLimited, ScopeDenied, Unavailable, ValidationFailed

LOG = structlog.get_logger("dovetail.graphql")
#: Where graphql-core begins to repeat what was sent: the value of an input, or a text where the grammar has none.
_REPEATED = re.compile(
    r"(?:[,;]|(?P<full>[.?]))? ?[Ff]ound: .*"
    r"|(?P<rule>cannot represent [a-z0-9 -]*value): .*"
    r"|(?P<token>found (?:Block)?String) .*",
    re.DOTALL,
)


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


def without_values(message: str) -> str:
    """A message of graphql-core without the value it tells of: that may hold a secret, and who sent it knows it."""
    return _REPEATED.sub(lambda cut: cut["full"] or f"{cut['rule'] or cut['token'] or ''}.", message)


def formatted(errors: Iterable[GraphQLError], request_id: str) -> list[dict[str, Any]]:
    """Errors of an execution as they go out."""
    logged: set[int] = set()
    return [_formatted(error, request_id, logged) for error in errors]


def _formatted(error: GraphQLError, request_id: str, logged: set[int]) -> dict[str, Any]:
    chain = _chain(error)
    cause = chain[-1]
    if isinstance(cause, DomainError):
        entry = refusal(cause, request_id)
    elif any(map(_is_callers_fault, chain)):
        entry = refusal(QueryRefused(without_values(error.message)), request_id)
    else:
        # A loader that fails does so for every field that waits for it; one stack tells it all.
        if id(cause) not in logged:
            logged.add(id(cause))
            _log(error, cause, request_id)
        entry = refusal(Internal(), request_id)
    if error.locations:
        entry["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        entry["path"] = error.path
    return entry


def is_unavailable(content: Mapping[str, Any]) -> bool:
    """Whether an answer holds nothing but nulls, because a part of the server was away for all that was asked."""
    if any(value is not None for value in (content["data"] or {}).values()):
        return False
    return {entry["extensions"]["code"] for entry in content.get("errors", ())} == {code_of(Unavailable)}


def unexpected(error: BaseException, request_id: str, doing: str) -> dict[str, Any]:
    """Log what broke outside of a field; the entry that stands for it."""
    LOG.error(doing, request_id=request_id, exc_info=error)
    return refusal(Internal(), request_id)


def _chain(error: GraphQLError) -> list[BaseException]:
    """The error, what it wraps, and so on."""
    chain: list[BaseException] = [error]
    while isinstance(chain[-1], GraphQLError) and chain[-1].original_error is not None:
        chain.append(chain[-1].original_error)
    return chain


def _is_callers_fault(error: BaseException) -> bool:
    """graphql-core raises these, without a path, for what was sent; its other errors may tell values of ours."""
    return isinstance(error, GraphQLError) and not error.path and error.message.startswith(("Argument ", "Variable "))


def _log(error: GraphQLError, cause: BaseException, request_id: str) -> None:
    path = ".".join(str(part) for part in error.path or ())
    LOG.error("a field failed", path=path, request_id=request_id, exc_info=cause)
