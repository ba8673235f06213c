"""Where webhooks of an instance come in: a URL with a token that nobody guesses, and the secret they are signed with.

Both are shown once, when they are made. Of the token only the SHA-256 is kept, and its first letters, by which a person
knows it again; what was lost is made anew.
"""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from models.integrations import IntegrationEndpoint
from services.context import Context
from services.integrations.definitions.challenges import VERIFY_TOKEN
from services.integrations.definitions.compiling import Compiled
from services.integrations.definitions.webhooks import PREVIOUS_SECRET, SIGNING_SECRET
from services.integrations.signing.keys import new_secret, secret_fault

PATH = "/api/v1/integrations/webhooks/"
#: Of a text that is shown instead of a signature.
_LEAST_TOKEN = 16
_PREFIX, _RANDOM_BYTES, _HINT = "whk_", 32, 10


class IssuedWebhook(NamedTuple):
    """What is shown once, with the instance's row; None for what was not made anew.

    `previous_until` is until when the secret before this one holds too, in ms since the epoch.
    """

    instance: Mapping[str, Any]
    url: str | None = None
    signing_secret: str | None = None
    previous_until: int | None = None


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def with_signing_secret(
    compiled: Compiled, given: Mapping[str, str] | None, reference: str | None
) -> tuple[dict[str, str], str | None]:
    """The secrets of a new instance, and the one that was made because none was given to sign with, nor where."""
    held = dict(given or {})
    if compiled.webhook is None or SIGNING_SECRET in held or reference is not None:
        return held, None
    made = new_secret()
    return held | {SIGNING_SECRET: made}, made


def signing_faults(compiled: Compiled, given: Mapping[str, object]) -> dict[str, str]:
    """What is wrong with the secrets that a sender signs with or shows, by path."""
    if compiled.webhook is None:
        return {}
    webhook = compiled.webhook.webhook
    named = {name: given[name] for name in (SIGNING_SECRET, PREVIOUS_SECRET) if name in given}
    faults = {name: fault for name, each in named.items() if (fault := secret_fault(webhook, each))}
    token = given.get(VERIFY_TOKEN)
    if isinstance(token, str) and len(token) < _LEAST_TOKEN:
        faults[VERIFY_TOKEN] = f"must have at least {_LEAST_TOKEN} characters"
    return {f"credentials.{name}": fault for name, fault in faults.items()}


async def renew_url(context: Context, instance_id: UUID) -> str:
    """A new URL for the webhooks of an instance; the one before leads nowhere from now on."""
    table: Any = IntegrationEndpoint
    token = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    values = {"digest": digest_of(token), "hint": token[:_HINT], "rotated_at": context.now}
    rows = table.of(context.tenant)
    if not await rows.update(values).where(table.instance == instance_id).returning(table.id):
        await rows.insert({**values, "instance": instance_id, "created_at": context.now})
    return f"{context.runtime.settings.url}{PATH}{token}"
