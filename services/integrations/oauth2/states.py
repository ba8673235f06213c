"""Authorizations that were begun: the state goes out, its SHA-256 stays, and coming back uses it up."""

import hashlib
import secrets
from typing import Any, NamedTuple
from uuid import UUID

from app.auth.encryption import Place, Sealed, Unreadable
from app.clock import MINUTE
from app.ids import new_id
from models.integrations import IntegrationOauthState
from services.context import Context

TABLE = "integration_oauth_state"
LIFETIME = 10 * MINUTE
_RANDOM_BYTES = 32


class Begun(NamedTuple):
    """An authorization on its way; `verifier` is None where the definition opts out of PKCE."""

    instance: UUID
    caller: str
    redirect_uri: str
    verifier: str | None
    bound_to: str | None
    expires_at: int


def caller_of(context: Context) -> str:
    """Who begins an authorization, and alone may complete it."""
    return f"{context.principal.kind}:{context.principal.subject}"


def new_verifier() -> str:
    """A PKCE code verifier of 256 random bits (RFC 7636 section 4.1)."""
    return secrets.token_urlsafe(_RANDOM_BYTES)


async def begin(context: Context, instance_id: UUID, redirect_uri: str, verifier: str | None, bound_to: str) -> str:
    """A state of 256 random bits, of which the database learns the digest; good for the destinations `bound_to`."""
    state, row_id = secrets.token_urlsafe(_RANDOM_BYTES), new_id()
    sealed = None if verifier is None else context.runtime.encryption.seal(verifier, Place(TABLE, row_id, "verifier"))
    row = {
        "id": row_id, "instance": instance_id, "digest": digest_of(state), "caller": caller_of(context),
        "redirect_uri": redirect_uri, "verifier": sealed and sealed.text, "key_id": sealed and sealed.key_id,
        "bound_to": bound_to,
        "created_at": context.now, "expires_at": context.now + LIFETIME,
    }  # fmt: skip
    await IntegrationOauthState.of(context.tenant).insert(row)
    return state


async def take(context: Context, state: str) -> Begun | None:
    """The authorization of a state, which is used up in the same statement; None where there is none that opens."""
    table: Any = IntegrationOauthState
    taking = table.of(context.tenant).delete().where(table.digest == digest_of(state))
    rows = await taking.returning(*table.all_columns())
    if not rows:
        return None
    row, verifier = rows[0], None
    if row["verifier"] is not None:
        sealed = Sealed(row["key_id"], row["verifier"])
        try:
            verifier = context.runtime.encryption.open(sealed, Place(TABLE, row["id"], "verifier"))
        except Unreadable:
            return None
    return Begun(row["instance"], row["caller"], row["redirect_uri"], verifier, row["bound_to"], row["expires_at"])


def digest_of(state: str) -> str:
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()
