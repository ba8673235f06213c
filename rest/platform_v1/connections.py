"""`/integration-types` and `/integrations`: the same definitions and instances in the platform's envelope."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath

from app.clock import iso
from app.errors import IntegrationTypeUnknown, NotFound
from rest.platform_v1 import PREFIX, queries, shapes
from rest.platform_v1.entry import Asked, body_of, context_of, expected_version
from rest.platform_v1.envelope import enveloped, enveloped_list
from rest.platform_v1.instances import instance_id, webhook_of
from rest.platform_v1.routing import Words, nothing, route
from services.context import Context
from services.filters.expression import read_filter
from services.inputs import read_input
from services.integrations.definitions.columns import definition_of
from services.integrations.definitions.compiling import secrets_schema
from services.integrations.definitions.registry import (
    get_integration_definition,
    get_integration_definitions,
    list_integration_definitions,
)
from services.integrations.instances.changing import InstanceChange
from services.integrations.instances.configs import config_of
from services.integrations.instances.reading import (
    get_integration_instance,
    get_integration_uses,
    list_integration_instances,
)
from services.integrations.instances.references import references_of
from services.integrations.instances.registry import (
    NewInstance,
    create_integration_instance,
    delete_integration_instance,
    update_integration_instance,
)

_TYPES = "/integration-types"
_BASE = "/integrations"
_ONE = f"{_BASE}/{{id:str}}"
_NO_TYPE = "There is no such integration type."
_TYPE_SORTS = {"name": "name", "category": "category"}
_SORTS = {
    "name": "name", "type": "type", "healthStatus": "health_status", "createdAt": "created_at",
    "lastHealthCheck": "health_checked_at",
}  # fmt: skip
_TYPE_FIELDS = {
    "id": "id", "name": "name", "description": "description", "version": "version", "category": "category",
    "authType": "auth_type", "isBuiltin": "built_in", "createdAt": "created_at",
}  # fmt: skip
_FIELDS = {
    "id": "id", "type": "type", "integrationTypeId": "definition", "category": "category", "name": "name",
    "enabled": "enabled", "status": "status", "error": "error", "healthStatus": "health_status",
    "lastHealthCheck": "health_checked_at", "createdAt": "created_at", "updatedAt": "updated_at",
}  # fmt: skip
_TypeFilter: TypeAlias = Annotated[
    str | None,
    queries.filtering(
        _TYPE_FIELDS,
        fields='{"category":"registry","isBuiltin":true}',
        operators='{"name":{"like":"scm.%"},"authType":{"ne":"oauth2"}}',
        alternatives='{"or":[{"category":{"in":["scm","ci"]}},{"isBuiltin":false}]}',
    ),
]
_Filter: TypeAlias = Annotated[
    str | None,
    queries.filtering(
        _FIELDS,
        fields='{"category":"registry","enabled":true}',
        operators='{"createdAt":{"gte":"2026-11-01T00:00:00Z"},"name":{"like":"Our%"}}',
        alternatives='{"or":[{"healthStatus":"unhealthy"},{"lastHealthCheck":null}]}',
    ),
]


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
    where: _TypeFilter = None,
) -> Response[shapes.TypesPage]:
    by, narrowed = queries.sorted_by(sort, _TYPE_SORTS), read_filter(where, _TYPE_FIELDS)
    asked = queries.listing(page, size, "", sort=by, where=narrowed, status="PUBLISHED", category=category)
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
        row = await get_integration_definition(context, wanted)
        if row["status"] == "DRAFT":
            raise NotFound(_NO_TYPE)
        return enveloped(request, _type(row))
    queries.checked(typeId=id)
    asked = queries.listing(1, 1, "", sort="-published_at", status="PUBLISHED", name=id)
    found = await list_integration_definitions(context, asked, whole=True)
    if not found.rows:
        raise NotFound(_NO_TYPE)
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
    where: _Filter = None,
) -> Response[shapes.IntegrationsPage]:
    queries.checked(type=kind)
    given = {"type": kind, "category": category, "health_status": health, "enabled": enabled}
    by, narrowed = queries.sorted_by(sort, _SORTS), read_filter(where, _FIELDS)
    asked = queries.listing(page, size, search, sort=by, where=narrowed, **given)
    context = context_of(request)
    found = await list_integration_instances(context, asked)
    return enveloped_list(request, asked, found, await _integrations(context, found.rows))


@route(
    "GET",
    _ONE,
    get_integration_instance,
    Words("get_integration", "One integration", "Never with its secrets. `ETag` is its version for `If-Match`."),
)
async def get_integration(request: Asked, id: FromPath[str]) -> Response[shapes.IntegrationDetailEnvelope]:
    context = context_of(request)
    row = await get_integration_instance(context, instance_id(id))
    shown, uses = await _integration_whole(context, row), await get_integration_uses(context, [row["id"]])
    return enveloped(request, shown | {"usedBy": uses[row["id"]]}, version=row["version"])


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
    asked = NewInstance(definition=definition, complete=True, **given)
    made = await create_integration_instance(context_of(request), asked)
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
    await delete_integration_instance(context_of(request), instance_id(id), version=expected_version(request))
    return nothing()


async def _sent(request: Asked, row: Mapping[str, Any], status: int = 200) -> Response[Any]:
    shown = await _integration_whole(context_of(request), row)
    location = f"{PREFIX}{_BASE}/{row['id']}" if status == 201 else None
    return enveloped(request, shown, status, row["version"], location)


async def _integration_whole(context: Context, row: Mapping[str, Any]) -> dict[str, Any]:
    """One integration, with where its webhooks come in."""
    [shown] = await _integrations(context, [row])
    webhook = await webhook_of(context, row)
    return shown if webhook is None else shown | {"webhook": webhook}


def _type(row: Mapping[str, Any]) -> dict[str, Any]:
    definition = definition_of(row)
    offered = {
        "test": definition.verification is not None,
        "discover": bool(definition.discover),
        "webhook": definition.webhook is not None,
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
    """Instances with the names of their types and where their secrets lie; two statements for all of them."""
    wanted = list({UUID(str(row["definition"])) for row in rows})
    types = {row["id"]: row for row in await get_integration_definitions(context, wanted)}
    references = await references_of(context, [row["id"] for row in rows])
    return [_integration(context, row, types[row["definition"]], references.get(row["id"])) for row in rows]


def _integration(
    context: Context, row: Mapping[str, Any], kind: Mapping[str, Any], reference: str | None
) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "tenantId": str(context.tenant),
        "type": kind["name"],
        "integrationTypeId": str(row["definition"]),
        "name": row["name"],
        "config": config_of(row, kind),
        "credentialRef": reference,
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
