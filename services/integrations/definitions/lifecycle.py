"""The life of a definition: DRAFT → PUBLISHED → DEPRECATED → ARCHIVED, and PUBLISHED → ARCHIVED. There is no way back.

What is published never changes again; new behaviour is a new version, which is a definition of its own.
"""

from typing import Any
from uuid import UUID

import msgspec

from app.auth.scopes import Scope
from app.errors import Conflict, InvalidTransition, NotFound, ValidationFailed, VersionConflict
from models.integrations import IntegrationDefinition
from services.context import Context
from services.integrations.definitions.columns import definition_of
from services.integrations.definitions.publishing import check_publishable
from services.integrations.definitions.rows import find_definition, shown
from services.operations import operation
from services.versions import check_version

STATUSES = ("DRAFT", "PUBLISHED", "DEPRECATED", "ARCHIVED")


class Step(msgspec.Struct, frozen=True):
    """A step that a person takes: from which statuses, to which."""

    before: tuple[str, ...]
    after: str
    done: str


STEPS = {
    "publish": Step(("DRAFT",), "PUBLISHED", "published"),
    "deprecate": Step(("PUBLISHED",), "DEPRECATED", "deprecated"),
    "archive": Step(("PUBLISHED", "DEPRECATED"), "ARCHIVED", "archived"),
}


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_definition.published",
    writes=True,
    raises=[NotFound, Conflict, InvalidTransition, ValidationFailed, VersionConflict],
)
async def publish_integration_definition(
    context: Context, definition_id: UUID, *, version: int | None = None
) -> dict[str, Any]:
    """Publish a draft, so that it can be connected; its content never changes again."""
    return await _step(context, definition_id, "publish", version)


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_definition.deprecated",
    writes=True,
    raises=[NotFound, Conflict, InvalidTransition, VersionConflict],
)
async def deprecate_integration_definition(
    context: Context, definition_id: UUID, *, version: int | None = None
) -> dict[str, Any]:
    """Deprecate a published definition: its instances work on, and no new ones are made."""
    return await _step(context, definition_id, "deprecate", version)


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_definition.archived",
    writes=True,
    raises=[NotFound, Conflict, InvalidTransition, VersionConflict],
)
async def archive_integration_definition(
    context: Context, definition_id: UUID, *, version: int | None = None
) -> dict[str, Any]:
    """Archive a definition: its methods can no longer be called."""
    return await _step(context, definition_id, "archive", version)


async def own_definition(context: Context, definition_id: UUID) -> dict[str, Any]:
    """A definition that the tenant may change. Raises NotFound, and Conflict for a built-in one."""
    row = await find_definition(context.tenant, definition_id)
    if row["tenant"] is None:
        raise Conflict("The definition is built in; it changes with the server alone.", name=row["name"])
    return row


async def _step(context: Context, definition_id: UUID, name: str, version: int | None) -> dict[str, Any]:
    step, before = STEPS[name], await own_definition(context, definition_id)
    check_version(before, version)
    if before["status"] not in step.before:
        raise _refused(step, before["status"])
    if step.after == "PUBLISHED":
        check_publishable(definition_of(before))
    table: Any = IntegrationDefinition
    published = {"published_at": context.now} if step.after == "PUBLISHED" else {}
    changed = await (
        table.of(context.tenant)
        .update({"status": step.after, "updated_at": context.now, "version": before["version"] + 1, **published})
        # The version too: what was checked above is what is published.
        .where(
            (table.id == definition_id) & table.status.is_in(list(step.before)) & (table.version == before["version"])
        )
        .returning(table.id)
    )
    if not changed:
        raise _refused(step, (await find_definition(context.tenant, definition_id))["status"])
    after = await find_definition(context.tenant, definition_id)
    context.note("integration_definition", definition_id, before={"status": before["status"]}, after=shown(after))
    return after


def _refused(step: Step, status: str) -> InvalidTransition:
    allowed = " or ".join(step.before)
    return InvalidTransition(
        f"A definition that is {status} cannot be {step.done}; only one that is {allowed}.",
        status=status,
        allowed_from=list(step.before),
    )
