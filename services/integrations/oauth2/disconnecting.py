"""Connections given up: forgotten here at once, and revoked there where the provider has an address for it."""

from typing import Any
from uuid import UUID

from app.auth.encryption import Unreadable
from app.auth.scopes import Scope
from app.errors import IntegrationAuthFailed, IntegrationNotAuthenticated, InvalidTransition, NotFound, VersionConflict
from services.context import Context
from services.integrations.instances.rows import compiled_of, find_instance, shown
from services.integrations.instances.secrets import forget_token
from services.integrations.instances.status import UNKNOWN_HEALTH, change_instance
from services.integrations.oauth2.clients import client_of, revoke
from services.integrations.oauth2.connecting import write_instance
from services.integrations.oauth2.tokens import find_token, held_tokens
from services.operations import operation
from services.versions import check_version


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_authorization.ended",
    writes="parts",
    raises=[NotFound, InvalidTransition, VersionConflict],
)
async def disconnect_integration(context: Context, instance_id: UUID, *, version: int | None = None) -> dict[str, Any]:
    """Forget the tokens of an instance and revoke them (RFC 7009); its client credentials stay, to connect again."""
    instance = await find_instance(context.tenant, instance_id)
    kind = (await compiled_of(context, instance["definition"])).definition.auth_type
    if kind not in ("oauth2", "client_credentials"):
        raise InvalidTransition("This integration is not authorized by OAuth2; delete its credentials instead.")
    check_version(instance, version)
    found: dict[str, Any] = {}

    async def forget(before: dict[str, Any]) -> dict[str, Any]:
        check_version(before, version)
        found["token"] = await find_token(context.tenant, instance_id)
        await forget_token(context.tenant, instance_id)
        if found["token"] is None and before["status"] not in ("CONNECTED", "AUTH_ERROR"):
            return before
        after = await change_instance(context, before, {**UNKNOWN_HEALTH, "status": "DISCONNECTED", "error": None})
        context.note("integration_instance", instance_id, before=shown(before), after=shown(after))
        return after

    after = await write_instance(context, instance_id, forget)
    if found["token"] is not None:
        await _revoke(context, instance, found["token"])
    return after


async def _revoke(context: Context, instance: dict[str, Any], token: dict[str, Any]) -> None:
    """What the provider says is in the history; the connection is given up in any case."""
    try:
        client = await client_of(context, instance)
        if client.config.revocation_url is None:
            return
        revoked = await revoke(context, client, held_tokens(context.runtime.encryption, token))
    except (Unreadable, IntegrationNotAuthenticated, IntegrationAuthFailed):
        revoked = False

    async def note() -> None:
        action, outcome = "integration_authorization.revoked", "allow" if revoked else "error"
        after = {"revoked": revoked}
        context.note("integration_instance", instance["id"], action=action, after=after, outcome=outcome)  # type: ignore[arg-type]

    await context.write(note)
