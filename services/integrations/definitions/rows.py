"""Definitions as rows: stored part by part, read whole or as a summary."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from app.errors import NotFound
from models.integrations import IntegrationDefinition
from services.integrations.definitions.model import Definition
from services.people.names import fold_query

#: Columns that hold JSON text, and the fields of a Definition that they hold.
JSON_PARTS = (
    "allowed_hosts", "methods", "config_schema", "secrets_schema", "auth_config", "oauth2_config", "default_config",
    "verification", "discover", "error_rules",
)  # fmt: skip
_PLAIN = ("name", "description", "type", "auth_type", "base_url")
SUMMARY = (
    "id, tenant, name, description, semver, type, category, auth_type, status, created_at, updated_at, published_at, "
    "version, (tenant IS NULL) AS built_in"
)
#: Everything but the search text.
COLUMNS = f"{SUMMARY}, base_url, {', '.join(JSON_PARTS)}"
DEFAULT_CATEGORY = "generic"


def stored(definition: Definition) -> dict[str, Any]:
    """The columns of a definition."""
    values: dict[str, Any] = {name: getattr(definition, name) for name in _PLAIN}
    for name in JSON_PARTS:
        part = getattr(definition, name)
        values[name] = None if part is None else msgspec.json.encode(part).decode()
    return values | {
        "semver": definition.version,
        "category": definition.category or DEFAULT_CATEGORY,
        "search_text": fold_query(f"{definition.name}\n{definition.description}"),
    }


def definition_of(row: Mapping[str, Any]) -> Definition:
    """The definition as it was written, from its whole row."""
    parts = {name: row[name] for name in (*_PLAIN, "category", *JSON_PARTS) if row[name] is not None}
    encode = msgspec.json.encode
    wire = {
        _WIRE[name]: msgspec.Raw(text.encode() if name in JSON_PARTS else encode(text)) for name, text in parts.items()
    }
    return msgspec.json.decode(encode(wire | {"version": row["semver"]}), type=Definition)


_WIRE = dict(zip(Definition.__struct_fields__, Definition.__struct_encode_fields__, strict=True))


async def find_definition(tenant: UUID, definition_id: UUID) -> dict[str, Any]:
    """The whole row of a definition that the tenant sees. Raises NotFound."""
    table = IntegrationDefinition
    row = await table.seen_by(tenant).one(*table.all_columns(), where=table.id == definition_id)
    if row is None:
        raise NotFound("There is no such integration definition.")
    return row | {"built_in": row["tenant"] is None}


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit history shows of a definition."""
    names = ("name", "type", "category", "auth_type", "base_url", "status", "version")
    return {name: row[name] for name in names} | {"semver": row["semver"]}
