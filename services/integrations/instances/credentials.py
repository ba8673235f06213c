"""Credentials of an instance: its secrets, or a reference to where they lie; given, replaced and deleted."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from app.auth.scopes import Scope
from app.errors import IntegrationConfigInvalid, NotFound, ValidationFailed, VersionConflict
from services.context import Context
from services.integrations.definitions.compiling import Compiled
from services.integrations.instances.binding import destinations_with
from services.integrations.instances.checking import check_secrets
from services.integrations.instances.configs import judged_config
from services.integrations.instances.references import stored_reference
from services.integrations.instances.rows import compiled_of, find_instance, has_token, needed_secrets, shown
from services.integrations.instances.secrets import forget_secrets, forget_token, replace_secrets
from services.integrations.instances.status import UNKNOWN_HEALTH, change_instance, status_after, tell_change
from services.operations import operation
from services.versions import check_version


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_instance.credentials_set",
    writes=True,
    raises=[NotFound, ValidationFailed, IntegrationConfigInvalid, VersionConflict],
)
async def set_integration_credentials(
    context: Context,
    instance_id: UUID,
    credentials: dict[str, str] | None,
    reference: str | None = None,
    *,
    version: int | None = None,
) -> dict[str, Any]:
    """Give an instance its secrets, or say where they lie, in the place of those that it had; no answer shows them."""
    if (credentials is None) == (reference is None):
        raise ValidationFailed({"credentials": "exactly one of credentials and credentialRef must be given"})
    before = await find_instance(context.tenant, instance_id)
    check_version(before, version)
    compiled = await compiled_of(context, before["definition"])
    config = judged_config(context.runtime.encryption, before)
    wanted = destinations_with(compiled, config)
    stored = await replaced_credentials(context, instance_id, compiled, credentials, reference, wanted)
    known = credentials if credentials is not None else needed_secrets(compiled)
    status = status_after(compiled, config, known, await has_token(context.tenant, instance_id))
    changes = {**UNKNOWN_HEALTH, **stored, "status": status, "error": None}
    after = await change_instance(context, before, changes)
    told = _with_secrets(after, credentials or ())
    context.note("integration_instance", instance_id, before=shown(before), after=told)
    tell_change(context, after, "updated")
    return after


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_instance.credentials_deleted",
    writes=True,
    raises=[NotFound, VersionConflict],
)
async def delete_integration_credentials(
    context: Context, instance_id: UUID, *, version: int | None = None
) -> dict[str, Any]:
    """Delete the secrets of an instance, and what an authorization server gave it."""
    before = await find_instance(context.tenant, instance_id)
    check_version(before, version)
    compiled = await compiled_of(context, before["definition"])
    gone = await forget_secrets(context.tenant, instance_id) + await forget_token(context.tenant, instance_id)
    gone += before["credential_ref"] is not None
    status = status_after(compiled, judged_config(context.runtime.encryption, before), (), token=False)
    # What needs no credentials is as connected as before.
    status = "DISCONNECTED" if status == "PENDING_AUTHENTICATION" and gone else status
    changes = {**UNKNOWN_HEALTH, "credential_ref": None, "bound_to": None, "status": status, "error": None}
    after = await change_instance(context, before, changes)
    context.note("integration_instance", instance_id, before=shown(before), after=_with_secrets(after, ()))
    tell_change(context, after, "updated")
    return after


def _with_secrets(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return shown(row) | {"secret_names": sorted(names)}


async def replaced_credentials(
    context: Context,
    instance_id: UUID,
    compiled: Compiled,
    credentials: Mapping[str, str] | None,
    reference: str | None,
    wanted: str,
) -> dict[str, Any]:
    """New secrets, or a reference, for these destinations in the place of what there was; what the row says of it."""
    stored = await reference_of(context, compiled, credentials, reference)
    if credentials is not None:
        check_secrets(compiled, credentials)
    await replace_secrets(context, instance_id, credentials or {}, wanted)
    if compiled.definition.exchange is not None:
        # Nobody gave it but these credentials, and it is asked for anew by itself.
        await forget_token(context.tenant, instance_id)
    return {"credential_ref": stored, "bound_to": wanted if stored else None}


async def reference_of(
    context: Context, compiled: Compiled, credentials: Mapping[str, str] | None, reference: str | None
) -> str | None:
    """The reference as it is stored. Raises ValidationFailed where secrets are given too, IntegrationConfigInvalid."""
    if credentials is not None and reference is not None:
        raise ValidationFailed({"credentialRef": "cannot stand beside credentials: exactly one of the two is given"})
    return None if reference is None else await stored_reference(context, compiled, reference)
