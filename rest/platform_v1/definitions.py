"""`/integrations/definitions`: what can be connected, from draft to archive."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from msgspec import Raw

from app.clock import iso
from app.errors import NotFound
from rest.platform_v1 import PREFIX, queries, shapes
from rest.platform_v1.entry import Asked, body_of, context_of, expected_version
from rest.platform_v1.routing import Words, route, sent
from services.inputs import read_input
from services.integrations.definitions.lifecycle import (
    archive_integration_definition,
    deprecate_integration_definition,
    publish_integration_definition,
)
from services.integrations.definitions.model import Definition
from services.integrations.definitions.registry import (
    create_integration_definition,
    get_integration_definition,
    list_integration_definitions,
    update_integration_definition,
)
from services.paging import OffsetPage, OffsetRequest

BASE = "/integrations/definitions"
_ONE = f"{BASE}/{{id:str}}"
#: Columns of JSON text and their names on the wire, in the order of an answer.
_PARTS = {
    "allowed_hosts": "allowedHosts", "methods": "methods", "config_schema": "configSchema",
    "secrets_schema": "secretsSchema", "auth_config": "authConfig", "oauth2_config": "oauth2Config",
    "default_config": "defaultConfig", "verification": "verification", "discover": "discover",
    "error_rules": "errorRules", "webhook": "webhook",
}  # fmt: skip


@route(
    "GET",
    BASE,
    list_integration_definitions,
    Words(
        "list_definitions", "Definitions", "What can be connected: the tenant's own definitions and the built-in ones."
    ),
)
async def list_definitions(
    request: Asked,
    page: queries.Page = 1,
    limit: queries.Limit = 20,
    search: queries.Search = "",
    status: queries.DefinitionStatus = None,
    kind: queries.DefinitionType = None,
) -> Response[shapes.DefinitionPage]:
    asked = queries.listing(page, limit, search, status=status, type=kind)
    return listed(asked, await list_integration_definitions(context_of(request), asked), _summary)


@route(
    "GET",
    _ONE,
    get_integration_definition,
    Words("get_definition", "One definition", "A definition as it was written. `ETag` is its version for `If-Match`."),
)
async def get_definition(request: Asked, id: FromPath[str]) -> Response[shapes.DefinitionAnswer]:
    return _sent(await get_integration_definition(context_of(request), definition_id(id)))


@route(
    "POST",
    BASE,
    create_integration_definition,
    Words("create_definition", "Create a definition", "Creates a draft. Every fault of it is told with its path."),
    status=201,
    body=Definition,
)
async def create_definition(request: Asked) -> Response[shapes.DefinitionAnswer]:
    definition = read_input(Definition, await body_of(request))
    return _sent(await create_integration_definition(context_of(request), definition), 201)


@route(
    "PUT",
    _ONE,
    update_integration_definition,
    Words(
        "replace_definition", "Replace a draft", "What is published never changes again; new behaviour is a version."
    ),
    body=Definition,
)
async def replace_definition(request: Asked, id: FromPath[str]) -> Response[shapes.DefinitionAnswer]:
    definition, version = read_input(Definition, await body_of(request)), expected_version(request)
    return _sent(await update_integration_definition(context_of(request), definition_id(id), definition, version))


@route(
    "POST",
    f"{_ONE}/publish",
    publish_integration_definition,
    Words("publish_definition", "Publish", "Lets a draft be connected; its content never changes again."),
)
async def publish_definition(request: Asked, id: FromPath[str]) -> Response[shapes.DefinitionAnswer]:
    version = expected_version(request)
    return _sent(await publish_integration_definition(context_of(request), definition_id(id), version=version))


@route(
    "POST",
    f"{_ONE}/deprecate",
    deprecate_integration_definition,
    Words("deprecate_definition", "Deprecate", "Its instances work on, and no new ones are made."),
)
async def deprecate_definition(request: Asked, id: FromPath[str]) -> Response[shapes.DefinitionAnswer]:
    version = expected_version(request)
    return _sent(await deprecate_integration_definition(context_of(request), definition_id(id), version=version))


@route(
    "POST",
    f"{_ONE}/archive",
    archive_integration_definition,
    Words("archive_definition", "Archive", "Its methods can no longer be called."),
)
async def archive_definition(request: Asked, id: FromPath[str]) -> Response[shapes.DefinitionAnswer]:
    version = expected_version(request)
    return _sent(await archive_integration_definition(context_of(request), definition_id(id), version=version))


def definition_id(text: str) -> UUID:
    """The id of the path. Raises NotFound for a text that is the id of nothing."""
    found = queries.uuid_or_none(text)
    if found is None:
        raise NotFound("There is no such integration definition.")
    return found


def listed(asked: OffsetRequest, found: OffsetPage | Any, shape: Any) -> Response[Any]:
    """A page in the integration service's form."""
    pages = -(-found.total // asked.per_page)
    pagination = {"page": asked.page, "limit": asked.per_page, "total": found.total, "pages": pages}
    return sent({"items": [shape(row) for row in found.rows], "pagination": pagination})


def _summary(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "name": row["name"],
        "description": row["description"],
        "version": row["semver"],
        "type": row["type"],
        "authType": row["auth_type"],
        "status": row["status"],
        "updatedAt": iso(row["updated_at"]),
    }


def _sent(row: Mapping[str, Any], status: int = 200) -> Response[Any]:
    location = f"{PREFIX}{BASE}/{row['id']}" if status == 201 else None
    return sent(whole(row), status, row["version"], location)


def whole(row: Mapping[str, Any]) -> dict[str, Any]:
    """The definition with what was given, and nothing more."""
    shown = _summary(row) | {"createdAt": iso(row["created_at"])}
    shown |= {wire: Raw(row[name].encode()) for name, wire in _PARTS.items() if row[name] is not None}
    if row["category"] != "generic":
        shown["category"] = row["category"]
    if row["base_url"] is not None:
        shown["baseUrl"] = row["base_url"]
    if row["published_at"] is not None:
        shown["publishedAt"] = iso(row["published_at"])
    return shown


ROUTES = [
    list_definitions, get_definition, create_definition, replace_definition, publish_definition, deprecate_definition,
    archive_definition,
]  # fmt: skip
