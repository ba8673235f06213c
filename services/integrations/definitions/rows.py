"""Definitions as rows: stored part by part, read whole or as a summary."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.errors import NotFound
from models.integrations import IntegrationDefinition
from services.integrations.definitions.columns import JSON_PARTS

SUMMARY = (
    "id, tenant, name, description, semver, type, category, auth_type, status, created_at, updated_at, published_at, "
    "version, (tenant IS NULL) AS built_in"
)
#: Everything but the search text.
COLUMNS = f"{SUMMARY}, base_url, {', '.join(JSON_PARTS)}"


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
