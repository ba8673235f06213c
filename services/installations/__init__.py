"""Installations: one plugin on one customer's site, from draft to archive."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from app.auth.scopes import Scope
from app.errors import InvalidTransition, NotFound, ValidationFailed, VersionConflict
from models.installations import Installation
from services import fields
from services.context import Context
from services.installations.lifecycle import STEPS, Step, status_after
from services.installations.rows import find_installation, own_installation, public_installation
from services.operations import operation

PLATFORMS = ("wordpress", "drupal", "custom")
_MOST_PER_MINUTE = 10_000_000


class NewInstallation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`rate_limit_*` None means the server's default."""

    display_name: str
    platform: str = "custom"
    description: str | None = None
    rate_limit_per_minute: int | None = None
    rate_limit_burst: int | None = None


class InstallationChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is UNSET stays as it is; `version` guards against a lost update."""

    display_name: str | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    rate_limit_per_minute: int | msgspec.UnsetType | None = msgspec.UNSET
    rate_limit_burst: int | msgspec.UnsetType | None = msgspec.UNSET
    version: int | None = None


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    rules: dict[str, Callable[[Any], Any]] = {
        "display_name": lambda v: fields.required_text("display_name", v, most=200),
        "platform": lambda v: fields.one_of("platform", v, PLATFORMS),
        "description": lambda v: fields.text("description", v, most=2_000, required=False),
        "rate_limit_per_minute": lambda v: fields.between("rate_limit_per_minute", v, 1, _MOST_PER_MINUTE),
        "rate_limit_burst": lambda v: fields.between("rate_limit_burst", v, 1, _MOST_PER_MINUTE),
    }
    return {name: rules[name](value) for name, value in given.items()}


@operation(scope=Scope.INSTALLATIONS_WRITE, audit="installation.created", writes=True, raises=[ValidationFailed])
async def create_installation(context: Context, request: NewInstallation) -> dict[str, Any]:
    """Create an installation in `draft`; it serves data once one of its origins is verified."""
    values = _checked(msgspec.structs.asdict(request))
    row = values | {"status": "draft", "created_at": context.now, "updated_at": context.now, "version": 1}
    inserted = await Installation.of(context.tenant).insert(row)
    made = await find_installation(context.tenant, inserted[0]["id"])
    context.note("installation", made["id"], after=public_installation(made), installation=made["id"])
    return made


@operation(
    scope=Scope.INSTALLATIONS_WRITE,
    audit="installation.updated",
    writes=True,
    raises=[ValidationFailed, NotFound, VersionConflict],
)
async def update_installation(context: Context, installation_id: UUID, change: InstallationChange) -> dict[str, Any]:
    """Change an installation's name, description or rate limits."""
    before = await find_installation(context.tenant, installation_id)
    given = {n: v for n, v in msgspec.structs.asdict(change).items() if v is not msgspec.UNSET and n != "version"}
    if not given:
        raise ValidationFailed({"change": "must name at least one field"})
    expected = change.version if change.version is not None else before["version"]
    values = _checked(given) | {"updated_at": context.now, "version": expected + 1}
    changed = await (
        Installation.of(context.tenant)
        .update(values)
        .where((Installation.id == installation_id) & (Installation.version == expected))
        .returning(Installation.id)
    )
    if not changed:
        raise VersionConflict(version=before["version"])
    return await _noted(context, before)


@operation(
    scope=Scope.INSTALLATIONS_WRITE, audit="installation.disabled", writes=True, raises=[NotFound, InvalidTransition]
)
async def disable_installation(context: Context, installation_id: UUID) -> dict[str, Any]:
    """Stop serving an installation; its keys answer 403 until it is enabled again."""
    return await _step(context, installation_id, STEPS["disable"])


@operation(
    scope=Scope.INSTALLATIONS_WRITE, audit="installation.enabled", writes=True, raises=[NotFound, InvalidTransition]
)
async def enable_installation(context: Context, installation_id: UUID) -> dict[str, Any]:
    """Serve a disabled installation again, or let it wait for verification where no origin is verified."""
    return await _step(context, installation_id, STEPS["enable"])


@operation(
    scope=Scope.INSTALLATIONS_WRITE, audit="installation.revoked", writes=True, raises=[NotFound, InvalidTransition]
)
async def revoke_installation(context: Context, installation_id: UUID) -> dict[str, Any]:
    """Revoke an installation for good; it can only be archived afterwards."""
    return await _step(context, installation_id, STEPS["revoke"])


@operation(
    scope=Scope.INSTALLATIONS_WRITE, audit="installation.archived", writes=True, raises=[NotFound, InvalidTransition]
)
async def archive_installation(context: Context, installation_id: UUID) -> dict[str, Any]:
    """Put a revoked installation out of the lists."""
    return await _step(context, installation_id, STEPS["archive"])


@operation(scope=Scope.INSTALLATIONS_READ, raises=[NotFound])
async def get_installation(context: Context, installation_id: UUID) -> dict[str, Any]:
    """One installation by its id."""
    return await find_installation(context.tenant, installation_id)


@operation(scope=None, only="installation", raises=[NotFound])
async def get_own_installation(context: Context) -> dict[str, Any]:
    """The installation whose key asks, with its origins and the credential that was presented."""
    return await own_installation(context)


async def _step(context: Context, installation_id: UUID, step: Step) -> dict[str, Any]:
    before = await find_installation(context.tenant, installation_id)
    status = await status_after(step, context.tenant, installation_id)
    changed = await (
        Installation.of(context.tenant)
        .update({"status": status, "updated_at": context.now, Installation.version: Installation.version + 1})
        .where((Installation.id == installation_id) & Installation.status.is_in(list(step.before)))
        .returning(Installation.id)
    )
    if not changed:
        allowed = ", ".join(step.before)
        raise InvalidTransition(
            f"An installation that is {before['status']} cannot be {step.done}; only one that is {allowed}.",
            status=before["status"],
            allowed_from=list(step.before),
        )
    return await _noted(context, before)


async def _noted(context: Context, before: dict[str, Any]) -> dict[str, Any]:
    after = await find_installation(context.tenant, before["id"])
    context.note(
        "installation",
        after["id"],
        before=public_installation(before),
        after=public_installation(after),
        installation=after["id"],
    )
    context.after_commit(lambda: context.runtime.keys.forget(after["id"]))
    return after
