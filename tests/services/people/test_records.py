"""Whole records, and JSON that is nothing like ORCID's."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from services.people.records import RecordUnreadable, read_person, read_record, read_works
from tests.services.people.orcid_json import ADA, person, summary, works


def test_whole_records() -> None:
    """The form of `/record`, for imports: the person's own works are known from the record's iD."""
    body = {
        "orcid-identifier": {"path": ADA},
        "preferences": {"locale": "de"},
        "person": person(path=None, name={"given-names": {"value": "Ada"}}),
        "activities-summary": {"works": works([summary(source={"source-orcid": {"path": ADA}})])},
    }
    found = read_record(body)
    assert (found.person.orcid_id, found.person.name) == (ADA, "Ada")
    assert [work.asserted_by_source for work in found.works.works] == [False]
    assert read_record(body | {"activities-summary": None}).works.works == []
    assert read_record(body | {"activities-summary": {"works": 7}}).works.problems != []


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5))
shapes = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "value", "group", "work-summary", "put-code", "title", "person", "name", "works", "external-ids",
                    "external-id", "external-id-type", "publication-date", "year", "month", "day", "biography",
                    "content", "visibility", "source", "source-orcid", "path", "activities-summary", "url", "type",
                ]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=30,
)  # fmt: skip


@settings(max_examples=300)
@given(shapes)
def test_no_json_raises_anything_else(body: Any) -> None:
    """Whatever the JSON is, the outcome is records or RecordUnreadable."""
    for read in (read_person, read_works, read_record):
        for candidate in (
            body,
            {"person": body, "works": {"group": [body]}},
            works([body]),
            works([summary(title=body)]),
        ):
            try:
                msgspec.json.encode(read(candidate, ADA))
            except RecordUnreadable:
                continue
