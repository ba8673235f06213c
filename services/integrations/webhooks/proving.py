"""Whether who asks at an endpoint is its sender: by the signature, or for a challenge by the text that it shows.

Who cannot show it learns that it was refused and no more; the audit history has the rule.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from app.errors import IntegrationAuthFailed, IntegrationNotAuthenticated, NotFound, Unavailable, WebhookRefused
from services.context import Context
from services.integrations.definitions.compiling import Compiled
from services.integrations.signing.headers import Headers
from services.integrations.signing.keys import key_of
from services.integrations.signing.verifying import Held, SignatureRefused, holds, verify
from services.integrations.webhooks.challenges import Asking
from services.integrations.webhooks.proofs import Proofs, proofs_of, tell_away, tokens_of


async def verified(context: Context, endpoint: Any, compiled: Compiled, headers: Headers, body: bytes) -> Held:
    """The signature that holds. Raises WebhookRefused, and Unavailable where a vault does not give the secrets."""
    assert compiled.webhook is not None
    webhook, fresh = compiled.webhook.webhook, False
    while True:
        proofs = await _proofs(context, endpoint, compiled, fresh=fresh)
        try:
            return verify(webhook, headers, body, proofs.texts, context.now)
        except SignatureRefused as refused:
            if proofs.kept and not fresh and refused.rule == "signature":
                # The secret may have been rotated in its vault.
                fresh = True
                continue
            await record_refusal(context, endpoint["instance"], WebhookRefused.code, refused.rule, verified=False)
            raise WebhookRefused from None


async def check_shown(context: Context, endpoint: Any, compiled: Compiled, asked: Asking) -> None:
    """Raises WebhookRefused where it must show the instance's verifyToken, and does not."""
    if asked.proof == "none":
        return
    held = await _proofs(context, endpoint, compiled, fresh=False, of=tokens_of)
    if not asked.shows(held.texts) and held.kept:
        held = await _proofs(context, endpoint, compiled, fresh=True, of=tokens_of)
    if not asked.shows(held.texts):
        await record_refusal(context, endpoint["instance"], WebhookRefused.code, "verify_token", verified=False)
        raise WebhookRefused


async def answering_key(
    context: Context, endpoint: Any, compiled: Compiled, asked: Asking, headers: Headers, body: bytes
) -> bytes:
    """What the text of a challenge is signed with: the secret that its own signature holds by, else the present one.

    Raises WebhookRefused where there is none that opens, and Unavailable where a vault does not give it.
    """
    assert compiled.webhook is not None
    webhook = compiled.webhook.webhook
    proofs = await _proofs(context, endpoint, compiled, fresh=False)
    for text in proofs.texts:
        if asked.proof == "signature" and not holds(webhook, headers, body, text, context.now):
            continue
        for signature in webhook.signatures:
            if (key := key_of(signature.scheme, text)) is not None:
                return key
    await record_refusal(context, endpoint["instance"], WebhookRefused.code, "signature", verified=False)
    raise WebhookRefused


async def _proofs(
    context: Context,
    endpoint: Any,
    compiled: Compiled,
    *,
    fresh: bool,
    of: Callable[..., Awaitable[Proofs]] = proofs_of,
) -> Proofs:
    """Raises Unavailable where a vault does not give them: the sender is to try again, and learns no more."""
    try:
        return await of(context, endpoint, compiled, fresh=fresh)
    except (IntegrationAuthFailed, IntegrationNotAuthenticated, NotFound) as error:
        tell_away(endpoint["instance"], error)
        await record_refusal(context, endpoint["instance"], Unavailable.code, "vault", verified=False)
        raise Unavailable from None


async def record_refusal(
    context: Context, instance: UUID | None, code: str, rule: str | None, *, verified: bool
) -> None:
    """A refusal in the history; repeats of one instance, code and rule are counted."""
    entry = context.entry("integration_webhook.refused", "deny")
    entry.attribution = "verified" if verified else "claimed"
    entry.code, entry.rule, entry.resource = code, rule, "integration_instance"
    entry.resource_id = None if instance is None else str(instance)
    await context.runtime.denials.record(entry)
