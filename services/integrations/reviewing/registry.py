"""Reviews of stored definitions as operations; each runs beside the other work of the server."""

import asyncio
import datetime as dt
from typing import Any, TypeVar
from uuid import UUID

from app.auth.scopes import Scope
from app.clock import SECOND
from app.errors import NotFound, Unavailable
from services.context import Context
from services.integrations.apart.running import run_apart
from services.integrations.definitions.columns import CONTENT
from services.integrations.definitions.rows import find_definition
from services.integrations.reviewing.reports import DiffReport, ExamplesReport, LintReport, ReviewRequest
from services.operations import operation

T = TypeVar("T")
_WAITED = 10.0


@operation(scope=Scope.INTEGRATIONS_READ, raises=[NotFound, Unavailable])
async def lint_integration_definition(context: Context, definition_id: UUID) -> LintReport:
    """Say what is wrong with a definition, and what a careful author would not leave out."""
    request = ReviewRequest(kind="lint", definition=await _columns(context, definition_id))
    return await _reviewed(context, request, LintReport)


@operation(scope=Scope.INTEGRATIONS_READ, raises=[NotFound, Unavailable])
async def rehearse_integration_definition(context: Context, definition_id: UUID) -> ExamplesReport:
    """Play every example of a definition as a call would go, with nobody called."""
    request = ReviewRequest(kind="test", definition=await _columns(context, definition_id))
    return await _reviewed(context, request, ExamplesReport)


@operation(scope=Scope.INTEGRATIONS_READ, raises=[NotFound, Unavailable])
async def diff_integration_definitions(context: Context, definition_id: UUID, against: UUID) -> DiffReport:
    """Say what a definition takes from those who use another version of it, `against`."""
    base = await _columns(context, against)
    today = dt.datetime.fromtimestamp(context.now / SECOND, dt.UTC).date()
    definition = await _columns(context, definition_id)
    return await _reviewed(
        context, ReviewRequest(kind="diff", definition=definition, against=base, today=today), DiffReport
    )


async def _columns(context: Context, definition_id: UUID) -> dict[str, Any]:
    row = await find_definition(context.tenant, definition_id)
    return {name: row[name] for name in CONTENT}


async def _reviewed(context: Context, request: ReviewRequest, kind: type[T]) -> T:
    """Waits for its turn, and not for long: a review is quick, and who asks can ask again."""
    turns = context.runtime.reviews
    try:
        async with asyncio.timeout(_WAITED):
            await turns.acquire()
    except TimeoutError:
        raise Unavailable("Other reviews run here already; try again shortly.") from None
    try:
        return await run_apart("review", request, kind)
    finally:
        turns.release()
