"""Taking people in: by their ORCID iDs through the queue, or from whole records at once."""

from typing import Any
from uuid import UUID

import msgspec

from app.auth.scopes import Scope
from app.errors import NotFound, ValidationFailed
from models.people import Person
from services.changes import hold_listing
from services.context import Context
from services.finding import find_row
from services.jobs import enqueue
from services.operations import operation
from services.people.orcid import parse_orcid
from services.people.records import FullRecord
from services.people.storing import add_person, mark_sync, store_person

MOST_AT_ONCE = 1_000
SYNC = "person.sync"


class ImportedPerson(msgspec.Struct, frozen=True):
    """One line of an import: `created` is false where the person was there already."""

    person: UUID
    orcid_id: str
    created: bool


def _checked(orcid_ids: list[str]) -> list[str]:
    """The iDs without repeats, in order. Raises ValidationFailed naming each bad one by its place."""
    if not 1 <= len(orcid_ids) <= MOST_AT_ONCE:
        raise ValidationFailed({"orcid_ids": f"must hold between 1 and {MOST_AT_ONCE} ORCID iDs"})
    good: dict[str, None] = {}
    bad: dict[str, str] = {}
    for place, text in enumerate(orcid_ids):
        try:
            good[parse_orcid(text)] = None
        except ValidationFailed as error:
            bad[f"orcid_ids.{place}"] = str((error.details or {}).get("orcid_id"))
    if bad:
        raise ValidationFailed(bad)
    return list(good)


@operation(scope=Scope.PEOPLE_WRITE, audit="people.imported", writes=True, raises=[ValidationFailed])
async def import_people(context: Context, orcid_ids: list[str]) -> list[ImportedPerson]:
    """Take people in by their ORCID iDs (at most 1,000 at once) and queue a sync for each; all or none."""
    wanted, imported = _checked(orcid_ids), []
    change = await hold_listing(context)
    for orcid_id in wanted:
        person, created = await add_person(change, orcid_id, context.now)
        await enqueue(context, SYNC, str(person), {"orcid_id": orcid_id})
        imported.append(ImportedPerson(person, orcid_id, created))
    counts = {"people": len(imported), "created": sum(p.created for p in imported)}
    context.note("people", "import", after=counts | {"orcid_ids": [p.orcid_id for p in imported][:100]})
    context.after_commit(context.runtime.jobs.wake)
    return imported


@operation(scope=Scope.PEOPLE_WRITE, audit="people.imported", writes=True, raises=[ValidationFailed])
async def import_records(context: Context, records: list[FullRecord]) -> list[ImportedPerson]:
    """Take whole ORCID records in, as they are; nothing is fetched."""
    imported = []
    change = await hold_listing(context)
    for record in records:
        orcid_id = parse_orcid(record.person.orcid_id)
        person, created = await add_person(change, orcid_id, context.now)
        await store_person(change, person, record.person, record.works, context.now)
        imported.append(ImportedPerson(person, orcid_id, created))
    counts = {"people": len(imported), "created": sum(p.created for p in imported)}
    context.note("people", "records", after=counts | {"orcid_ids": [p.orcid_id for p in imported][:100]})
    return imported


@operation(scope=Scope.PEOPLE_WRITE, audit="person.sync_requested", writes=True, raises=[NotFound])
async def sync_person(context: Context, person_id: UUID) -> dict[str, Any]:
    """Queue a sync of one person now."""
    row = await find_row(Person, context.tenant, person_id)
    # The listing first, as an import does: the other way round the two could wait for each other.
    await mark_sync(context, person_id, "pending")
    await enqueue(context, SYNC, str(person_id), {"orcid_id": row["orcid_id"]})
    context.note("person", person_id, after={"orcid_id": row["orcid_id"]})
    context.after_commit(context.runtime.jobs.wake)
    return row | {"sync_status": "pending"}
