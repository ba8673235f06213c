"""Instances as rows: found or missing, with their definition, and as the audit history shows them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.errors import NotFound
from models.integrations import IntegrationDefinition, IntegrationInstance, IntegrationSecret, IntegrationToken
from services.context import Context
from services.integrations.definitions.compiling import Compiled, secrets_schema
from services.integrations.definitions.masking import MASK
from services.integrations.definitions.rows import find_definition
from services.integrations.definitions.webhooks import SIGNING_SECRET

SUMMARY = (
    "id, definition, name, status, error, enabled, health_status, health_checked_at, last_used_at, last_connected_at, "
    "created_at, updated_at, version"
)
COLUMNS = f"{SUMMARY}, config, credential_ref, health_message, health_latency_ms, health_failures, health_history"


async def find_instance(tenant: UUID, instance_id: UUID) -> dict[str, Any]:
    """The whole row of an instance. Raises NotFound."""
    table = IntegrationInstance
    row = await table.of(tenant).one(*table.all_columns(), where=table.id == instance_id)
    if row is None:
        raise NotFound("There is no such integration instance.")
    return row


async def compiled_of(context: Context, definition_id: UUID, version: int | None = None) -> Compiled:
    """The definition of an instance, compiled; `version` is its row's, where that was read already.

    One that is known is not read again: a large one has megabytes. Raises NotFound.
    """
    warm = context.runtime.definitions
    if version is None:
        table = IntegrationDefinition
        row = await table.seen_by(context.tenant).one(table.version, where=table.id == definition_id)
        version = None if row is None else row["version"]
    found = None if version is None else warm.known(definition_id, version)
    return found or await warm.compiled(await find_definition(context.tenant, definition_id))


async def held_secrets(tenant: UUID, instance_id: UUID) -> list[str]:
    """The names of the secrets that an instance has."""
    table: Any = IntegrationSecret
    rows = await table.of(tenant).select(table.name).where(table.instance == instance_id).order_by(table.name)
    return [row["name"] for row in rows]


def needed_secrets(compiled: Compiled) -> list[str]:
    """The names of the secrets without which a type cannot be called, or cannot receive."""
    needed = list(secrets_schema(compiled.definition).get("required") or ())
    return needed if compiled.webhook is None or SIGNING_SECRET in needed else [*needed, SIGNING_SECRET]


async def known_secrets(context: Context, compiled: Compiled, row: Mapping[str, Any]) -> list[str]:
    """The names of the secrets that an instance has, or is to be given by the vault that it refers to."""
    if row["credential_ref"] is not None:
        return needed_secrets(compiled)
    return await held_secrets(context.tenant, row["id"])


async def has_token(tenant: UUID, instance_id: UUID) -> bool:
    """Whether an authorization server has given this instance a token."""
    return await IntegrationToken.of(tenant).exists(IntegrationToken.instance == instance_id)


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit history shows of an instance; never its configuration, which is not for every auditor."""
    names = ("name", "status", "enabled", "version")
    seen = {name: row[name] for name in names} | {"definition": str(row["definition"])}
    reference = row["credential_ref"]
    # Which vault, and not what is asked of it.
    return seen if reference is None else seen | {"credential_ref": f"vault://{reference.split('/')[2]}/{MASK}"}
