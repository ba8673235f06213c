"""Refusals as data: what a mutation's payload lists under `errors`."""

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from app import errors
from app.clock import SECOND
from app.retrying import can_retry, retry_seconds
from graph.rows import column
from graph.scalars import JSON


@strawberry.interface(name="DomainError", description="An expected refusal: something that the caller can act on.")
class Problem:
    code: str = column(description="A stable code; each has a page in the documentation.")
    message: str = column(description="A sentence that says what is wrong and what to do.")
    path: list[str] = column(description="The input that is at fault, from the outside in; empty where none is.")


@strawberry.type(description="One input that breaks a rule.")
class FieldProblem:
    field: str = column(description="The input's name.")
    message: str = column(description="The rule, in words.")


@strawberry.type(name="ValidationError", description="One or more inputs are not valid.")
class ValidationProblem(Problem):
    fields: list[FieldProblem] = column(description="Each input that breaks a rule.")


@strawberry.type(name="ScopeDenied", description="The token does not carry the scope that this needs.")
class ScopeDeniedProblem(Problem):
    required: str | None = column(description="The scope that is needed; null where no scope would do.")
    granted: list[str] = column(description="The scopes that the token carries.")


@strawberry.type(name="OriginUnverified", description="The proof was not found at the origin.")
class OriginUnverifiedProblem(Problem):
    challenge: JSON | None = column(description="What to publish, and where.")
    expected: str | None = column(description="What was looked for.")
    seen: str | None = column(description="What was found instead.")


@strawberry.type(name="Conflict", description="The change collides with what is already there.")
class ConflictProblem(Problem):
    details: JSON | None = column(description="What it collides with, where that is known.")


@strawberry.type(name="NotFound", description="What the input names does not exist, or is not the caller's.")
class NotFoundProblem(Problem):
    pass


@strawberry.type(name="ProblemError", description="Any other refusal.")
class OtherProblem(Problem):
    details: JSON | None = column(description="Particulars of the refusal, by name.")
    can_retry: bool = column(description="Whether the same may be sent again.")
    retry_after_ms: int | None = column(description="How long to wait before that; null where it is not known.")


PROBLEM_TYPES = (
    ValidationProblem,
    ScopeDeniedProblem,
    OriginUnverifiedProblem,
    ConflictProblem,
    NotFoundProblem,
    OtherProblem,
)

Make = Callable[[Any, str, str, list[str]], Problem]


def _place(field: str) -> list[str]:
    """`orcid_ids.3` as a caller of this surface knows it: `["orcidIds", "3"]`."""
    return [to_camel_case(part) for part in field.split(".")]


def _validation(error: errors.ValidationFailed, code: str, message: str, path: list[str]) -> Problem:
    places = {".".join(_place(field)): str(rule) for field, rule in (error.details or {}).items()}
    found = [FieldProblem(field=place, message=rule) for place, rule in places.items()]
    path = found[0].field.split(".") if len(found) == 1 else []
    return ValidationProblem(code=code, message=message, path=path, fields=found)


def _scope(error: errors.DomainError, code: str, message: str, path: list[str]) -> Problem:
    details = error.details or {}
    required, granted = details.get("required_scope"), list(details.get("granted_scopes", ()))
    return ScopeDeniedProblem(code=code, message=message, path=path, required=required, granted=granted)


def _origin(error: errors.DomainError, code: str, message: str, path: list[str]) -> Problem:
    details = error.details or {}
    given = {name: details.get(name) for name in ("challenge", "expected", "seen")}
    return OriginUnverifiedProblem(code=code, message=message, path=path, **given)


def _detailed(kind: Any) -> Make:
    def make(error: errors.DomainError, code: str, message: str, path: list[str]) -> Problem:
        made: Problem = kind(code=code, message=message, path=path, details=error.details)
        return made

    return make


def _other(error: errors.DomainError, code: str, message: str, path: list[str]) -> Problem:
    details: Any = error.details
    seconds = retry_seconds(error)
    return OtherProblem(
        code=code,
        message=message,
        path=path,
        details=details,
        can_retry=can_retry(error),
        retry_after_ms=None if seconds is None else seconds * SECOND,
    )


def _plain(error: errors.DomainError, code: str, message: str, path: list[str]) -> Problem:
    return NotFoundProblem(code=code, message=message, path=path)


#: The first class that an error is an instance of decides; the last is every error's.
_MADE_BY: tuple[tuple[type[errors.DomainError], Make], ...] = (
    (errors.ValidationFailed, _validation),
    (errors.ScopeDenied, _scope),
    (errors.InstallationScopeDenied, _scope),
    (errors.OriginUnverified, _origin),
    (errors.Conflict, _detailed(ConflictProblem)),
    (errors.InUse, _detailed(ConflictProblem)),
    (errors.InvalidTransition, _detailed(ConflictProblem)),
    (errors.VersionConflict, _detailed(ConflictProblem)),
    (errors.NotFound, _plain),
    (errors.DomainError, _other),
)


def problem_of(error: errors.DomainError) -> Problem:
    """The GraphQL form of a refusal."""
    make = next(make for kind, make in _MADE_BY if isinstance(error, kind))
    return make(error, error.code, error.message, [])
