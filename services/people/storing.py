"""Writing what ORCID says: people, publications and works, each upserted so that a second time changes nothing."""

from typing import Any
from uuid import UUID

import msgspec

from app.database import Statement
from app.ids import new_id
from services.changes import Change, hold_listing
from services.context import Context
from services.people.listing import MARK, refresh_people
from services.people.moves import note_move, note_renaming
from services.people.names import display_name, search_text, sort_key
from services.people.records import PersonRecord, PublicationRecord, WorkRecord, Works

_FIND = Statement("SELECT id FROM person WHERE tenant = {tenant} AND orcid_id = {orcid_id}")
_ADD_PERSON = Statement(
    "INSERT INTO person (id, tenant, orcid_id, name, sort_name, search_text, sync_status, publication_count, "
    "visible, listed, created_at, updated_at) VALUES ({id}, {tenant}, {orcid_id}, {name}, {sort_name}, "
    "{search_text}, {sync_status}, 0, {visible}, {listed}, {at}, {at}) "
    "ON CONFLICT (tenant, orcid_id) DO NOTHING RETURNING id"
)
_ADD_MEMBER = Statement(
    "INSERT INTO membership (id, tenant, person, affiliation, status, starts_at, created_at, updated_at) "
    "VALUES ({id}, {tenant}, {person}, 'internal', 'member', {at}, {at}, {at})"
)
_SET_PERSON = Statement(
    f"UPDATE person SET {MARK.format(table='person')}, "  # noqa: S608 - own words
    "name = {name}, biography = {biography}, sort_name = {sort_name}, search_text = {search_text}, "
    "last_fetched_at = {at}, updated_at = {at}, sync_status = 'complete', sync_error = NULL "
    "WHERE tenant = {tenant} AND id = {person}"
)
_PUT_PUBLICATION = Statement(
    "INSERT INTO publication (id, tenant, doi, title, search_text, publication_date, publication_year, "  # noqa: S608
    "publication_type, cited_by_count, last_fetched_at, visible, listed, created_at) VALUES ({id}, {tenant}, {doi}, "
    "{title}, {search_text}, {publication_date}, {publication_year}, {publication_type}, 0, {at}, {visible}, "
    "{listed}, {at}) ON CONFLICT (tenant, doi) DO UPDATE SET title = excluded.title, "
    "search_text = excluded.search_text, publication_date = excluded.publication_date, "
    "publication_year = excluded.publication_year, publication_type = excluded.publication_type, "
    f"last_fetched_at = excluded.last_fetched_at, {MARK.format(table='publication')} RETURNING id"
)
_PUT_AUTHOR = Statement(
    "INSERT INTO authorship (id, tenant, person, publication) VALUES ({id}, {tenant}, {person}, {publication}) "
    "ON CONFLICT (person, publication) DO NOTHING"
)
_MARK_PERSON = Statement(
    "UPDATE person SET sync_status = {status}, sync_error = {error}, updated_at = {at}, "  # noqa: S608
    f"{MARK.format(table='person')} WHERE tenant = {{tenant}} AND id = {{person}}"
)
#: A work has no instant of its last fetch: one that was read again and says the same has not changed.
_SAME_WORK = " AND ".join(
    f"(work.{name} = excluded.{name} OR (work.{name} IS NULL AND excluded.{name} IS NULL))"
    for name in ("title", "work_type", "publication_date", "publication_year", "url")
)
_PUT_WORK = Statement(
    "INSERT INTO work (id, tenant, person, put_code, title, search_text, work_type, publication_date, "  # noqa: S608
    "publication_year, url, verified, reviewed, visible, listed, created_at) VALUES ({id}, {tenant}, {person}, "
    "{put_code}, {title}, {search_text}, {work_type}, {publication_date}, {publication_year}, {url}, {verified}, "
    "{reviewed}, {visible}, {listed}, {at}) ON CONFLICT (person, put_code) DO UPDATE SET title = excluded.title, "
    "search_text = excluded.search_text, work_type = excluded.work_type, "
    "publication_date = excluded.publication_date, publication_year = excluded.publication_year, url = excluded.url, "
    f"changed_at = CASE WHEN work.listed AND ({_SAME_WORK}) IS NOT TRUE THEN {{change}} ELSE work.changed_at END, "
    "deleted_at = NULL, verified = CASE WHEN work.reviewed THEN work.verified ELSE excluded.verified END"
)
_AUTHORED = Statement(
    "SELECT a.id, a.publication, p.doi FROM authorship a JOIN publication p ON p.id = a.publication "
    "WHERE a.tenant = {tenant} AND a.person = {person}"
)
_DROP_AUTHOR = Statement("DELETE FROM authorship WHERE id = {id}")
_OWN_WORKS = Statement(
    "SELECT id, put_code FROM work WHERE tenant = {tenant} AND person = {person} AND deleted_at IS NULL"
)
_DROP_WORK = Statement("UPDATE work SET deleted_at = {at} WHERE tenant = {tenant} AND id = {id}")


def _names(name: Any, orcid_id: str) -> dict[str, str]:
    """The columns that follow from a name; a person without a public name goes by the iD."""
    shown = name if name and display_name(name) else orcid_id
    return {
        "name": msgspec.json.encode(shown).decode(),
        "sort_name": sort_key(shown),
        "search_text": search_text(shown, orcid_id),
    }


async def add_person(change: Change, orcid_id: str, at: int) -> tuple[UUID, bool]:
    """The person of that iD and whether it is new; a new one is an internal member that waits for its sync."""
    database, tenant = change.database, change.tenant
    new = {"id": new_id(), "sync_status": "pending", "visible": True, "listed": False, "at": at}
    rows = await database.fetch(_ADD_PERSON, tenant=tenant, orcid_id=orcid_id, **_names(None, orcid_id), **new)
    if not rows:
        known = await database.fetch(_FIND, tenant=tenant, orcid_id=orcid_id)
        return UUID(str(known[0]["id"])), False
    person = UUID(str(rows[0]["id"]))
    await database.execute(_ADD_MEMBER, id=new_id(), tenant=tenant, person=person, at=at)
    await refresh_people(change, [person])
    return person, True


async def mark_sync(context: Context, person: UUID, status: str, error: str | None = None) -> None:
    """How far the sync of a person is; in the caller's transaction, or in one of its own."""

    async def mark() -> None:
        change = await hold_listing(context)
        told = {"status": status, "error": error, "at": context.now, "change": change.at}
        await context.database.execute(_MARK_PERSON, tenant=context.tenant, person=person, **told)

    await context.database.in_transaction(mark)


async def store_person(change: Change, person: UUID, record: PersonRecord, works: Works | None, at: int) -> None:
    """What was read of a person, in the caller's transaction. `works` None leaves what is stored of them.

    A publication or work that the record no longer has is unlinked or marked deleted; one that comes back
    comes back. What a reviewer decided stays decided.
    """
    biography = None if record.biography is None else msgspec.json.encode(record.biography).decode()
    names = _names(record.name, record.orcid_id)
    columns = names | {"biography": biography, "change": change.at}
    moves = await note_renaming(change, person, names["sort_name"], names["search_text"])
    await change.database.execute(_SET_PERSON, tenant=change.tenant, person=person, at=at, **columns)
    if moves:
        await note_move(change, person, 1)
    left: list[UUID] = []
    if works is not None:
        left = await _store_publications(change, person, works.publications, at)
        await _store_works(change, person, works.works, at)
    await refresh_people(change, [person], left)


async def _store_publications(change: Change, person: UUID, records: list[PublicationRecord], at: int) -> list[UUID]:
    """The publications that are no longer the person's."""
    database, tenant = change.database, change.tenant
    for record in sorted(records, key=lambda r: r.doi):
        rows = await database.fetch(
            _PUT_PUBLICATION,
            id=new_id(),
            tenant=tenant,
            doi=record.doi,
            title=msgspec.json.encode(record.title).decode(),
            search_text=search_text(dict(record.title), record.doi),
            publication_date=record.publication_date,
            publication_year=record.publication_year,
            publication_type=record.publication_type,
            visible=True,
            listed=False,
            at=at,
            change=change.at,
        )
        publication = UUID(str(rows[0]["id"]))
        await database.execute(_PUT_AUTHOR, id=new_id(), tenant=tenant, person=person, publication=publication)
    kept = {record.doi for record in records}
    rows = await database.fetch(_AUTHORED, tenant=tenant, person=person)
    gone = [row for row in rows if row["doi"] not in kept]
    for row in gone:
        await database.execute(_DROP_AUTHOR, id=UUID(str(row["id"])))
    return [UUID(str(row["publication"])) for row in gone]


async def _store_works(change: Change, person: UUID, records: list[WorkRecord], at: int) -> None:
    database, tenant = change.database, change.tenant
    for record in records:
        await database.execute(
            _PUT_WORK,
            id=new_id(),
            tenant=tenant,
            person=person,
            put_code=str(record.put_code),
            title=record.title,
            search_text=search_text(record.title, ""),
            work_type=record.work_type,
            publication_date=record.publication_date,
            publication_year=record.publication_year,
            url=record.url,
            # What a source other than the person asserts is verified; the rest waits for a reviewer.
            verified=record.asserted_by_source,
            reviewed=False,
            visible=record.visible,
            listed=False,
            at=at,
            change=change.at,
        )
    kept = {str(record.put_code) for record in records}
    for row in await database.fetch(_OWN_WORKS, tenant=tenant, person=person):
        if row["put_code"] not in kept:
            await database.execute(_DROP_WORK, tenant=tenant, id=UUID(str(row["id"])), at=at)
