"""The secrets that webhooks of an instance are verified with, wherever they lie: sealed here, or in a vault."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from app.auth.encryption import Place, Sealed, Unreadable
from app.database import Statement
from app.errors import DomainError, IntegrationAuthFailed, IntegrationNotAuthenticated
from services.context import Context
from services.integrations.definitions.challenges import VERIFY_TOKEN
from services.integrations.definitions.compiling import Compiled
from services.integrations.definitions.webhooks import PREVIOUS_SECRET, SIGNING_SECRET
from services.integrations.execution.targets import Target
from services.integrations.instances.configs import open_config
from services.integrations.instances.references import Held
from services.integrations.instances.rows import find_instance
from services.integrations.instances.secrets import TABLE
from services.integrations.instances.status import effective_config

LOG = structlog.get_logger("integrations")
#: A signature that does not hold makes a vault read again no oftener, whoever sends it.
REREAD_SECONDS = 5.0
_SECRETS = Statement(
    "SELECT id, value, key_id FROM integration_secret WHERE instance = {instance} AND tenant = {tenant} "
    "AND (name = {current} OR (name = {previous} AND expires_at > {now})) ORDER BY name DESC"
)


class Proofs(NamedTuple):
    """The texts, the present one first; `kept` where a vault may give others by now."""

    texts: list[str]
    kept: bool = False


async def proofs_of(context: Context, endpoint: Mapping[str, Any], compiled: Compiled, *, fresh: bool) -> Proofs:
    """What webhooks of an instance may be signed with now; `endpoint` has its id and its reference.

    Raises IntegrationAuthFailed and IntegrationNotAuthenticated where a vault does not give them.
    """
    instance: UUID = endpoint["instance"]
    if endpoint["credential_ref"] is None:
        return Proofs(await open_signing_secrets(context, instance))
    held = await _referred(context, instance, compiled, fresh=fresh)
    texts = [held.secrets[name] for name in (SIGNING_SECRET, PREVIOUS_SECRET) if name in held.secrets]
    if not texts:
        raise IntegrationAuthFailed(f"The secret of the reference has no field {SIGNING_SECRET}.")
    return Proofs(texts, held.kept)


async def tokens_of(context: Context, endpoint: Mapping[str, Any], compiled: Compiled, *, fresh: bool) -> Proofs:
    """What a challenge may show to be the sender's; none where the instance has no verifyToken. Raises the same."""
    if endpoint["credential_ref"] is None:
        return Proofs(await _opened(context, endpoint["instance"], VERIFY_TOKEN, VERIFY_TOKEN))
    held = await _referred(context, endpoint["instance"], compiled, fresh=fresh)
    return Proofs([held.secrets[VERIFY_TOKEN]] if VERIFY_TOKEN in held.secrets else [], held.kept)


async def _referred(context: Context, instance_id: UUID, compiled: Compiled, *, fresh: bool) -> Held:
    row = await find_instance(context.tenant, instance_id)
    try:
        config = effective_config(compiled.definition, open_config(context.runtime.encryption, row))
    except Unreadable:
        text = "The integration's configuration cannot be opened with the keys of this server."
        raise IntegrationNotAuthenticated(text) from None
    target = Target(row, compiled, config)
    return await context.runtime.vaults.secrets_of(context, target, fresh=fresh, after_seconds=REREAD_SECONDS)


def tell_away(instance_id: UUID, error: DomainError) -> None:
    """The sender learns nothing of a vault, so the log does."""
    LOG.error("a signing secret cannot be read from its vault", instance=str(instance_id), reason=error.message)


async def open_signing_secrets(context: Context, instance_id: UUID, *, previous: bool = True) -> list[str]:
    """The secrets that webhooks of an instance may be signed with now, the present one first."""
    return await _opened(context, instance_id, SIGNING_SECRET, PREVIOUS_SECRET if previous else SIGNING_SECRET)


async def _opened(context: Context, instance_id: UUID, current: str, previous: str) -> list[str]:
    """One that does not open is logged, and holds for nothing: the server cannot compare with what it cannot read."""
    rows = await context.database.fetch(
        _SECRETS,
        instance=instance_id,
        tenant=context.tenant,
        current=current,
        previous=previous,
        now=context.now,
    )
    found = []
    for row in rows:
        try:
            sealed = Sealed(row["key_id"], row["value"])
            found.append(context.runtime.encryption.open(sealed, Place(TABLE, row["id"], "value")))
        except Unreadable as error:
            LOG.error("a signing secret does not open", instance=str(instance_id), reason=str(error))
    return found
