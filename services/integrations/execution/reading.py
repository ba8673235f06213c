"""The record of executions, listed; and the circuits of instances."""

from uuid import UUID

from app.auth.scopes import Scope
from app.database import Row
from app.errors import NotFound, ValidationFailed
from services.context import Context
from services.integrations.definitions.registry import offset_list
from services.integrations.instances.rows import find_instance
from services.operations import operation
from services.paging import (
    KeysetPage,
    KeysetRequest,
    Listing,
    OffsetPage,
    OffsetRequest,
    Sort,
    keyset_page,
    rows_among,
)

EXECUTIONS = Listing(
    source="integration_execution",
    columns=(
        "id, instance, method, side_effect, outcome, code, error, host, status_code, latency_ms, attempts, "
        "response_bytes, request_id, actor_kind, actor_id, surface, at"
    ),
    sorts={"at": Sort("at", int)},
    default_sort="at",
    filters={
        "instance": "instance = {instance}",
        "method": "method = {method}",
        "outcome": "outcome = {outcome}",
        "since": "at >= {since}",
    },
)
_CIRCUIT = "id, instance, host, state, consecutive_failures, successes, openings, opened_at, open_until, updated_at"


@operation(scope=Scope.INTEGRATIONS_READ, raises=[NotFound, ValidationFailed])
async def list_integration_executions(
    context: Context, request: OffsetRequest | KeysetRequest
) -> OffsetPage | KeysetPage:
    """List what was executed, the latest first; of one instance where the filter names it."""
    instance = request.filters.get("instance")
    if instance is not None:
        await find_instance(context.tenant, instance)
    if isinstance(request, KeysetRequest):
        return await keyset_page(context.database, context.tenant, EXECUTIONS, request)
    return await offset_list(context, EXECUTIONS, request)


@operation(scope=Scope.INTEGRATIONS_READ)
async def get_integration_circuits(context: Context, instances: list[UUID]) -> list[Row]:
    """The circuits of these instances that ever opened, by host."""
    return await rows_among(
        context.database, "integration_circuit", _CIRCUIT, context.tenant, "instance", instances, "instance, host"
    )
