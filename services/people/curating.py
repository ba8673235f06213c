"""What the tenant decides about people: whether they are shown, and what they are to the workspace."""

from typing import Any
from uuid import UUID

from app.auth.scopes import Scope
from app.errors import NotFound, ValidationFailed
from models.people import Membership, Person
from services import fields
from services.changes import hold_listing
from services.context import Context
from services.finding import find_row
from services.operations import operation
from services.people.listing import refresh_people

AFFILIATIONS = ("internal", "external")
MEMBER_STATUSES = ("member", "alumni", "guest")


async def find_person(context: Context, person_id: UUID) -> dict[str, Any]:
    return await find_row(Person, context.tenant, person_id)


@operation(scope=Scope.PEOPLE_WRITE, audit="person.visibility_set", writes=True, raises=[NotFound])
async def set_person_visibility(context: Context, person_id: UUID, visible: bool) -> dict[str, Any]:
    """Show a person to consumers, or hide them."""
    change = await hold_listing(context)
    before = await find_person(context, person_id)
    await (
        Person.of(context.tenant).update({"visible": visible, "updated_at": context.now}).where(Person.id == person_id)
    )
    await refresh_people(change, [person_id])
    context.note("person", person_id, before={"visible": before["visible"]}, after={"visible": visible})
    return await find_person(context, person_id)


@operation(scope=Scope.PEOPLE_WRITE, audit="membership.added", writes=True, raises=[NotFound, ValidationFailed])
async def add_membership(
    context: Context, person_id: UUID, affiliation: str, status: str, starts_at: int | None = None
) -> dict[str, Any]:
    """Say what a person is to the workspace from now on (or from `starts_at`, ms)."""
    fields.one_of("affiliation", affiliation, AFFILIATIONS)
    fields.one_of("status", status, MEMBER_STATUSES)
    change = await hold_listing(context)
    await find_person(context, person_id)
    row = {"person": person_id, "affiliation": affiliation, "status": status, "ends_at": None}
    row |= {"starts_at": starts_at or context.now, "created_at": context.now, "updated_at": context.now}
    made = await Membership.of(context.tenant).insert(row)
    await refresh_people(change, [person_id])
    context.note("membership", made[0]["id"], after={**row, "person": str(person_id)})
    return await _find_membership(context, made[0]["id"])


@operation(scope=Scope.PEOPLE_WRITE, audit="membership.ended", writes=True, raises=[NotFound, ValidationFailed])
async def end_membership(context: Context, membership_id: UUID, ends_at: int | None = None) -> dict[str, Any]:
    """End a membership now (or as of `ends_at`, ms); without another the person is no longer listed."""
    change = await hold_listing(context)
    before = await _find_membership(context, membership_id)
    end = ends_at or context.now
    if before["starts_at"] is not None and end < before["starts_at"]:
        raise ValidationFailed({"ends_at": "must not be before the membership's start"})
    values = {"ends_at": end, "updated_at": context.now}
    await Membership.of(context.tenant).update(values).where(Membership.id == membership_id)
    await refresh_people(change, [before["person"]])
    context.note("membership", membership_id, before={"ends_at": before["ends_at"]}, after={"ends_at": end})
    return await _find_membership(context, membership_id)


async def _find_membership(context: Context, membership_id: UUID) -> dict[str, Any]:
    return await find_row(Membership, context.tenant, membership_id)
