"""What a person published: a work with a DOI is a publication, any other a work."""

from typing import Any

import msgspec

from services.people.records.dates import publication_date
from services.people.records.dois import doi_url, find_doi
from services.people.records.groups import Summary, groups, preferred
from services.people.records.members import child, items, plain, token, wrapped
from services.people.records.person import stated_orcid

_MAX_URL = 2_048
_MAX_KIND = 60


class PublicationRecord(msgspec.Struct, frozen=True):
    """`title` is locale→string; `publication_date` is YYYY-MM-DD and None unless the whole day is known."""

    doi: str
    title: dict[str, str]
    doi_url: str
    publication_date: str | None
    publication_year: int | None
    publication_type: str
    put_code: int


class WorkRecord(msgspec.Struct, frozen=True):
    """`asserted_by_source`: somebody else than the person says so."""

    put_code: int
    title: str
    work_type: str
    publication_date: str | None
    publication_year: int | None
    url: str | None
    asserted_by_source: bool
    visible: bool


class Works(msgspec.Struct, frozen=True):
    """In ORCID's order, each DOI once. `problems` are sentences about entries that were left out."""

    publications: list[PublicationRecord] = []
    works: list[WorkRecord] = []
    problems: list[str] = []


def read_works(body: Any, orcid_id: str | None = None) -> Works:
    """A `/works` body, bare, as `works`, or below `activities-summary` of a whole record.

    Raises RecordUnreadable when it is none of these. `orcid_id` tells whose own assertions are.
    """
    owner = orcid_id or stated_orcid(body)
    found = Works([], [], [])
    seen: set[str] = set()
    for number, group in enumerate(groups(body, found.problems), start=1):
        best = preferred(group, number, found.problems)
        if best is None:
            continue
        doi = find_doi(best.source, group)
        if doi is None:
            found.works.append(_work(best, owner))
        elif doi not in seen:
            seen.add(doi)
            found.publications.append(_publication(best, doi))
    return found


def _kind(source: dict[str, Any]) -> str:
    kind = token(source.get("type"))
    return kind if kind and len(kind) <= _MAX_KIND else "other"


def _publication(summary: Summary, doi: str) -> PublicationRecord:
    date, year = publication_date(summary.source.get("publication-date"))
    return PublicationRecord(doi, summary.title, doi_url(doi), date, year, _kind(summary.source), summary.put_code)


def _work(summary: Summary, owner: str | None) -> WorkRecord:
    source = summary.source
    date, year = publication_date(source.get("publication-date"))
    asserted = _asserted_by_source(source.get("source"), owner)
    title = summary.title.get("und") or summary.title["en"]
    return WorkRecord(summary.put_code, title, _kind(source), date, year, _url(source), asserted, True)


def _asserted_by_source(source: Any, owner: str | None) -> bool:
    """A client application, or another person, is the source; an unnamed source is the person's own word."""
    if _source_id(child(source, "source-client-id")) is not None:
        return True
    person = _source_id(child(source, "source-orcid"))
    return person is not None and owner is not None and person.upper() != owner


def _source_id(value: Any) -> str | None:
    text = plain(child(value, "path")) or plain(child(value, "uri"))
    return text.rstrip("/").rpartition("/")[2] if text else None


def _url(source: dict[str, Any]) -> str | None:
    externals = items(child(source, "external-ids", "external-id"))
    own = [each for each in externals if token(child(each, "external-id-relationship")) == "self"]
    for value in (source.get("url"), *(child(each, "external-id-url") for each in own)):
        url = wrapped(value)
        if url and len(url) <= _MAX_URL and url.lower().startswith(("https://", "http://")):
            return url
    return None
