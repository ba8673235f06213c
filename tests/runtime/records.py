"""Records as ORCID would give them, made up for tests; every iD has its right check digit."""

from __future__ import annotations

from typing import Any

from services.people.records import PersonRecord, PublicationRecord, WorkRecord, Works


def orcid(number: int) -> str:
    """The iD of a number, with its ISO 7064 MOD 11-2 check digit."""
    digits = f"{number:015d}"
    total = 0
    for digit in digits:
        total = (total + int(digit)) * 2
    rest = (12 - total % 11) % 11
    whole = digits + ("X" if rest == 10 else str(rest))
    return "-".join(whole[i : i + 4] for i in range(0, 16, 4))


def person(number: int, name: Any = None, biography: dict[str, str | None] | None = None) -> PersonRecord:
    return PersonRecord(orcid(number), name if name is not None else f"Person {number:04d}", biography)


def publication(number: int, **given: Any) -> PublicationRecord:
    doi = given.pop("doi", f"10.5555/dovetail.{number}")
    values = {
        "doi": doi,
        "title": {"en": f"Publication {number}"},
        "doi_url": f"https://doi.org/{doi}",
        "publication_date": None,
        "publication_year": None,
        "publication_type": "journal-article",
        "put_code": number,
    }
    return PublicationRecord(**(values | given))


def work(number: int, **given: Any) -> WorkRecord:
    values = {
        "put_code": number,
        "title": f"Work {number}",
        "work_type": "report",
        "publication_date": None,
        "publication_year": None,
        "url": None,
        "asserted_by_source": True,
        "visible": True,
    }
    return WorkRecord(**(values | given))


def made(publications: list[PublicationRecord] | None = None, works: list[WorkRecord] | None = None) -> Works:
    return Works(publications or [], works or [], [])
