"""Instances, listed and read."""

from typing import Any
from uuid import UUID

from app.auth.scopes import Scope
from app.database import Row
from app.errors import NotFound, ValidationFailed
from services.context import Context
from services.integrations.definitions.registry import offset_list
from services.integrations.instances.rows import COLUMNS, find_instance
from services.operations import operation
from services.paging import KeysetPage, KeysetRequest, Listing, OffsetPage, OffsetRequest, Sort, rows_among
from services.people.reading import SEARCH, searched_page

INSTANCES = Listing(
    source="integration_instance",
    columns=COLUMNS,
    sorts={
        "name": Sort("lower(name)"),
        "created_at": Sort("created_at", int),
        "updated_at": Sort("updated_at", int),
        "health_status": Sort("health_status"),
        "health_checked_at": Sort("coalesce(health_checked_at, 0)", int),
        "type": Sort(
            "(SELECT lower(d.name) FROM integration_definition d WHERE d.id = integration_instance.definition)"
        ),
    },
    default_sort="name",
    filters={
        "q": SEARCH,
        "status": "status = {status}",
        "definition": "definition = {definition}",
        "enabled": "enabled = {enabled}",
        "health_status": "health_status = {health_status}",
        "updated_after": "updated_at > {updated_after}",
        "type": "definition IN (SELECT d.id FROM integration_definition d WHERE d.name = {type})",
        "category": "definition IN (SELECT d.id FROM integration_definition d WHERE d.category = {category})",
    },
)


@operation(scope=Scope.INTEGRATIONS_READ, raises=[ValidationFailed])
async def list_integration_instances(
    context: Context, request: OffsetRequest | KeysetRequest
) -> OffsetPage | KeysetPage:
    """List the tenant's integration instances."""
    if isinstance(request, KeysetRequest):
        return await searched_page(context, INSTANCES, request)
    return await offset_list(context, INSTANCES, request)


@operation(scope=Scope.INTEGRATIONS_READ)
async def get_integration_instances(context: Context, instances: list[UUID]) -> list[Row]:
    """The integration instances of these ids that the tenant has, in no order."""
    return await rows_among(
        context.database, "integration_instance", COLUMNS, context.tenant, "id", instances, "created_at, id"
    )


@operation(scope=Scope.INTEGRATIONS_READ, raises=[NotFound])
async def get_integration_instance(context: Context, instance_id: UUID) -> dict[str, Any]:
    """One integration instance; never its secrets."""
    return await find_instance(context.tenant, instance_id)
