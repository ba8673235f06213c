"""What a person published, out of ORCID's JSON: the recorded answers and each rule."""

from typing import Any

import msgspec
import pytest

from services.people.records import RecordUnreadable, normalise_doi, read_works
from tests.services.people.orcid_json import ADA, ids, recorded, summary, works


@pytest.mark.parametrize(
    ("orcid_id", "publications", "rest"),
    [("0000-0001-8607-8025", 11, 0), ("0000-0002-9341-7985", 4, 4), ("0000-0003-1620-1408", 0, 0)],
)
def test_recorded_works(orcid_id: str, publications: int, rest: int) -> None:
    found = read_works(recorded(f"{orcid_id}/works.json"), orcid_id)
    assert (len(found.publications), len(found.works), found.problems) == (publications, rest, [])
    assert all(work.asserted_by_source for work in found.works)


def test_a_recorded_publication_in_full() -> None:
    found = read_works(recorded("0000-0001-8607-8025/works.json"), "0000-0001-8607-8025").publications[0]
    assert msgspec.to_builtins(found) == {
        "doi": "10.7557/19.5311",
        "title": {"en": "Open Code and Peer Review"},
        "doi_url": "https://doi.org/10.7557/19.5311",
        "publication_date": "2020-02-04",
        "publication_year": 2020,
        "publication_type": "journal-article",
        "put_code": 68392001,
    }


def stamped(put_code: int, index: Any, modified: int) -> dict[str, Any]:
    return summary(put_code, display_index=index, last_modified_date={"value": modified})


@pytest.mark.parametrize(
    ("entries", "put_code"),
    [
        ([stamped(1, "0", 9), stamped(2, "1", 1)], 2),
        ([stamped(1, "9", 1), stamped(2, "10", 1)], 2),
        ([stamped(1, 0, 1), stamped(2, 0, 2)], 2),
        ([stamped(3, "0", 1), stamped(2, "0", 1), stamped(4, None, 1)], 2),
        ([stamped(1, "1", 1) | {"visibility": "private"}, stamped(2, "0", 1)], 2),
        ([stamped(1, "1", 1) | {"title": None}, stamped(2, "0", 1)], 2),
    ],
)
def test_the_preferred_work_speaks_for_its_group(entries: list[Any], put_code: int) -> None:
    """Display-index as a number, then the latest change, then the lowest put-code, among the public ones."""
    assert [work.put_code for work in read_works(works(entries)).works] == [put_code]


@pytest.mark.parametrize(
    ("own", "groups", "doi"),
    [
        (ids(("doi", "10.1000/A", "self")), ids(("doi", "10.1000/b", "self")), "10.1000/a"),
        (None, ids(("doi", "10.1000/b", "self")), "10.1000/b"),
        (ids(("doi", "10.1000/v", "version-of")), ids(("doi", "10.1000/s", "self")), "10.1000/s"),
        (ids(("DOI", "10.1000/v", "VERSION_OF")), None, "10.1000/v"),
        (ids(("doi", "10.1000/p", "part-of")), ids(("doi", "10.1000/f", "funded-by")), None),
        (ids(("doi", "nonsense", "self"), ("doi", "https://doi.org/10.1000/C", "self")), None, "10.1000/c"),
        (ids(("pmid", "10.1000/x", "self")), {"external-id": "x"}, None),
        ({"external-id": [None, 7, {"external-id-type": "doi", "external-id-value": "10.1000/n"}]}, None, "10.1000/n"),
        (
            {"external-id": [{"external-id-type": "doi", "external-id-normalized": {"value": "10.1000/m"}}]},
            7,
            "10.1000/m",
        ),
    ],
)
def test_which_doi_is_the_works_own(own: Any, groups: Any, doi: str | None) -> None:
    found = read_works(works({"external-ids": groups, "work-summary": [summary(external_ids=own)]}))
    assert [each.doi for each in found.publications] == ([doi] if doi else [])
    assert len(found.works) == (0 if doi else 1)


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("10.7554/eLife.20470", "10.7554/elife.20470"),
        (" https://doi.org/10.1000/X ", "10.1000/x"),
        ("http://dx.doi.org/10.1000/x", "10.1000/x"),
        ("doi:10.1000/x", "10.1000/x"),
        ("DOI: 10.1000/x", "10.1000/x"),
        ("info:doi/10.1000/x", "10.1000/x"),
        ("https://doi.org/doi:10.1000/x", "10.1000/x"),
        ("https%3A%2F%2Fdoi.org%2F10.1000%2Fx", "10.1000/x"),
        ("10.1002/(SICI)1097%3C1::AID%3E3.0.CO;2-E", "10.1002/(sici)1097<1::aid>3.0.co;2-e"),
        ("10.1000/ünï", "10.1000/ünï"),
        ("10.123/x", None),
        ("10.1000/", None),
        ("10.1000/a b", None),
        ("10.1000/a%20b", None),
        ("10.1000/a%00", None),
        ("11.1000/a", None),
        ("see 10.1000/a", None),
        ("10.١٢٣٤/a", None),
        ("10.1000/" + "a" * 3_000, None),
        ("", None),
    ],
)
def test_dois(text: str, doi: str | None) -> None:
    assert normalise_doi(text) == doi


def test_a_doi_is_listed_once_and_its_address_is_a_url() -> None:
    external = ids(("doi", "10.1000/<a>#?%25", "self"))
    found = read_works(works([summary(1, external_ids=external)], [summary(2, external_ids=external)]))
    assert [each.doi_url for each in found.publications] == ["https://doi.org/10.1000/%3Ca%3E%23%3F%25"]


def day(year: Any = None, month: Any = None, day: Any = None) -> dict[str, Any]:
    return {"year": {"value": year}, "month": month and {"value": month}, "day": day and {"value": day}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (day("2020", "02", "29"), ("2020-02-29", 2020)),
        (day(2020, 2, 4), ("2020-02-04", 2020)),
        (day("2019", "02", "29"), (None, 2019)),
        (day("2019", "02"), (None, 2019)),
        (day("2019"), (None, 2019)),
        (day("2013", "00"), (None, 2013)),
        (day("2019", None, "04"), (None, 2019)),
        (day("2019", "9" * 17, "1"), (None, 2019)),
        (day("0000", "01", "01"), (None, None)),
        (day("20x9", "01", "01"), (None, None)),
        (day(True), (None, None)),
        (None, (None, None)),
        ("2019-01-01", (None, None)),
    ],
)
def test_only_a_whole_day_is_a_date(value: Any, expected: Any) -> None:
    work = read_works(works([summary(publication_date=value)])).works[0]
    assert (work.publication_date, work.publication_year) == expected


@pytest.mark.parametrize(
    ("translated", "title"),
    [
        (None, {"en": "T"}),
        ({"value": "Titre", "language-code": "fr"}, {"en": "T", "fr": "Titre"}),
        ({"value": "标题", "language-code": "zh_CN"}, {"en": "T", "zh-CN": "标题"}),
        ({"value": "Title", "language-code": "en"}, {"en": "Title", "und": "T"}),
        ({"value": " ", "language-code": "fr"}, {"en": "T"}),
        ({"value": "Titre", "language-code": None}, {"en": "T"}),
        ({"value": ["x"], "language-code": "fr"}, {"en": "T"}),
    ],
)
def test_titles(translated: Any, title: dict[str, str]) -> None:
    entry = summary(external_ids=ids(("doi", "10.1000/a", "self")))
    entry["title"]["translated-title"] = translated
    assert read_works(works([entry])).publications[0].title == title


CLIENT = {"source-client-id": {"path": "0000-0001-9884-1913"}, "source-orcid": None}


@pytest.mark.parametrize(
    ("source", "asserted"),
    [
        (CLIENT, True),
        ({"source-client-id": {"uri": "https://orcid.org/client/APP-1"}}, True),
        ({"source-orcid": {"path": ADA}}, False),
        ({"source-orcid": {"uri": f"https://orcid.org/{ADA}"}}, False),
        ({"source-orcid": {"path": "0000-0002-1642-628X"}}, True),
        ({"source-orcid": {}}, False),
        (None, False),
        ("x", False),
    ],
)
def test_who_says_so(source: Any, asserted: bool) -> None:
    assert read_works(works([summary(source=source)]), ADA).works[0].asserted_by_source is asserted


@pytest.mark.parametrize(
    ("members", "url"),
    [
        ({"url": {"value": "https://a.example/x"}}, "https://a.example/x"),
        ({"url": "http://a.example"}, "http://a.example"),
        ({"url": {"value": "javascript:alert(1)"}}, None),
        ({"url": {"value": "https://a.example/" + "x" * 3_000}}, None),
        ({}, None),
    ],
)
def test_only_web_addresses_are_urls(members: Any, url: str | None) -> None:
    assert read_works(works([summary(**members)])).works[0].url == url


@pytest.mark.parametrize(
    ("kind", "expected"), [("JOURNAL_ARTICLE", "journal-article"), (None, "other"), (7, "other"), ("x" * 99, "other")]
)
def test_types(kind: Any, expected: str) -> None:
    assert read_works(works([summary(type=kind)])).works[0].work_type == expected


def test_what_is_not_public_is_left_out_without_a_word() -> None:
    hidden = [
        summary(number, visibility=value) for number, value in enumerate(["limited", "PRIVATE", "registered-only", 7])
    ]
    found = read_works(works(*([each] for each in hidden), [summary(9, visibility="PUBLIC")]))
    assert [work.put_code for work in found.works] == [9]
    assert found.problems == []


def test_a_malformed_work_is_reported_and_the_rest_goes_on() -> None:
    bad: list[Any] = [None, 7, [], {}, {"work-summary": None}, {"work-summary": [None]}]
    bad += [[summary(None)], [summary("x")], [summary(-1)], [summary(5, None)], [summary(6) | {"title": "x"}]]
    found = read_works(works(*bad, [summary(1, "Fine", extra={"unknown": 1})]))
    assert [work.title for work in found.works] == ["Fine"]
    assert len(found.problems) == len(bad)
    assert any("work 5 has no title" in problem for problem in found.problems)


@pytest.mark.parametrize("wrap", [lambda b: b, lambda b: {"works": b}, lambda b: {"activities-summary": {"works": b}}])
def test_every_wrapping_of_works_is_read(wrap: Any) -> None:
    assert len(read_works(wrap(works([summary()]))).works) == 1
    assert read_works(wrap({"group": None})).works == []


@pytest.mark.parametrize("body", [None, [], "x", {}, {"works": []}, recorded("server-error.500.json")])
def test_what_is_no_works_is_unreadable(body: Any) -> None:
    with pytest.raises(RecordUnreadable):
        read_works(body)
