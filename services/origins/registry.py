"""Origins of an installation: registered with a challenge, verified by a proof, removed."""

import secrets
from typing import Any
from uuid import UUID

from app.auth.scopes import Scope
from app.clock import DAY
from app.errors import Conflict, InvalidTransition, NotFound, OriginNotFound, OriginUnverified, ValidationFailed
from models.installations import Origin
from services.context import Context
from services.installations.lifecycle import follow_origins
from services.installations.rows import find_installation, find_origin
from services.operations import operation
from services.origins.naming import normalise_origin
from services.origins.proofs import Proof, check_method, check_path, instructions
from services.origins.upkeep import check_proof, settle_proof

TOKEN_LIFE = 7 * DAY
_OPEN = ("draft", "pending_verification", "active", "disabled")


def challenge(row: dict[str, Any]) -> dict[str, str]:
    """What the owner publishes and where: `{method, where, value, text}`."""
    return instructions(row["method"], row["origin"], row["token"], row["callback_path"])


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    names = ("origin", "method", "callback_path", "verification_status", "health", "verified_at", "grace_until")
    return {name: row[name] for name in names}


@operation(
    scope=Scope.INSTALLATIONS_WRITE,
    audit="origin.registered",
    writes=True,
    raises=[ValidationFailed, NotFound, Conflict, InvalidTransition],
)
async def register_origin(
    context: Context,
    installation_id: UUID,
    origin: str,
    method: str = "well_known_file",
    callback_path: str | None = None,
) -> dict[str, Any]:
    """Register an origin; its challenge stands for seven days. The first one takes the installation out of draft."""
    check_method(method)
    path = check_path(callback_path) if method == "callback" else None
    name = normalise_origin(origin)
    installation = await find_installation(context.tenant, installation_id)
    if installation["status"] not in _OPEN:
        raise InvalidTransition(f"An installation that is {installation['status']} takes no origin.")
    row = _fresh(context, path) | {"installation": installation_id, "origin": name, "method": method}
    made = await (
        Origin.of(context.tenant)
        .insert(row | {"created_at": context.now})
        .on_conflict(target=(Origin.installation, Origin.origin), action="DO NOTHING")
        .returning(Origin.origin, Origin.id)
    )
    if not made:
        raise Conflict(f"The origin {name} is registered for this installation already.", origin=name)
    found = await find_origin(context.tenant, made[0]["id"])
    context.note("origin", found["id"], after=_shown(found), installation=installation_id)
    await follow_origins(context, installation_id)
    return found


def _fresh(context: Context, path: str | None) -> dict[str, Any]:
    return {
        "verification_status": "pending",
        "callback_path": path,
        "token": secrets.token_hex(20),  # 160 bits
        "token_expires_at": context.now + TOKEN_LIFE,
        "health": "ok",
        "misses": 0,
    }


@operation(
    scope=Scope.INSTALLATIONS_WRITE,
    audit="origin.verified",
    writes="parts",
    raises=[NotFound, OriginUnverified, InvalidTransition],
)
async def verify_origin(context: Context, origin_id: UUID) -> dict[str, Any]:
    """Look for the proof now. A challenge that has expired is made anew, to be published again."""
    before = await find_origin(context.tenant, origin_id)
    if before["verification_status"] != "verified" and before["token_expires_at"] <= context.now:
        return await _renew(context, before)
    proof = await check_proof(context.runtime.egress, before)
    after = await settle_proof(context, before, proof)
    if not proof.found:
        raise _unverified(after, proof)
    return after


def _unverified(row: dict[str, Any], proof: Proof) -> OriginUnverified:
    return OriginUnverified(
        proof.reason, origin=row["origin"], expected=proof.expected, seen=proof.seen, challenge=challenge(row)
    )


async def _renew(context: Context, before: dict[str, Any]) -> dict[str, Any]:
    async with context.transaction():
        fresh = _fresh(context, before["callback_path"]) | {"next_check_at": None}
        await Origin.of(context.tenant).update(fresh).where(Origin.id == before["id"])
        after = await find_origin(context.tenant, before["id"])
        context.note(
            "origin", after["id"], action="origin.registered", before=_shown(before), after=_shown(after),
            installation=after["installation"],
        )  # fmt: skip
    text = "The challenge had expired; a new one was made. Publish it, then verify again."
    raise OriginUnverified(text, origin=after["origin"], expected=None, seen=None, challenge=challenge(after))


@operation(scope=Scope.INSTALLATIONS_WRITE, audit="origin.removed", writes=True, raises=[NotFound])
async def remove_origin(context: Context, origin_id: UUID) -> dict[str, Any]:
    """Remove an origin; without a verified one the installation waits for verification again."""
    before = await find_origin(context.tenant, origin_id)
    await Origin.of(context.tenant).delete().where(Origin.id == origin_id)
    context.note("origin", origin_id, before=_shown(before), installation=before["installation"])
    await follow_origins(context, before["installation"])
    return before


@operation(scope=None, only="installation", audit="origin.verified", writes="parts", raises=[OriginNotFound])
async def check_own_origin(context: Context, origin_id: UUID) -> dict[str, Any]:
    """The state of an origin of the installation whose key asks; one that waits for its proof is checked first."""
    row = await Origin.of(context.tenant).one(
        *Origin.all_columns(),
        where=(Origin.id == origin_id) & (Origin.installation == context.principal.installation),
    )
    if row is None:
        raise OriginNotFound
    # A plugin may ask in a loop; its site is asked at most once in ten seconds.
    asked_lately = row["last_checked_at"] is not None and context.now - row["last_checked_at"] < 10_000
    if row["verification_status"] == "verified" or asked_lately or row["token_expires_at"] <= context.now:
        return row
    return await settle_proof(context, row, await check_proof(context.runtime.egress, row))
