"""`/integration-types` and `/integrations`: the same definitions and instances in the platform's envelope."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath

from app.clock import iso
from app.errors import IntegrationConfigInvalid, IntegrationTypeUnknown, NotFound
from rest.platform_v1 import PREFIX, queries, shapes
from rest.platform_v1.entry import Asked, body_of, context_of, expected_version
from rest.platform_v1.envelope import enveloped, enveloped_list
from rest.platform_v1.instances import instance_id
from rest.platform_v1.routing import Words, nothing, route
from services.context import Context
from services.inputs import read_input
from services.integrations.definitions.compiling import secrets_schema
from services.integrations.definitions.registry import (
    get_integration_definition,
    get_integration_definitions,
    list_integration_definitions,
)
from services.integrations.definitions.rows import definition_of
from services.integrations.instances import (
    InstanceChange,
    NewInstance,
    config_of,
    create_integration_instance,
    delete_integration_instance,
    update_integration_instance,
)
from services.integrations.instances.reading import get_integration_instance, list_integration_instances

_TYPES = "/integration-types"
_BASE = "/integrations"
_ONE = f"{_BASE}/{{id:str}}"
_TYPE_SORTS = {"name": "name", "category": "category"}
_SORTS = {
    "name": "name", "type": "type", "healthStatus": "health_status", "createdAt": "created_at",
    "lastHealthCheck": "health_checked_at",
}  # fmt: skip


@route(
    "GET",
    _TYPES,
    list_integration_definitions,
    Words("list_integration_types", "Integration types", "Published definitions, with the schemas that drive a form."),
)
async def list_integration_types(
    request: Asked,
    page: queries.Page = 1,
    size: queries.PageSize = 20,
    sort: queries.Sort = None,
    category: queries.Category = None,
) -> Response[shapes.TypesPage]:
    by = queries.sorted_by(sort, _TYPE_SORTS)
    asked = queries.listing(page, size, "", sort=by, status="PUBLISHED", category=category)
    found = await list_integration_definitions(context_of(request), asked, whole=True)
    return enveloped_list(request, asked, found, [_type(row) for row in found.rows])


@route(
    "GET",
    f"{_TYPES}/{{id:str}}",
    get_integration_definition,
    Words("get_integration_type", "One integration type", "By its id, or by its name: the version published last."),
)
async def get_integration_type(request: Asked, id: FromPath[str]) -> Response[shapes.TypeAnswer]:
    context, wanted = context_of(request), queries.uuid_or_none(id)
    if wanted is not None:
        return enveloped(request, _type(await get_integration_definition(context, wanted)))
    queries.checked(typeId=id)
    asked = queries.listing(1, 1, "", sort="-published_at", status="PUBLISHED", name=id)
    found = await list_integration_definitions(context, asked, whole=True)
    if not found.rows:
        raise NotFound("There is no such integration type.")
    return enveloped(request, _type(found.rows[0]))


@route(
    "GET",
    _BASE,
    list_integration_instances,
    Words("list_integrations", "Integrations", "What the tenant has connected."),
)
async def list_integrations(
    request: Asked,
    page: queries.Page = 1,
    size: queries.PageSize = 20,
    sort: queries.Sort = None,
    search: queries.Search = "",
    kind: queries.TypeName = None,
    category: queries.Category = None,
    health: queries.Health = None,
    enabled: queries.Enabled = None,
) -> Response[shapes.IntegrationsPage]:
    queries.checked(type=kind)
    given = {"type": kind, "category": category, "health_status": health, "enabled": enabled}
    asked = queries.listing(page, size, search, sort=queries.sorted_by(sort, _SORTS), **given)
    context = context_of(request)
    found = await list_integration_instances(context, asked)
    return enveloped_list(request, asked, found, await _integrations(context, found.rows))


@route(
    "GET",
    _ONE,
    get_integration_instance,
    Words("get_integration", "One integration", "Never with its secrets. `ETag` is its version for `If-Match`."),
)
async def get_integration(request: Asked, id: FromPath[str]) -> Response[shapes.IntegrationEnvelope]:
    return await _sent(request, await get_integration_instance(context_of(request), instance_id(id)))


@route(
    "POST",
    _BASE,
    create_integration_instance,
    Words("create_integration", "Connect an integration", "Its type is named by `type` or by `integrationTypeId`."),
    status=201,
    body=shapes.IntegrationCreation,
)
async def create_integration(request: Asked) -> Response[shapes.IntegrationEnvelope]:
    given = msgspec.structs.asdict(read_input(shapes.IntegrationCreation, await body_of(request)))
    named = given.pop("integration_type_id")
    definition = None if named is None else queries.uuid_or_none(named)
    if named is not None and definition is None:
        raise IntegrationTypeUnknown
    made = await create_integration_instance(context_of(request), NewInstance(definition=definition, **given))
    return await _sent(request, made, 201)


@route(
    "PUT",
    _ONE,
    update_integration_instance,
    Words("update_integration", "Change an integration", "What is left out stays; its type never changes."),
    body=shapes.IntegrationChange,
)
async def update_integration(request: Asked, id: FromPath[str]) -> Response[shapes.IntegrationEnvelope]:
    given = msgspec.structs.asdict(read_input(shapes.IntegrationChange, await body_of(request)))
    if given.pop("type") is not msgspec.UNSET:
        raise IntegrationConfigInvalid({"type": "never changes; connect another integration"})
    change = InstanceChange(**given, version=expected_version(request))
    return await _sent(request, await update_integration_instance(context_of(request), instance_id(id), change))


@route(
    "DELETE",
    _ONE,
    delete_integration_instance,
    Words("delete_integration", "Delete an integration", "With its secrets and the record of its calls."),
    status=204,
)
async def delete_integration(request: Asked, id: FromPath[str]) -> Response[None]:
    await delete_integration_instance(context_of(request), instance_id(id))
    return nothing()


async def _sent(request: Asked, row: Mapping[str, Any], status: int = 200) -> Response[Any]:
    [shown] = await _integrations(context_of(request), [row])
    location = f"{PREFIX}{_BASE}/{row['id']}" if status == 201 else None
    return enveloped(request, shown, status, row["version"], location)


def _type(row: Mapping[str, Any]) -> dict[str, Any]:
    definition = definition_of(row)
    offered = {
        "test": definition.verification is not None,
        "discover": bool(definition.discover),
        "webhook": definition.type == "webhook",
    }
    return {
        "id": str(row["id"]),
        "name": row["name"],
        "displayName": row["name"],
        "description": row["description"],
        "version": row["semver"],
        "category": row["category"],
        "authType": row["auth_type"],
        "configSchema": definition.config_schema,
        "secretsSchema": secrets_schema(definition),
        "capabilities": [name for name, there in offered.items() if there],
        "resourceTypes": sorted(definition.discover or ()),
        "isBuiltin": row["tenant"] is None,
        "createdAt": iso(row["created_at"]),
    }


async def _integrations(context: Context, rows: list[Any]) -> list[dict[str, Any]]:
    """Instances with the names of their types; one statement for all of these."""
    wanted = list({UUID(str(row["definition"])) for row in rows})
    types = {row["id"]: row for row in await get_integration_definitions(context, wanted)}
    return [_integration(context, row, types[row["definition"]]) for row in rows]


def _integration(context: Context, row: Mapping[str, Any], kind: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "type": kind["name"],
        "integrationTypeId": str(row["definition"]),
        "name": row["name"],
        "config": config_of(context, row, kind),
        "enabled": bool(row["enabled"]),
        "status": row["status"],
        "error": row["error"],
        "healthStatus": row["health_status"],
        "lastHealthCheck": row["health_checked_at"] and iso(row["health_checked_at"]),
        "lastHealthMessage": row["health_message"],
        "version": row["version"],
        "createdAt": iso(row["created_at"]),
        "updatedAt": iso(row["updated_at"]),
    }


ROUTES = [
    list_integration_types, get_integration_type, list_integrations, get_integration, create_integration,
    update_integration, delete_integration,
]  # fmt: skip
