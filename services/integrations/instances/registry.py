"""Instances made, changed and deleted."""

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
    InUse,
    InvalidTransition,
    NotFound,
    ValidationFailed,
    VersionConflict,
)
from models.integrations import IntegrationDefinition, IntegrationInstance
from models.tenancy import id_for
from services import fields
from services.context import Context
from services.integrations.instances.binding import destinations_with
from services.integrations.instances.changing import InstanceChange, material
from services.integrations.instances.checking import check_config, check_secrets
from services.integrations.instances.configs import stored_config
from services.integrations.instances.credentials import reference_of
from services.integrations.instances.endpoints import IssuedWebhook, renew_url, with_signing_secret
from services.integrations.instances.references import check_unused
from services.integrations.instances.rows import compiled_of, find_instance, needed_secrets, shown
from services.integrations.instances.secrets import replace_secrets
from services.integrations.instances.status import change_instance, status_after, tell_change, tell_status
from services.integrations.naming import canonical
from services.operations import operation
from services.people.names import fold_query
from services.versions import check_version

_LONGEST_NAME = 255


class NewInstance(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An instance to make. The definition is named by its id, or by its name: then the last version that was published.

    `credentials` are secrets by name, as the definition's secretsSchema says; `credential_ref` says where they lie
    instead (see services.integrations.instances.references). A `complete` one has all that it needs
    but a person's consent; another can be given the rest later.
    """

    definition: UUID | None = None
    type: str | None = None
    name: str
    config: dict[str, Any] | None = None
    credentials: dict[str, str] | None = None
    credential_ref: str | None = None
    enabled: bool = True
    complete: bool = False


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_instance.created",
    writes=True,
    raises=[ValidationFailed, IntegrationConfigInvalid, IntegrationTypeUnknown, InvalidTransition, Conflict],
)
async def create_integration_instance(context: Context, request: NewInstance) -> dict[str, Any]:
    """Connect an integration: a configuration that does not fit makes no row, one that is left out can follow.

    One that receives webhooks is given their URL, and a secret to sign with where none was given: `issued`, an
    IssuedWebhook, is in the row then, and in no later one.
    """
    name = fields.required_line("name", request.name, most=_LONGEST_NAME)
    definition = await _connectable(context, request)
    compiled = await context.runtime.definitions.compiled(definition)
    if request.config is not None:
        check_config(compiled, request.config)
    reference = await reference_of(context, compiled, request.credentials, request.credential_ref)
    secrets, made_secret = with_signing_secret(compiled, request.credentials, reference)
    if request.credentials is not None or (request.complete and reference is None):
        check_secrets(compiled, secrets)
    await _check_free(context, name)
    held = secrets if reference is None else needed_secrets(compiled)
    status = status_after(compiled, request.config, held, token=False)
    row_id, wanted = id_for(IntegrationInstance), destinations_with(compiled, request.config)
    row = {
        "id": row_id, "definition": definition["id"], "name": name, "search_text": fold_query(name),
        "enabled": request.enabled, "credential_ref": reference, "bound_to": wanted if reference else None,
        "status": status, "created_at": context.now, "updated_at": context.now,
        "last_connected_at": context.now if status == "CONNECTED" else None, "version": 1,
        "next_check_at": context.now + MINUTE,
        **stored_config(context.runtime.encryption, row_id, request.config, compiled.definition.config_schema),
    }  # fmt: skip
    await IntegrationInstance.of(context.tenant).insert(row)
    if secrets:
        await replace_secrets(context, row_id, secrets, wanted)
    url = None if compiled.webhook is None else await renew_url(context, row_id)
    after = await find_instance(context.tenant, row_id)
    context.note("integration_instance", row_id, after=shown(after))
    tell_status(context, after, None)
    tell_change(context, after, "created")
    return after if url is None else after | {"issued": IssuedWebhook(after, url=url, signing_secret=made_secret)}


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_instance.updated",
    writes=True,
    raises=[ValidationFailed, IntegrationConfigInvalid, NotFound, Conflict, VersionConflict],
)
async def update_integration_instance(context: Context, instance_id: UUID, change: InstanceChange) -> dict[str, Any]:
    """Change an instance; a valid configuration moves it on."""
    before = await find_instance(context.tenant, instance_id)
    check_version(before, change.version)
    if change.type is not msgspec.UNSET and change.type != await _type_of(context, before):
        raise IntegrationConfigInvalid({"type": "never changes; connect another integration"})
    changes: dict[str, Any] = {}
    if change.name is not msgspec.UNSET:
        name = fields.required_line("name", change.name, most=_LONGEST_NAME)
        if name != before["name"]:
            await _check_free(context, name, but=instance_id)
            changes |= {"name": name, "search_text": fold_query(name)}
    if change.enabled is not msgspec.UNSET:
        changes["enabled"] = change.enabled
    changes |= await material(context, before, change)
    if not changes:
        return before
    after = await change_instance(context, before, changes)
    why = {"error": after["error"]} if changes.get("error") else {}
    context.note("integration_instance", instance_id, before=shown(before), after=shown(after) | why)
    tell_change(context, after, "updated")
    return after


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_instance.deleted",
    writes=True,
    raises=[NotFound, InUse, VersionConflict],
)
async def delete_integration_instance(
    context: Context, instance_id: UUID, *, version: int | None = None
) -> dict[str, Any]:
    """Delete an instance, with its secrets and the record of its calls; not a vault that others refer to."""
    before = await find_instance(context.tenant, instance_id)
    check_version(before, version)
    await check_unused(context, instance_id)
    table: Any = IntegrationInstance
    doomed = table.id == instance_id
    if version is not None:
        doomed &= table.version == version
    if not await table.of(context.tenant).delete().where(doomed).returning(table.id):
        check_version(await find_instance(context.tenant, instance_id), version)
        raise NotFound("There is no such integration instance.")
    context.note("integration_instance", instance_id, before=shown(before))
    tell_change(context, before, "deleted")
    return before


async def _connectable(context: Context, request: NewInstance) -> dict[str, Any]:
    """The definition that is to be connected. Raises IntegrationTypeUnknown, or InvalidTransition: not published."""
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
        raise InvalidTransition(text, status=row["status"], allowed_from=["PUBLISHED"])
    found: dict[str, Any] = row
    return found


async def _type_of(context: Context, row: Mapping[str, Any]) -> str:
    return (await compiled_of(context, row["definition"])).definition.name


async def _check_free(context: Context, name: str, but: UUID | None = None) -> None:
    """Raise Conflict where another instance than `but` has the name, in whatever Unicode form."""
    await context.database.lock(f"instance:{context.tenant}:{canonical(name)}")
    table: Any = IntegrationInstance
    # What is equal folds to the same text, and not the other way round.
    alike = (table.name == name) | (table.search_text == fold_query(name))
    found = await table.of(context.tenant).select(table.id, table.name).where(alike)
    for row in found:
        if row["id"] != but and canonical(row["name"]) == canonical(name):
            raise Conflict(f"There is an integration instance of the name {row['name']} already.", name=row["name"])
