"""The lifecycle of an installation, as a table.

draft → pending_verification (first origin) → active (an origin verified) ⇄ disabled; any of them → revoked → archived.
Losing the last verified origin leads from active back to pending_verification.
"""

from typing import Any
from uuid import UUID

import msgspec

from models.installations import Installation, Origin
from services.context import Context

STATUSES = ("draft", "pending_verification", "active", "disabled", "revoked", "archived")


class Step(msgspec.Struct, frozen=True):
    """A step that a person takes: from which statuses, to which (None: it depends on the origins)."""

    before: tuple[str, ...]
    after: str | None
    done: str


STEPS = {
    "disable": Step(("active",), "disabled", "disabled"),
    "enable": Step(("disabled",), None, "enabled"),
    "revoke": Step(("draft", "pending_verification", "active", "disabled"), "revoked", "revoked"),
    "archive": Step(("revoked",), "archived", "archived"),
}


async def _has_verified(tenant: UUID, installation_id: UUID) -> bool:
    return await Origin.of(tenant).exists(
        (Origin.installation == installation_id) & (Origin.verification_status == "verified")
    )


async def status_after(step: Step, tenant: UUID, installation_id: UUID) -> str:
    if step.after is not None:
        return step.after
    return "active" if await _has_verified(tenant, installation_id) else "pending_verification"


async def follow_origins(context: Context, installation_id: UUID) -> str | None:
    """Let the installation's status follow its origins; the new status where it changed.

    To be called in the transaction that changed an origin.
    """
    verified = await _has_verified(context.tenant, installation_id)
    some = verified or await Origin.of(context.tenant).exists(Origin.installation == installation_id)
    before, after = (("draft", "pending_verification"), "active") if verified else (("active",), "pending_verification")
    if not verified and some:
        before = ("draft", "active")
    changed: list[dict[str, Any]] = await (
        Installation.of(context.tenant)
        .update({"status": after, "updated_at": context.now, Installation.version: Installation.version + 1})
        .where((Installation.id == installation_id) & Installation.status.is_in(list(before)))
        .returning(Installation.id)
    )
    context.after_commit(lambda: context.runtime.keys.forget(installation_id))
    if not changed:
        return None
    context.note(
        "installation",
        installation_id,
        action="installation.updated",
        after={"status": after},
        installation=installation_id,
    )
    return after
