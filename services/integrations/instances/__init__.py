"""Instances: connections of a tenant, made, changed, given their credentials, and deleted."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from app.auth.scopes import Scope
from app.clock import MINUTE
from app.errors import (
    Conflict,
    IntegrationConfigInvalid,
    IntegrationTypeUnknown,
    NotFound,
    ValidationFailed,
    VersionConflict,
)
from models.integrations import IntegrationDefinition, IntegrationInstance
from services import fields
from services.context import Context
from services.integrations.definitions.compiling import Compiled
from services.integrations.definitions.schemas import schema_faults
from services.integrations.instances.rows import (
    compiled_of,
    find_instance,
    has_token,
    held_secrets,
    masked,
    shown,
    unmasked,
)
from services.integrations.instances.secrets import (
    MOST_SECRET_CHARACTERS,
    forget_secrets,
    forget_token,
    replace_secrets,
)
from services.integrations.instances.status import (
    change_instance,
    config_faults,
    read_config,
    status_after,
    status_of_new_config,
    tell_status,
)
from services.operations import operation
from services.people.names import fold_query

_LONGEST_NAME = 255
_LONGEST_CONFIG = 65_536


class NewInstance(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An instance to make. The definition is named by its id, or by its name: then the last version that was published.

    `credentials` are secrets by name, as the definition's secretsSchema says.
    """

    definition: UUID | None = None
    type: str | None = None
    name: str
    config: dict[str, Any] | None = None
    credentials: dict[str, str] | None = None
    enabled: bool = True


class InstanceChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is UNSET stays as it is; `config` replaces the whole; `version` guards against a lost update."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    config: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET
    credentials: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET
    version: int | None = None


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_instance.created",
    writes=True,
    raises=[ValidationFailed, IntegrationConfigInvalid, IntegrationTypeUnknown, Conflict],
)
async def create_integration_instance(context: Context, request: NewInstance) -> dict[str, Any]:
    """Connect an integration: a configuration that does not fit makes no row, one that is left out can follow."""
    name = fields.required_text("name", request.name, most=_LONGEST_NAME)
    definition = await _connectable(context, request)
    compiled = context.runtime.definitions.compiled(definition)
    if request.config is not None:
        _check_config(compiled, request.config)
    if request.credentials is not None:
        _check_secrets(compiled, request.credentials)
    await _check_free(context, name)
    status = status_after(compiled, request.config, request.credentials or {}, token=False)
    row = {
        "definition": definition["id"], "name": name, "search_text": fold_query(name), "enabled": request.enabled,
        "config": _encoded(request.config), "status": status, "created_at": context.now, "updated_at": context.now,
        "last_connected_at": context.now if status == "CONNECTED" else None, "version": 1,
        "next_check_at": context.now + MINUTE,
    }  # fmt: skip
    made = await IntegrationInstance.of(context.tenant).insert(row)
    if request.credentials:
        await replace_secrets(context, made[0]["id"], request.credentials)
    after = await find_instance(context.tenant, made[0]["id"])
    context.note("integration_instance", after["id"], after=shown(after))
    tell_status(context, after, None)
    return after


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_instance.updated",
    writes=True,
    raises=[ValidationFailed, IntegrationConfigInvalid, NotFound, Conflict, VersionConflict],
)
async def update_integration_instance(context: Context, instance_id: UUID, change: InstanceChange) -> dict[str, Any]:
    """Change an instance; a valid configuration moves it on."""
    before = await find_instance(context.tenant, instance_id)
    if change.version is not None and change.version != before["version"]:
        raise VersionConflict(version=before["version"])
    changes: dict[str, Any] = {}
    if change.name is not msgspec.UNSET:
        name = fields.required_text("name", change.name, most=_LONGEST_NAME)
        if name != before["name"]:
            await _check_free(context, name)
            changes |= {"name": name, "search_text": fold_query(name)}
    if change.enabled is not msgspec.UNSET:
        changes["enabled"] = change.enabled
    changes |= await _material(context, before, change)
    if not changes:
        return before
    after = await change_instance(context, before, changes)
    context.note("integration_instance", instance_id, before=shown(before), after=shown(after))
    return after


async def _material(context: Context, before: Mapping[str, Any], change: InstanceChange) -> dict[str, Any]:
    """What a new configuration, new credentials, or both, change of the row; the credentials are written."""
    if change.config is msgspec.UNSET and change.credentials is msgspec.UNSET:
        return {}
    compiled, changes = await compiled_of(context, before["definition"]), dict(_UNKNOWN_HEALTH)
    config = read_config(before)
    if change.config is not msgspec.UNSET:
        config = unmasked(change.config, config, compiled.definition.config_schema)
        if config is not None:
            _check_config(compiled, config)
        changes["config"] = _encoded(config)
    if change.credentials is not msgspec.UNSET:
        _check_secrets(compiled, change.credentials)
        await replace_secrets(context, before["id"], change.credentials)
    secrets, token = await held_secrets(context.tenant, before["id"]), await has_token(context.tenant, before["id"])
    followed = status_after(compiled, config, secrets, token)
    if change.credentials is msgspec.UNSET:
        followed = status_of_new_config(before["status"], followed)
    return changes | {"status": followed, "error": before["error"] if followed == before["status"] else None}


#: What was known of its health is of another connection.
_UNKNOWN_HEALTH: dict[str, Any] = {"health_status": "unknown", "health_failures": 0, "health_message": None}


@operation(scope=Scope.INTEGRATIONS_WRITE, audit="integration_instance.deleted", writes=True, raises=[NotFound])
async def delete_integration_instance(context: Context, instance_id: UUID) -> dict[str, Any]:
    """Delete an instance, with its secrets and the record of its calls."""
    before = await find_instance(context.tenant, instance_id)
    table: Any = IntegrationInstance
    if not await table.of(context.tenant).delete().where(table.id == instance_id).returning(table.id):
        raise NotFound("There is no such integration instance.")
    context.note("integration_instance", instance_id, before=shown(before))
    return before


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_instance.credentials_set",
    writes=True,
    raises=[NotFound, IntegrationConfigInvalid, VersionConflict],
)
async def set_integration_credentials(
    context: Context, instance_id: UUID, credentials: dict[str, str]
) -> dict[str, Any]:
    """Give an instance its secrets, in the place of those that it had; no answer ever shows them."""
    before = await find_instance(context.tenant, instance_id)
    compiled = await compiled_of(context, before["definition"])
    _check_secrets(compiled, credentials)
    await replace_secrets(context, instance_id, credentials)
    token = await has_token(context.tenant, instance_id)
    status = status_after(compiled, read_config(before), credentials, token)
    after = await change_instance(context, before, {**_UNKNOWN_HEALTH, "status": status, "error": None})
    context.note("integration_instance", instance_id, before=shown(before), after=_with_secrets(after, credentials))
    return after


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_instance.credentials_deleted",
    writes=True,
    raises=[NotFound, VersionConflict],
)
async def delete_integration_credentials(context: Context, instance_id: UUID) -> dict[str, Any]:
    """Delete the secrets of an instance, and what an authorization server gave it."""
    before = await find_instance(context.tenant, instance_id)
    compiled = await compiled_of(context, before["definition"])
    gone = await forget_secrets(context.tenant, instance_id) + await forget_token(context.tenant, instance_id)
    status = status_after(compiled, read_config(before), (), token=False)
    # What needs no credentials is as connected as before.
    status = "DISCONNECTED" if status == "PENDING_AUTHENTICATION" and gone else status
    after = await change_instance(context, before, {**_UNKNOWN_HEALTH, "status": status, "error": None})
    context.note("integration_instance", instance_id, before=shown(before), after=_with_secrets(after, ()))
    return after


def _with_secrets(row: Mapping[str, Any], names: Any) -> dict[str, Any]:
    return shown(row) | {"secret_names": sorted(names)}


async def _connectable(context: Context, request: NewInstance) -> dict[str, Any]:
    """The definition that is to be connected. Raises IntegrationTypeUnknown, and Conflict for one not published."""
    if (request.definition is None) == (request.type is None):
        raise ValidationFailed({"type": "exactly one of type and the definition's id must be given"})
    table: Any = IntegrationDefinition
    seen = table.seen_by(context.tenant).select(*table.all_columns())
    if request.definition is not None:
        row = await seen.where(table.id == request.definition).first()
    else:
        published = (table.name == request.type) & (table.status == "PUBLISHED")
        row = await seen.where(published).order_by(table.published_at, table.id, ascending=False).first()
    if row is None:
        raise IntegrationTypeUnknown
    if row["status"] != "PUBLISHED":
        text = f"The definition is {row['status']}; only one that is PUBLISHED can be connected."
        raise Conflict(text, status=row["status"])
    found: dict[str, Any] = row
    return found


def _check_config(compiled: Compiled, config: dict[str, Any]) -> None:
    if len(msgspec.json.encode(config)) > _LONGEST_CONFIG:
        raise IntegrationConfigInvalid({"config": f"must be at most {_LONGEST_CONFIG} bytes of JSON"})
    faults = config_faults(compiled, config)
    if faults:
        raise IntegrationConfigInvalid(faults)


def _check_secrets(compiled: Compiled, secrets: Mapping[str, str]) -> None:
    long = {
        f"credentials.{name}": "is too long" for name, text in secrets.items() if len(text) > MOST_SECRET_CHARACTERS
    }
    faults = long or dict(schema_faults(compiled.secrets, dict(secrets), "credentials"))
    if faults:
        raise IntegrationConfigInvalid(faults)


async def _check_free(context: Context, name: str) -> None:
    await context.database.lock(f"instance:{context.tenant}:{name}")
    table: Any = IntegrationInstance
    if await table.of(context.tenant).exists(table.name == name):
        raise Conflict(f"There is an integration instance of the name {name} already.", name=name)


def _encoded(config: dict[str, Any] | None) -> str | None:
    return None if config is None else msgspec.json.encode(config).decode()


def config_of(context: Context, row: Mapping[str, Any], definition: Mapping[str, Any]) -> dict[str, Any] | None:
    """The configuration as an answer shows it; `definition` is its whole row."""
    return masked(read_config(row), context.runtime.definitions.compiled(definition).definition.config_schema)


async def shown_config(context: Context, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The configuration of an instance that the caller may read, without the values that are marked as secret."""
    if row["config"] is None:
        return None
    return masked(read_config(row), (await compiled_of(context, row["definition"])).definition.config_schema)
