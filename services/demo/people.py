"""The people of the demo: recorded ORCID records, and two that the contract's own example shows."""

from pathlib import Path

import msgspec

from services.context import Context
from services.paging import KeysetRequest
from services.people.importing import import_records
from services.people.reading import list_people
from services.people.records import FullRecord, PersonRecord, Works, read_record
from services.projects import ProjectFields, create_project, list_projects

_RECORDS = Path(__file__).with_name("people.ndjson")
_EXAMPLES = (
    PersonRecord("0000-0002-1825-0097", "Ada Lovelace", None),
    PersonRecord(
        "0000-0001-2345-6789",
        {"en": "Joao Silva", "pt": "Joao Silva"},
        {"en": "Researcher in marine ecology", "pt": "Investigador em ecologia marinha"},
    ),
)
_PROJECTS = (
    ProjectFields(
        title="Coastal biodiversity observatory", acronym="COBO", funder="Demo Science Foundation",
        start_date="2024-03-01", end_date="2027-02-28",
    ),
    ProjectFields(
        title="Reproducible neuroscience toolbox", acronym="RENT", funder="Demo Research Council",
        start_date="2021-01-01", end_date="2023-12-31", status="completed",
    ),
)  # fmt: skip


def demo_records() -> list[FullRecord]:
    recorded = [read_record(msgspec.json.decode(line)) for line in _RECORDS.read_bytes().splitlines()]
    return [*recorded, *(FullRecord(person, Works()) for person in _EXAMPLES)]


async def add_people(context: Context) -> None:
    """Take in whoever is not there yet; what somebody did to the others stays."""
    fresh = [record for record in demo_records() if not await _is_known(context, record.person.orcid_id)]
    if fresh:
        await import_records(context, fresh)


async def _is_known(context: Context, orcid_id: str) -> bool:
    return bool((await list_people(context, KeysetRequest(first=1, filters={"orcid_id": orcid_id}))).rows)


async def add_projects(context: Context) -> None:
    """The projects of the demo, where the tenant has none."""
    if not (await list_projects(context, KeysetRequest(first=1))).rows:
        for project in _PROJECTS:
            await create_project(context, project)
