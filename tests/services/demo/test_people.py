"""The demo's records: small, whole, and readable without a problem."""

from pathlib import Path

import services.demo
from services.demo.people import demo_records

FOLDER = Path(services.demo.__file__).parent


def test_every_record_is_read() -> None:
    records = demo_records()
    assert len({record.person.orcid_id for record in records}) == len(records) == 15
    assert all(record.person.name for record in records)
    assert not [record.works.problems for record in records if record.works.problems]
    assert sum(len(record.works.publications) for record in records) > 20
    assert any(work.asserted_by_source for record in records for work in record.works.works)


def test_the_file_is_small_and_its_licence_told() -> None:
    assert (FOLDER / "people.ndjson").stat().st_size < 150_000
    note = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert "CC0" in note
    assert "MIT" in note
    assert "@" not in (FOLDER / "people.ndjson").read_text(encoding="utf-8")
