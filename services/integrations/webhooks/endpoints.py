"""Endpoints of webhooks: their URL and their secret, made anew; and what may be shown of them."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from app.auth.scopes import Scope
from app.clock import DAY, SECOND
from app.database import Row
from app.errors import IntegrationConfigInvalid, NotFound, VersionConflict, WebhookUnsupported
from services.context import Context
from services.integrations.definitions.compiling import Compiled
from services.integrations.definitions.webhooks import PREVIOUS_SECRET, SIGNING_SECRET
from services.integrations.instances.configs import judged_config
from services.integrations.instances.endpoints import IssuedWebhook, renew_url
from services.integrations.instances.rows import compiled_of, find_instance, has_token, held_secrets, shown
from services.integrations.instances.secrets import replace_signing_secret
from services.integrations.instances.status import change_instance, status_after
from services.integrations.signing.keys import new_secret, secret_fault
from services.integrations.webhooks.proofs import open_signing_secrets
from services.operations import operation
from services.paging import Condition, among, joined, statement
from services.versions import check_version

_IN_VAULT = (
    f"says that the secret lies in a vault: write the new one there as {SIGNING_SECRET}, and the one before, for the "
    f"time of the overlap, as {PREVIOUS_SECRET}"
)
DEFAULT_OVERLAP_SECONDS, MOST_OVERLAP_SECONDS = DAY // SECOND, 7 * DAY // SECOND
_SHOWN = (
    "instance, hint, created_at, rotated_at, (SELECT max(d.received_at) FROM integration_delivery d "
    "WHERE d.instance = integration_endpoint.instance) AS last_received_at, (SELECT s.expires_at FROM "
    "integration_secret s WHERE s.instance = integration_endpoint.instance AND s.expires_at > {now}) AS previous_until"
)


class SecretRotation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A new signing secret; one is made where none is given. The old one holds for `overlapSeconds` more."""

    secret: str | None = None
    overlap_seconds: Annotated[int, Meta(ge=0, le=MOST_OVERLAP_SECONDS)] = DEFAULT_OVERLAP_SECONDS


@operation(scope=Scope.INTEGRATIONS_READ)
async def get_integration_endpoints(context: Context, instances: list[UUID]) -> list[Row]:
    """Where the webhooks of these instances come in; never the URLs, which are shown when they are made."""
    return await endpoints_of(context, instances)


async def endpoints_of(context: Context, instances: list[UUID]) -> list[Row]:
    """The same for an answer that shows an instance which the caller may see."""
    if not instances:
        return []
    own = Condition("tenant = {tenant}", {"tenant": context.tenant, "now": context.now})
    sql, params = joined([own, among(context.database, "instance", instances)])
    text = f"SELECT {_SHOWN} FROM integration_endpoint WHERE {sql}"  # noqa: S608 - own words
    return await context.database.fetch(statement(text), **params)


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_webhook.url_rotated",
    writes=True,
    raises=[NotFound, WebhookUnsupported, VersionConflict],
)
async def rotate_integration_webhook_url(
    context: Context, instance_id: UUID, *, version: int | None = None
) -> IssuedWebhook:
    """Give an instance a new URL for its webhooks, which no later answer shows; the old one ends at once."""
    before, _ = await _receiving(context, instance_id)
    check_version(before, version)
    url = await renew_url(context, instance_id)
    after = await change_instance(context, before, {})
    context.note("integration_instance", instance_id, before=shown(before), after=shown(after))
    return IssuedWebhook(after, url=url)


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_webhook.secret_rotated",
    writes=True,
    raises=[NotFound, WebhookUnsupported, IntegrationConfigInvalid, VersionConflict],
)
async def rotate_integration_webhook_secret(
    context: Context, instance_id: UUID, rotation: SecretRotation, *, version: int | None = None
) -> IssuedWebhook:
    """Sign webhooks with a new secret; the old one holds as well until its time is over."""
    before, compiled = await _receiving(context, instance_id)
    check_version(before, version)
    assert compiled.webhook is not None
    if before["credential_ref"] is not None:
        raise IntegrationConfigInvalid({"credentialRef": _IN_VAULT})
    fault = None if rotation.secret is None else secret_fault(compiled.webhook.webhook, rotation.secret)
    if fault is not None:
        raise IntegrationConfigInvalid({"secret": fault})
    made = None if rotation.secret is not None else new_secret()
    until = context.now + rotation.overlap_seconds * SECOND
    # The row first: of two that rotate at once, one is told so, and neither loses a secret.
    changed = await change_instance(context, before, {"error": None})
    previous = await _put_aside(context, instance_id, until) if rotation.overlap_seconds else False
    await replace_signing_secret(context, instance_id, SIGNING_SECRET, rotation.secret or made or "", None)
    held = await held_secrets(context.tenant, instance_id), await has_token(context.tenant, instance_id)
    status = status_after(compiled, judged_config(context.runtime.encryption, before), *held)
    after = changed if status == changed["status"] else await change_instance(context, changed, {"status": status})
    told = shown(after) | {"previous_until": until if previous else None}
    context.note("integration_instance", instance_id, before=shown(before), after=told)
    return IssuedWebhook(after, signing_secret=made, previous_until=until if previous else None)


async def _receiving(context: Context, instance_id: UUID) -> tuple[dict[str, Any], Compiled]:
    """The instance and its definition. Raises NotFound, and WebhookUnsupported where nothing comes in."""
    row = await find_instance(context.tenant, instance_id)
    compiled = await compiled_of(context, row["definition"])
    if compiled.webhook is None:
        raise WebhookUnsupported
    return row, compiled


async def _put_aside(context: Context, instance_id: UUID, until: int) -> bool:
    """Let the present secret go on as the previous one; whether there was one that opens."""
    present = await open_signing_secrets(context, instance_id, previous=False)
    if not present:
        return False
    await replace_signing_secret(context, instance_id, PREVIOUS_SECRET, present[0], until)
    return True
