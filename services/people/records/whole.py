"""A whole record, as `/record` answers it and as an import file holds it: person and works in one."""

from typing import Any

import msgspec

from services.people.records.members import RecordUnreadable, child
from services.people.records.person import PersonRecord, read_person
from services.people.records.works import Works, read_works


class FullRecord(msgspec.Struct, frozen=True):
    person: PersonRecord
    works: Works


def read_record(body: Any, orcid_id: str | None = None) -> FullRecord:
    """A whole record; one without works, or with works that cannot be read, is still a person.

    Raises RecordUnreadable when there is no person in it.
    """
    person = read_person(body, orcid_id)
    works = child(body, "activities-summary", "works")
    bare = works if works is not None else child(body, "works")
    if bare is None:
        return FullRecord(person, Works())
    try:
        return FullRecord(person, read_works({"works": bare}, person.orcid_id))
    except RecordUnreadable as error:
        return FullRecord(person, Works([], [], [str(error)]))
