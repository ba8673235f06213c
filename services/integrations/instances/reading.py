"""Instances, listed and read."""

from typing import Any, get_args
from uuid import UUID

from app.auth.scopes import Scope
from app.database import Row
from app.errors import NotFound, ValidationFailed
from services.context import Context
from services.filters.fields import BOOLEAN, ID, INSTANT, TEXT, Field, one_of
from services.integrations.definitions.model import Category
from services.integrations.instances.references import VAULT_ID
from services.integrations.instances.rows import COLUMNS, find_instance
from services.integrations.instances.status import HEALTH_STATUSES, STATUSES
from services.offset_lists import list_page
from services.operations import operation
from services.paging import (
    Condition,
    KeysetPage,
    KeysetRequest,
    Listing,
    OffsetPage,
    OffsetRequest,
    Sort,
    among,
    joined,
    rows_among,
    statement,
)
from services.people.reading import SEARCH


def _of_definition(column: str) -> str:
    return f"(SELECT {column} FROM integration_definition d WHERE d.id = integration_instance.definition)"  # noqa: S608


INSTANCES = Listing(
    source="integration_instance",
    columns=COLUMNS,
    sorts={
        "name": Sort("lower(name)"),
        "created_at": Sort("created_at", int),
        "updated_at": Sort("updated_at", int),
        "health_status": Sort("health_status"),
        "health_checked_at": Sort("coalesce(health_checked_at, 0)", int),
        "type": Sort(_of_definition("lower(d.name)")),
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
    fields={
        "id": Field("id", ID),
        "name": Field("name", TEXT),
        "definition": Field("definition", ID),
        "type": Field(_of_definition("d.name"), TEXT),
        "category": Field(_of_definition("d.category"), one_of(*get_args(Category))),
        "status": Field("status", one_of(*STATUSES)),
        "error": Field("error", TEXT, nullable=True),
        "enabled": Field("enabled", BOOLEAN),
        "health_status": Field("health_status", one_of(*HEALTH_STATUSES)),
        "health_checked_at": Field("health_checked_at", INSTANT, nullable=True),
        "last_used_at": Field("last_used_at", INSTANT, nullable=True),
        "last_connected_at": Field("last_connected_at", INSTANT, nullable=True),
        "created_at": Field("created_at", INSTANT),
        "updated_at": Field("updated_at", INSTANT),
    },
)


@operation(scope=Scope.INTEGRATIONS_READ, raises=[ValidationFailed])
async def list_integration_instances(
    context: Context, request: OffsetRequest | KeysetRequest
) -> OffsetPage | KeysetPage:
    """List the tenant's integration instances."""
    return await list_page(context, INSTANCES, request)


@operation(scope=Scope.INTEGRATIONS_READ)
async def get_integration_instances(context: Context, instances: list[UUID]) -> list[Row]:
    """The integration instances of these ids that the tenant has, in no order."""
    return await rows_among(
        context.database, "integration_instance", COLUMNS, context.tenant, "id", instances, "created_at, id"
    )


@operation(scope=Scope.INTEGRATIONS_READ)
async def get_integration_uses(context: Context, instances: list[UUID]) -> dict[UUID, dict[str, int]]:
    """How many of what depend on each of these instances: `integrations` that take their credentials from it."""
    named = among(context.database, VAULT_ID, [str(each) for each in instances])
    sql, params = joined([Condition("tenant = {tenant}", {"tenant": context.tenant}), named])
    text = f"SELECT {VAULT_ID} AS vault, count(*) AS uses FROM integration_instance WHERE {sql} GROUP BY {VAULT_ID}"  # noqa: S608
    counted = {UUID(row["vault"]): int(row["uses"]) for row in await context.database.fetch(statement(text), **params)}
    return {each: {"integrations": counted.get(each, 0)} for each in instances}


@operation(scope=Scope.INTEGRATIONS_READ, raises=[NotFound])
async def get_integration_instance(context: Context, instance_id: UUID) -> dict[str, Any]:
    """One integration instance; never its secrets."""
    return await find_instance(context.tenant, instance_id)
