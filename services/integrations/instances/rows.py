"""Instances as rows: found or missing, with their definition, and as the audit history shows them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.errors import NotFound
from models.integrations import IntegrationInstance, IntegrationSecret, IntegrationToken
from services.context import Context
from services.integrations.definitions.compiling import Compiled
from services.integrations.definitions.rows import find_definition
from services.integrations.definitions.schemas import secret_names

SUMMARY = (
    "id, definition, name, status, error, enabled, health_status, health_checked_at, last_used_at, last_connected_at, "
    "created_at, updated_at, version"
)
COLUMNS = f"{SUMMARY}, config, health_message, health_latency_ms, health_failures, health_history"
MASK = "********"


async def find_instance(tenant: UUID, instance_id: UUID) -> dict[str, Any]:
    """The whole row of an instance. Raises NotFound."""
    table = IntegrationInstance
    row = await table.of(tenant).one(*table.all_columns(), where=table.id == instance_id)
    if row is None:
        raise NotFound("There is no such integration instance.")
    return row


async def compiled_of(context: Context, definition_id: UUID) -> Compiled:
    """The definition of an instance, compiled."""
    return context.runtime.definitions.compiled(await find_definition(context.tenant, definition_id))


async def held_secrets(tenant: UUID, instance_id: UUID) -> list[str]:
    """The names of the secrets that an instance has."""
    table: Any = IntegrationSecret
    rows = await table.of(tenant).select(table.name).where(table.instance == instance_id).order_by(table.name)
    return [row["name"] for row in rows]


async def has_token(tenant: UUID, instance_id: UUID) -> bool:
    """Whether an authorization server has given this instance a token."""
    return await IntegrationToken.of(tenant).exists(IntegrationToken.instance == instance_id)


def masked(config: Mapping[str, Any] | None, schema: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A configuration without the values that its schema marks as secret."""
    if config is None:
        return None
    hidden = secret_names(None if schema is None else dict(schema))
    return {name: MASK if name in hidden else value for name, value in config.items()}


def unmasked(
    config: Mapping[str, Any] | None, before: Mapping[str, Any] | None, schema: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """A configuration in which a masked value, sent back as it was shown, stands for the value that there was."""
    if config is None:
        return None
    hidden = secret_names(None if schema is None else dict(schema))
    kept = before or {}
    return {
        name: kept[name] if name in hidden and value == MASK and name in kept else value
        for name, value in config.items()
    }


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit history shows of an instance; never its configuration, which is not for every auditor."""
    names = ("name", "status", "enabled", "version")
    return {name: row[name] for name in names} | {"definition": str(row["definition"])}
