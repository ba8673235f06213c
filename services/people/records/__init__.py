"""ORCID's JSON (v3.0, and v2 as far as it agrees) as the records that this service keeps."""

from services.people.records.dois import normalise_doi
from services.people.records.members import RecordUnreadable
from services.people.records.person import PersonRecord, read_person
from services.people.records.whole import FullRecord, read_record
from services.people.records.works import PublicationRecord, WorkRecord, Works, read_works

__all__ = [
    "FullRecord",
    "PersonRecord",
    "PublicationRecord",
    "RecordUnreadable",
    "WorkRecord",
    "Works",
    "normalise_doi",
    "read_person",
    "read_record",
    "read_works",
]
