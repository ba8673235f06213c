"""The status of an instance: what follows from its configuration and its credentials, and every change of it.

PENDING_CONFIGURATION → PENDING_AUTHENTICATION → CONNECTED; a credential that is deleted leads to DISCONNECTED, one that
the other side refuses to AUTH_ERROR, and a configuration that no longer fits to CONFIG_ERROR.
"""

from collections.abc import Collection, Mapping
from typing import Any, Literal
from uuid import UUID

from app.clock import MINUTE
from app.errors import VersionConflict
from models.integrations import IntegrationInstance
from services.context import Context
from services.integrations.definitions.compiling import Compiled
from services.integrations.definitions.model import Definition
from services.integrations.definitions.schemas import property_names, schema_faults, with_defaults
from services.integrations.instances.rows import needed_secrets

STATUSES = (
    "PENDING_CONFIGURATION", "PENDING_AUTHENTICATION", "CONNECTED", "DISCONNECTED", "AUTH_ERROR", "CONFIG_ERROR",
)  # fmt: skip
HEALTH_STATUSES = ("healthy", "degraded", "unhealthy", "unknown")
#: What was known of its health is of another connection.
UNKNOWN_HEALTH: Mapping[str, Any] = {"health_status": "unknown", "health_failures": 0, "health_message": None}
#: Statuses that a change of the configuration alone does not mend.
_OF_CREDENTIALS = ("AUTH_ERROR", "DISCONNECTED")
INTEGRATIONS_TOPIC = "integrations:"


def integrations_topic(tenant: UUID) -> str:
    """Where the events of a tenant's instances are published."""
    return f"{INTEGRATIONS_TOPIC}{tenant}"


def effective_config(definition: Definition, config: Mapping[str, Any] | None) -> dict[str, Any]:
    """What an instance is called with: its configuration over the definition's defaults, those of the schema too."""
    merged = {**(definition.default_config or {}), **(config or {})}
    filled: dict[str, Any] = with_defaults(definition.config_schema, merged)
    return filled


def config_faults(compiled: Compiled, config: Mapping[str, Any] | None) -> dict[str, str]:
    """Each rule of the definition's schema that the configuration breaks, by path."""
    if compiled.config is None:
        return {}
    known = property_names(compiled.definition.config_schema)
    given = config or {}
    # A default that the schema does not know is the definition's own business.
    asked = {
        name: value
        for name, value in effective_config(compiled.definition, config).items()
        if known is None or name in known or name in given
    }
    return dict(schema_faults(compiled.config, asked, "config"))


def status_after(compiled: Compiled, config: Mapping[str, Any] | None, secrets: Collection[str], token: bool) -> str:
    """The status that follows from what an instance has: configuration, names of secrets, and an OAuth2 token."""
    if config_faults(compiled, config):
        return "PENDING_CONFIGURATION" if config is None else "CONFIG_ERROR"
    lacking = set(needed_secrets(compiled)) - set(secrets) or (compiled.definition.auth_type == "oauth2" and not token)
    return "PENDING_AUTHENTICATION" if lacking else "CONNECTED"


def status_of_new_config(before: Mapping[str, Any], followed: str) -> str:
    """A valid configuration moves an instance on, except where its credentials are what is wrong.

    So too where they were removed because it was pointed elsewhere, as its `error` says.
    """
    current: str = before["status"]
    removed = current == "PENDING_AUTHENTICATION" and before["error"] is not None
    return current if (current in _OF_CREDENTIALS or removed) and followed != "CONFIG_ERROR" else followed


async def change_instance(
    context: Context, before: Mapping[str, Any], changes: Mapping[str, Any], *, touch: bool = True
) -> dict[str, Any]:
    """Write columns of an instance where nobody else did since `before` was read; tells of a new status.

    Raises VersionConflict. To be called in the transaction of the operation.
    """
    table: Any = IntegrationInstance
    version = {"version": before["version"] + 1, **({"updated_at": context.now} if touch else {})}
    status = changes.get("status", before["status"])
    # Whether it is checked at all, the check finds out.
    checked = {"next_check_at": context.now + MINUTE} if {"status", "enabled", "config"} & changes.keys() else {}
    connected = {"last_connected_at": context.now} if status == "CONNECTED" != before["status"] else {}
    changed = await (
        table.of(context.tenant)
        .update({**changes, **connected, **checked, **version})
        .where((table.id == before["id"]) & (table.version == before["version"]))
        .returning(table.id)
    )
    if not changed:
        raise VersionConflict(version=before["version"])
    after = {**before, **changes, **connected, **version}
    if status != before["status"]:
        tell_status(context, after, before["status"])
    return after


def tell_status(context: Context, row: Mapping[str, Any], previous: str | None) -> None:
    """Publish the status of an instance, once it is committed; `previous` None for a new one."""
    message = {
        "type": "integration.instance.status",
        "instance": str(row["id"]),
        "definition": str(row["definition"]),
        "name": row["name"],
        "previous": previous,
        "status": row["status"],
        "error": row["error"],
        "version": row["version"],
        "at": context.now,
    }
    runtime, topic = context.runtime, integrations_topic(context.tenant)
    context.after_commit(lambda: runtime.announce(topic, message))


def tell_change(context: Context, row: Mapping[str, Any], what: Literal["created", "updated", "deleted"]) -> None:
    """Publish that somebody made, changed or deleted an instance, once it is committed."""
    names = ("name", "status", "enabled", "version")
    message = {name: row[name] for name in names} | {
        "type": f"integration.{what}",
        "instance": str(row["id"]),
        "definition": str(row["definition"]),
        "at": context.now,
    }
    runtime, topic = context.runtime, integrations_topic(context.tenant)
    context.after_commit(lambda: runtime.announce(topic, message))
