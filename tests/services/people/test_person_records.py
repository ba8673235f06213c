"""Who a person is, out of ORCID's JSON: the recorded answers and each rule."""

from typing import Any

import pytest

from services.people.records import RecordUnreadable, read_person
from tests.services.people.orcid_json import ADA, person, recorded


@pytest.mark.parametrize(
    ("orcid_id", "name", "biography"),
    [
        ("0000-0002-1642-628X", "Carl Boettiger", {"en": "http://carlboettiger.info"}),
        ("0000-0002-3141-3057", "Carl Jacob Liebersohn", None),
        ("0000-0003-2026-0443", "Carl Wierks", None),
        ("0000-0003-1620-1408", "Thomas Johnson", None),
    ],
)
def test_recorded_people(orcid_id: str, name: str, biography: Any) -> None:
    found = read_person(recorded(f"{orcid_id}/person.json"), orcid_id)
    assert (found.orcid_id, found.name, found.biography) == (orcid_id, name, biography)


@pytest.mark.parametrize(
    ("members", "name"),
    [
        (
            {"credit-name": {"value": " Ada \n King "}, "given-names": {"value": "A"}, "visibility": "public"},
            "Ada King",
        ),
        ({"credit-name": {"value": "  "}, "given-names": {"value": "Ada"}, "family-name": {"value": "L"}}, "Ada L"),
        ({"credit-name": {"value": "X", "visibility": "PRIVATE"}, "given-names": {"value": "Ada"}}, "Ada"),
        ({"credit-name": {"value": "X", "visibility": "PUBLIC"}, "visibility": "PUBLIC"}, "X"),
        ({"given-names": {"value": "Ada"}, "family-name": None}, "Ada"),
        ({"family-name": {"value": "Lovelace"}}, "Lovelace"),
        ({"given-names": "Ada", "family-name": 7}, "Ada"),
        ({"given-names": {"value": "A\u0000d\ud800a"}}, "Ada"),
        ({"given-names": {"value": "Ada"}, "visibility": "limited"}, None),
        ({"given-names": {"value": "Ada"}, "visibility": 7}, None),
        ({}, None),
        (None, None),
        ("Ada", None),
    ],
)
def test_names(members: Any, name: str | None) -> None:
    assert read_person(person(name=members)).name == name


@pytest.mark.parametrize(
    ("body", "biography"),
    [
        (person(biography={"content": " One\r\n\r\n\r\n\r\ntwo\u0007 ", "visibility": "public"}), {"en": "One\n\ntwo"}),
        (person(biography={"content": "x", "visibility": "limited"}), None),
        (person(biography={"content": "x"}), None),
        (person(biography={"content": " ", "visibility": "public"}), None),
        (person(biography={"content": None, "visibility": "public"}), None),
        (person(biography="x"), None),
    ],
)
def test_biographies(body: Any, biography: Any) -> None:
    assert read_person(body).biography == biography


@pytest.mark.parametrize(
    ("locale", "key"),
    [("fr", "fr"), ("EN", "en"), ("zh_CN", "zh-CN"), ("sr-latn-RS", "sr-Latn-RS"), ("?", "en"), (7, "en")],
)
def test_a_biography_stands_under_the_locale_of_its_record(locale: Any, key: str) -> None:
    body = {"preferences": {"locale": locale}, "person": person(biography={"content": "x", "visibility": "public"})}
    assert read_person(body).biography == {key: "x"}


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        7,
        {},
        {"error": "x"},
        {"person": None},
        {"person": []},
        {"group": []},
        recorded("not-found.404.json"),
    ],
)
def test_what_is_no_person_is_unreadable(body: Any) -> None:
    with pytest.raises(RecordUnreadable):
        read_person(body, ADA)


def test_a_record_of_somebody_else_is_refused() -> None:
    with pytest.raises(RecordUnreadable, match="0000-0002-1642-628X"):
        read_person(recorded("0000-0002-1642-628X/person.json"), ADA)
    with pytest.raises(RecordUnreadable, match="whose"):
        read_person({"name": None})
    assert read_person({"name": None}, ADA).orcid_id == ADA
