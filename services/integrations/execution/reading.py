"""The record of executions, listed; and the circuits of instances."""

from typing import get_args
from uuid import UUID

from app.auth.scopes import Scope
from app.database import Row
from app.errors import NotFound, ValidationFailed
from services.context import Context
from services.filters.fields import ID, INSTANT, INTEGER, TEXT, Field, one_of
from services.integrations.definitions.model import SideEffect
from services.integrations.execution.intents import OUTCOMES
from services.integrations.instances.rows import find_instance
from services.offset_lists import list_page
from services.operations import operation
from services.paging import (
    KeysetPage,
    KeysetRequest,
    Listing,
    OffsetPage,
    OffsetRequest,
    Sort,
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
    fields={
        "id": Field("id", ID),
        "method": Field("method", TEXT),
        "side_effect": Field("side_effect", one_of(*get_args(SideEffect))),
        "outcome": Field("outcome", one_of(*OUTCOMES)),
        "code": Field("code", TEXT, nullable=True),
        "error": Field("error", TEXT, nullable=True),
        "host": Field("host", TEXT, nullable=True),
        "status_code": Field("status_code", INTEGER, nullable=True),
        "latency_ms": Field("latency_ms", INTEGER),
        "attempts": Field("attempts", INTEGER),
        "response_bytes": Field("response_bytes", INTEGER, nullable=True),
        "request_id": Field("request_id", TEXT),
        "actor_id": Field("actor_id", TEXT),
        "surface": Field("surface", TEXT),
        "at": Field("at", INSTANT),
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
    return await list_page(context, EXECUTIONS, request)


@operation(scope=Scope.INTEGRATIONS_READ)
async def get_integration_circuits(context: Context, instances: list[UUID]) -> list[Row]:
    """The circuits of these instances that ever opened, by host."""
    return await rows_among(
        context.database, "integration_circuit", _CIRCUIT, context.tenant, "instance", instances, "instance, host"
    )
