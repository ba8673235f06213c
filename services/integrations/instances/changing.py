"""A change of an instance: what it makes of the configuration, the credentials and the status that there were."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from app.auth.encryption import Unreadable
from app.errors import IntegrationConfigInvalid
from services.context import Context
from services.integrations.definitions.compiling import Compiled
from services.integrations.definitions.masking import MASK, secret_texts, unmasked
from services.integrations.instances.binding import check_secrets_given, destinations_with, withdraw, withdrawn
from services.integrations.instances.checking import check_config
from services.integrations.instances.configs import judged_config, open_config, stored_config
from services.integrations.instances.credentials import replaced_credentials
from services.integrations.instances.references import store_reference
from services.integrations.instances.rows import compiled_of, has_token, held_secrets, known_secrets
from services.integrations.instances.secrets import forget_token
from services.integrations.instances.status import UNKNOWN_HEALTH, status_after, status_of_new_config

T = TypeVar("T")


class InstanceChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is UNSET stays as it is; `config` replaces the whole; `version` guards against a lost update.

    `credential_ref` takes the place of the secrets that there were, and None takes it away. `type`, the definition's
    name, may be repeated; it never changes.
    """

    name: str | msgspec.UnsetType = msgspec.UNSET
    config: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET
    credentials: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    credential_ref: str | msgspec.UnsetType | None = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET
    type: str | msgspec.UnsetType = msgspec.UNSET
    version: int | None = None


async def material(context: Context, before: Mapping[str, Any], change: InstanceChange) -> dict[str, Any]:
    """What a new configuration, new credentials, or both, change of the row; the credentials are written."""
    if change.config is change.credentials is change.credential_ref is msgspec.UNSET:
        return {}
    change = await _without_store(context, before, change)
    compiled, keys = await compiled_of(context, before["definition"]), context.runtime.encryption
    given = config = judged_config(keys, before)
    changes = dict(UNKNOWN_HEALTH)
    if change.config is not msgspec.UNSET:
        given = _given_config(context, before, change.config, compiled)
        changes |= stored_config(keys, before["id"], given, compiled.definition.config_schema)
    was, wanted = destinations_with(compiled, config), destinations_with(compiled, given)
    if was != wanted and change.config:
        check_secrets_given(change.config, given or {})
    # A reference that is sent back is given for the address that is sent with it.
    change = change if was != wanted and change.credential_ref else _news(before, change)
    anew = change.credentials is not msgspec.UNSET or change.credential_ref is not msgspec.UNSET
    if given == config and not anew:
        return {}
    if compiled.definition.exchange is not None:
        # Whom it stands for is in the configuration: the installation of an app, for one.
        await forget_token(context.tenant, before["id"])
    taken = was != wanted and await withdraw(context, before)
    if anew:
        changes |= await replaced_credentials(
            context, before["id"], compiled, _given(change.credentials), _given(change.credential_ref), wanted
        )
    elif taken:
        lost = status_after(compiled, given, (), token=False)
        status = lost if lost in ("PENDING_CONFIGURATION", "CONFIG_ERROR") else "PENDING_AUTHENTICATION"
        gone = {"credential_ref": None, "bound_to": None, "status": status, "error": withdrawn(was, wanted)}
        return changes | gone
    return changes | await _followed(context, {**before, **changes}, compiled, change)


async def _without_store(context: Context, before: Mapping[str, Any], change: InstanceChange) -> InstanceChange:
    """Without what an answer said of secrets that lie here: it gives none, for no other address either."""
    if change.credential_ref != store_reference(before["id"]):
        return change
    if not await held_secrets(context.tenant, before["id"]):
        raise IntegrationConfigInvalid({"credentialRef": "names secrets that are no longer there; give them again"})
    return msgspec.structs.replace(change, credential_ref=msgspec.UNSET)


def _news(before: Mapping[str, Any], change: InstanceChange) -> InstanceChange:
    """Without a reference that is sent back as it was shown; none where there is none takes no secrets away."""
    same = change.credential_ref == before["credential_ref"] and change.credentials is msgspec.UNSET
    if same or (change.credential_ref is None and change.credentials is not msgspec.UNSET):
        return msgspec.structs.replace(change, credential_ref=msgspec.UNSET)
    return change


def _given(value: T | msgspec.UnsetType) -> T | None:
    return None if value is msgspec.UNSET else value


def _given_config(
    context: Context, before: Mapping[str, Any], config: dict[str, Any] | None, compiled: Compiled
) -> dict[str, Any] | None:
    """A new configuration, with what the masks in it stand for. Raises IntegrationConfigInvalid."""
    schema = compiled.definition.config_schema
    try:
        given = unmasked(config, open_config(context.runtime.encryption, before), schema)
    except Unreadable:
        if config is not None and MASK in secret_texts(config, schema):
            rule = "what is masked cannot be opened with the keys of this server; give the secret values anew"
            raise IntegrationConfigInvalid({"config": rule}) from None
        given = config
    if given is not None:
        check_config(compiled, given)
    return given


async def _followed(
    context: Context, row: Mapping[str, Any], compiled: Compiled, change: InstanceChange
) -> dict[str, Any]:
    """The status that follows; `row` is as it was, with all else that changes."""
    secrets, token = await known_secrets(context, compiled, row), await has_token(context.tenant, row["id"])
    followed = status_after(compiled, judged_config(context.runtime.encryption, row), secrets, token)
    if change.credential_ref is None and followed == "PENDING_AUTHENTICATION":
        followed = "DISCONNECTED"
    if change.credentials is change.credential_ref is msgspec.UNSET:
        followed = status_of_new_config(row, followed)
    return {"status": followed, "error": row["error"] if followed == row["status"] else None}
