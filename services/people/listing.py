"""What the consumer surface shows, as one rule, and the totals that follow from it.

A row is listed where the workspace has an internal, current membership (`member`, no end) linked to it and
it is visible and not deleted; a work must be verified too. The flags and the tallies are kept in the
transaction that changes what they follow from, and rows are marked with the change that moved them.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from app.database import Database, Statement
from app.ids import new_id
from services.changes import Change
from services.people.moves import note_move

_MEMBER = (
    "EXISTS (SELECT 1 FROM membership m WHERE m.person = {of} AND m.affiliation = 'internal' "
    "AND m.status = 'member' AND m.ends_at IS NULL)"
)
_MEMBER_AUTHOR = (
    "EXISTS (SELECT 1 FROM authorship a JOIN membership m ON m.person = a.person WHERE a.publication = publication.id "
    "AND m.affiliation = 'internal' AND m.status = 'member' AND m.ends_at IS NULL)"
)
#: In an UPDATE: the mark of a change that consumers see, which is none where the row is not listed.
MARK = "changed_at = CASE WHEN {table}.listed THEN {{change}} ELSE {table}.changed_at END"
_SHOWN = "visible AND deleted_at IS NULL"
_RULES = {
    "people": ("person", f"({_SHOWN} AND {_MEMBER.replace('{of}', 'person.id')})", "id = {person}"),
    "publications": (
        "publication",
        f"({_SHOWN} AND {_MEMBER_AUTHOR})",
        "id IN (SELECT publication FROM authorship WHERE person = {person})",
    ),
    "works": ("work", f"(verified AND {_SHOWN} AND {_MEMBER.replace('{of}', 'work.person')})", "person = {person}"),
}
_FLIP = {
    kind: Statement(
        f"UPDATE {table} SET listed = NOT listed, changed_at = {{change}} "  # noqa: S608 - own words
        f"WHERE tenant = {{tenant}} AND {which} AND listed <> {rule} RETURNING listed"
    )
    for kind, (table, rule, which) in _RULES.items()
}
_FLIP_LEFT = Statement(
    "UPDATE publication SET listed = NOT listed, changed_at = {change} "  # noqa: S608 - own words
    "WHERE tenant = {tenant} AND id = {publication} "
    f"AND listed <> {_RULES['publications'][1]} RETURNING listed"
)
_COUNTED = (
    "(SELECT count(*) FROM authorship a JOIN publication p ON p.id = a.publication "
    "WHERE a.person = person.id AND p.visible AND p.deleted_at IS NULL)"
)
_COUNT_PUBLICATIONS = Statement(
    f"UPDATE person SET publication_count = {_COUNTED}, {MARK.format(table='person')} "  # noqa: S608 - own words
    f"WHERE tenant = {{tenant}} AND id = {{person}} AND publication_count <> {_COUNTED}"
)
_ADD = Statement(
    "INSERT INTO tally (id, tenant, kind, total) VALUES ({id}, {tenant}, {kind}, {total}) "
    "ON CONFLICT (tenant, kind) DO UPDATE SET total = tally.total + excluded.total"
)
_TOTAL = Statement("SELECT total FROM tally WHERE tenant = {tenant} AND kind = {kind}")
_AUTHORS = Statement("SELECT person FROM authorship WHERE tenant = {tenant} AND publication = {publication}")


async def refresh_people(change: Change, people: Iterable[UUID], left: Iterable[UUID] = ()) -> None:
    """Make flags, counts and tallies true again for these people and what they made, and publications they `left`.

    The change was begun before the first row was touched (`hold_listing`).
    """
    database, tenant, at = change
    counted: Counter[str] = Counter()
    for publication in left:
        for row in await database.fetch(_FLIP_LEFT, tenant=tenant, publication=publication, change=at):
            counted["publications"] += 1 if row["listed"] else -1
    for person in people:
        await database.execute(_COUNT_PUBLICATIONS, tenant=tenant, person=person, change=at)
        for kind, flip in _FLIP.items():
            for row in await database.fetch(flip, tenant=tenant, person=person, change=at):
                counted[kind] += 1 if row["listed"] else -1
                if kind == "people":
                    await note_move(change, person, 1 if row["listed"] else -1)
    await add_to_tallies(database, tenant, counted)


async def refresh_authors(change: Change, publication: UUID) -> None:
    """The same for all authors of a publication."""
    rows = await change.database.fetch(_AUTHORS, tenant=change.tenant, publication=publication)
    await refresh_people(change, [UUID(str(row["person"])) for row in rows])


async def add_to_tallies(database: Database, tenant: UUID, change: Counter[str]) -> None:
    for kind, total in sorted(change.items()):
        if total:
            await database.execute(_ADD, id=new_id(), tenant=tenant, kind=kind, total=total)


async def listed_total(database: Database, tenant: UUID, kind: str) -> int:
    """How many rows of a kind are listed: people, publications, works or projects."""
    rows: list[Any] = await database.fetch(_TOTAL, tenant=tenant, kind=kind)
    return int(rows[0]["total"]) if rows else 0
