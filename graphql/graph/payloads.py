"""The answer of a mutation: what was made, or why not."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from app.errors import (
    CircuitOpen,
    DomainError,
    ExecutionFailed,
    IntegrationAuthFailed,
    IntegrationFailed,
    IntegrationRateLimited,
    IntegrationTimeout,
)
from graph.problems import problem_of
from graph.rows import AbsentAsNull

#: Refusals of the request as a whole; these are top-level errors, not the payload's.
_NOT_OF_THE_INPUT = (401, 429)
#: What the other side of an integration does is part of the answer, whatever its status is on REST.
_OF_THE_OTHER_SIDE = (
    IntegrationFailed, IntegrationAuthFailed, IntegrationTimeout, IntegrationRateLimited, CircuitOpen, ExecutionFailed,
)  # fmt: skip


async def payload(
    call: Awaitable[Any],
    member: str | None = None,
    *,
    shape: Callable[[Any], Mapping[str, Any]] | None = None,
) -> AbsentAsNull:
    """A row for a payload type: the call's result under `member` (or spread by `shape`), its refusal in `errors`.

    What the type has besides is null. Raises what is no refusal of the input: 401, 429 and 5xx.
    """
    try:
        result = await call
    except DomainError as error:
        whole = error.status in _NOT_OF_THE_INPUT or error.status >= 500
        if whole and not isinstance(error, _OF_THE_OTHER_SIDE):
            raise
        return AbsentAsNull(errors=[problem_of(error)])
    made = shape(result) if shape is not None else {member: result} if member is not None else {}
    return AbsentAsNull(made, errors=[])
