"""The proof over time: what a check does to an origin, and the daily re-check.

A verified origin that misses its proof is warned about after three misses, then has 14 days of grace,
and only then is unverified: a customer's site is never cut off by one bad night.
"""

import random
from typing import Any

from app.clock import DAY, HOUR
from models.installations import Origin
from services.context import Context
from services.installations.lifecycle import follow_origins
from services.installations.rows import find_origin
from services.origins.proofs import METHODS, Outbound, Proof

MISSES_TO_WARN = 3
GRACE = 14 * DAY
DUE_BATCH = 20
_JITTER = 2 * HOUR


async def check_proof(egress: Outbound, row: dict[str, Any]) -> Proof:
    """Look for the proof of an origin; never raises for what is found outside."""
    return await METHODS[row["method"]](egress, row["origin"], row["token"], row["callback_path"])


def _next_check(now: int) -> int:
    # Jitter, so that a thousand origins verified in one night are not checked in one minute.
    return now + DAY + random.randrange(-_JITTER, _JITTER)  # noqa: S311 - no secret


def after_proof(row: dict[str, Any], proof: Proof, now: int) -> tuple[dict[str, Any], str | None]:
    """The origin's new values and the audit action, None where nothing worth telling happened."""
    seen = {"last_checked_at": now, "last_reason": proof.reason}
    if proof.found:
        values = seen | {"verification_status": "verified", "misses": 0, "health": "ok", "grace_until": None}
        values |= {"verified_at": row["verified_at"] or now, "next_check_at": _next_check(now)}
        if row["verification_status"] != "verified":
            return values | {"verified_at": now}, "origin.verified"
        return values, "origin.grace_ended" if row["health"] == "grace" else None
    if row["verification_status"] != "verified":
        return seen | {"verification_status": "failed"}, "origin.verification_failed"
    return _missed(row, seen, now)


def _missed(row: dict[str, Any], seen: dict[str, Any], now: int) -> tuple[dict[str, Any], str | None]:
    misses = row["misses"] + 1
    values = seen | {"misses": misses, "next_check_at": _next_check(now)}
    if row["health"] == "grace":
        if now < row["grace_until"]:
            return values, None
        lost = {"verification_status": "failed", "health": "ok", "grace_until": None, "next_check_at": None}
        return values | lost, "origin.verification_failed"
    if row["health"] == "warning":
        return values | {"health": "grace", "grace_until": now + GRACE}, "origin.grace_started"
    return values | ({"health": "warning"} if misses >= MISSES_TO_WARN else {}), None


async def settle_proof(context: Context, row: dict[str, Any], proof: Proof) -> dict[str, Any]:
    """Write what a check found, in one transaction with its event; the origin as it is then."""
    async with context.transaction():
        # Somebody else may have settled or removed it while the check was under way.
        latest = await find_origin(context.tenant, row["id"])
        if latest["token"] != row["token"]:
            return latest
        values, action = after_proof(latest, proof, context.now)
        await Origin.of(context.tenant).update(values).where(Origin.id == row["id"])
        after = await find_origin(context.tenant, row["id"])
        if action is not None:
            context.note(
                "origin",
                row["id"],
                action=action,
                before=_state(latest),
                after=_state(after) | _why(proof),
                installation=row["installation"],
                outcome="deny" if action == "origin.verification_failed" else "allow",
            )
        if latest["verification_status"] != after["verification_status"]:
            await follow_origins(context, row["installation"])
    return after


def _state(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("origin", "verification_status", "health", "misses", "grace_until")}


def _why(proof: Proof) -> dict[str, Any]:
    # What a proof that was found shows is the token itself, which readers of the history may not see.
    return {"reason": proof.reason} | ({} if proof.found else {"seen": proof.seen})


async def expire_challenges(context: Context) -> int:
    """Mark the tenant's origins whose challenge ran out unproved; `verifyOrigin` makes a new one."""

    async def change() -> int:
        waiting = Origin.verification_status.is_in(["pending", "failed"])
        rows = await (
            Origin.of(context.tenant)
            .update({"verification_status": "expired"})
            .where(waiting & (Origin.token_expires_at <= context.now))
            .returning(Origin.id, Origin.installation)
        )
        for row in rows:
            context.note(
                "origin",
                row["id"],
                action="origin.verification_failed",
                after={"verification_status": "expired", "reason": "the challenge expired"},
                installation=row["installation"],
                outcome="deny",
            )
        return len(rows)

    return await context.write(change)


async def due_origins(now: int) -> list[dict[str, Any]]:
    """Verified origins whose re-check is due, of every tenant, the longest due first; claimed by this process.

    One that is later than any re-check is put off was set before the clock was put back, and is due too.
    """
    is_due = (Origin.next_check_at <= now) | (Origin.next_check_at > now + DAY + _JITTER + HOUR)
    rows = Origin.across_tenants("the daily re-check serves every tenant")
    due = await (
        rows.select(*Origin.all_columns())
        .where((Origin.verification_status == "verified") & is_due)
        .order_by(Origin.next_check_at)
        .limit(DUE_BATCH)
    )
    return [row for row in due if await _claim(row, now)]


async def _claim(row: dict[str, Any], now: int) -> bool:
    """Put the check off by an hour, unless another process did so first; a check that dies is made again then."""
    claimed = await (
        Origin.across_tenants("the daily re-check serves every tenant")
        .update({"next_check_at": now + HOUR})
        .where((Origin.id == row["id"]) & (Origin.next_check_at == row["next_check_at"]))
        .returning(Origin.id)
    )
    return bool(claimed)
