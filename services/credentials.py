"""Credentials of installations: issued once, rotated with an overlap, revoked, taken over from before."""

import re
from typing import Any
from uuid import UUID

import msgspec

from app.auth.credentials import Mode, new_key, new_kid
from app.auth.scopes import Scope, credential_scopes
from app.clock import DAY, HOUR
from app.errors import Conflict, InvalidTransition, NotFound, UnknownScope, ValidationFailed
from models.installations import Credential
from services import fields
from services.context import Context
from services.installations.rows import find_credential, find_installation
from services.operations import operation

GRACE_DEFAULT_SECONDS = 24 * HOUR // 1_000
GRACE_MOST_SECONDS = 30 * DAY // 1_000
MOST_ACTIVE = 50
_CLOSED = ("revoked", "archived")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SHOWN = ("label", "kid", "mode", "status", "expires_at", "rotated_at", "replaced_by")


class NewCredential(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`expires_at` is ms since the epoch; None means that it does not expire."""

    label: str
    scopes: list[str]
    mode: Mode = "live"
    expires_at: int | None = None


class IssuedCredential(msgspec.Struct, frozen=True):
    """A credential and its key; `secret` is in this answer and never again."""

    credential: dict[str, Any]
    secret: str


def scopes_held(row: dict[str, Any]) -> list[str]:
    return msgspec.json.decode(row["scopes"], type=list[str])


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _SHOWN} | {"scopes": scopes_held(row)}


async def _open_installation(context: Context, installation_id: UUID) -> None:
    installation = await find_installation(context.tenant, installation_id)
    if installation["status"] in _CLOSED:
        raise InvalidTransition(f"An installation that is {installation['status']} takes no credential.")
    active = await Credential.of(context.tenant).count(
        (Credential.installation == installation_id) & (Credential.status == "active")
    )
    if active >= MOST_ACTIVE:
        raise Conflict(f"An installation has at most {MOST_ACTIVE} active credentials; revoke one first.")


async def _insert(context: Context, installation_id: UUID, values: dict[str, Any]) -> dict[str, Any]:
    row = {"installation": installation_id, "status": "active", "created_at": context.now} | values
    made = await Credential.of(context.tenant).insert(row)
    found = await find_credential(context.tenant, made[0]["id"])
    context.note("credential", found["id"], after=_shown(found), installation=installation_id)
    return found


def _keyed(context: Context, mode: Mode) -> tuple[str, dict[str, Any]]:
    key, peppers = new_key(mode), context.runtime.peppers
    values = {"kid": key.kid, "mode": mode, "digest": peppers.digest(key.text), "hash_alg": "hmac-sha256"}
    return key.text, values | {"pepper_id": peppers.current}


@operation(
    scope=Scope.CREDENTIALS_WRITE,
    audit="credential.issued",
    writes=True,
    raises=[ValidationFailed, UnknownScope, NotFound, Conflict, InvalidTransition],
)
async def issue_credential(context: Context, installation_id: UUID, request: NewCredential) -> IssuedCredential:
    """Issue a key for an installation; the only answer that ever holds the secret."""
    label = fields.required_text("label", request.label, most=100)
    scopes = credential_scopes(request.scopes)
    if request.expires_at is not None and request.expires_at <= context.now:
        raise ValidationFailed({"expires_at": "must be in the future"})
    await _open_installation(context, installation_id)
    secret, values = _keyed(context, request.mode)
    values |= {"label": label, "scopes": msgspec.json.encode(scopes).decode(), "expires_at": request.expires_at}
    return IssuedCredential(await _insert(context, installation_id, values), secret)


@operation(
    scope=Scope.CREDENTIALS_WRITE,
    audit="credential.rotated",
    writes=True,
    raises=[ValidationFailed, NotFound, InvalidTransition, Conflict],
)
async def rotate_credential(
    context: Context, credential_id: UUID, grace_seconds: int = GRACE_DEFAULT_SECONDS
) -> IssuedCredential:
    """Issue a successor with the same scopes; the old key works on for `grace_seconds` (at most 30 days)."""
    fields.between("grace_seconds", grace_seconds, 0, GRACE_MOST_SECONDS)
    old = await find_credential(context.tenant, credential_id)
    await _open_installation(context, old["installation"])
    secret, values = _keyed(context, old["mode"])
    # A successor outlives what it replaces only where that had no end of its own.
    values |= {"label": old["label"], "scopes": old["scopes"], "expires_at": old["expires_at"]}
    new = await _insert(context, old["installation"], values)
    ends = context.now + grace_seconds * 1_000
    retired = {
        "rotated_at": context.now,
        "replaced_by": new["id"],
        "expires_at": min(ends, old["expires_at"]) if old["expires_at"] else ends,
    }
    await _change_active(context, old, retired, unrotated=True)
    return IssuedCredential(new, secret)


@operation(scope=Scope.CREDENTIALS_WRITE, audit="credential.revoked", writes=True, raises=[NotFound, InvalidTransition])
async def revoke_credential(context: Context, credential_id: UUID) -> dict[str, Any]:
    """Revoke a key at once; every process refuses it within a second."""
    old = await find_credential(context.tenant, credential_id)
    return await _change_active(context, old, {"status": "revoked", "revoked_at": context.now})


@operation(
    scope=Scope.CREDENTIALS_WRITE,
    audit="credential.imported",
    writes=True,
    raises=[ValidationFailed, UnknownScope, NotFound, Conflict, InvalidTransition],
)
async def import_credential(
    context: Context, installation_id: UUID, label: str, digest: str, scopes: list[str]
) -> dict[str, Any]:
    """Take over a key of the former system by its SHA-256 (64 hex digits), so that nothing is re-issued."""
    held, digest = credential_scopes(scopes), digest.strip().lower()
    if not _DIGEST.fullmatch(digest):
        raise ValidationFailed({"digest": "must be the SHA-256 of the key as 64 hexadecimal digits"})
    await _open_installation(context, installation_id)
    taken = Credential.across_tenants("one key opens one installation, whoever's")
    if await taken.exists((Credential.digest == digest) & (Credential.hash_alg == "sha256")):
        raise Conflict("This key was imported already.")
    values = {"kid": new_kid(), "mode": "live", "digest": digest, "hash_alg": "sha256", "pepper_id": None}
    values |= {"label": fields.required_text("label", label, most=100)}
    values |= {"scopes": msgspec.json.encode(held).decode(), "expires_at": None}
    return await _insert(context, installation_id, values)


async def _change_active(
    context: Context, old: dict[str, Any], values: dict[str, Any], *, unrotated: bool = False
) -> dict[str, Any]:
    still = (Credential.id == old["id"]) & (Credential.status == "active")
    if unrotated:
        still = still & Credential.rotated_at.is_null()
    changed = await Credential.of(context.tenant).update(values).where(still).returning(Credential.id)
    if not changed:
        state = "rotated already" if old["rotated_at"] and old["status"] == "active" else old["status"]
        raise InvalidTransition(f"The credential is {state}.", status=old["status"], replaced_by=old["replaced_by"])
    after = await find_credential(context.tenant, old["id"])
    context.note("credential", old["id"], before=_shown(old), after=_shown(after), installation=old["installation"])
    context.after_commit(lambda: context.runtime.keys.forget(old["installation"]))
    return after


async def expire_credentials(context: Context) -> int:
    """Mark the tenant's keys that ran out; they are refused by their date in any case."""

    async def change() -> int:
        rows = await (
            Credential.of(context.tenant)
            .update({"status": "expired"})
            .where((Credential.status == "active") & (Credential.expires_at <= context.now))
            .returning(Credential.id, Credential.installation)
        )
        for row in rows:
            context.note(
                "credential", row["id"], action="credential.expired", after={"status": "expired"},
                installation=row["installation"],
            )  # fmt: skip
        return len(rows)

    return await context.write(change)
