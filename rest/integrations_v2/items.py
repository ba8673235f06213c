"""Rows as the contract shows them: whole while they are listed, else a tombstone. JSON columns pass as they are."""

from typing import Any

from msgspec import Raw

from app.database import Row
from rest.integrations_v2 import shapes

Item = dict[str, Any]
_NULL = Raw(b"null")


def _raw(text: str | None) -> Raw:
    return _NULL if text is None else Raw(text)


def _gone(name: str, value: Any) -> Item:
    return {"deleted": True, name: str(value)}


def person(row: Row) -> Item:
    return {
        "deleted": False,
        "orcid_id": row["orcid_id"],
        "name": _raw(row["name"]),
        "biography": _raw(row["biography"]),
        "last_fetched_at": row["last_fetched_at"],
        "sync_status": row["sync_status"],
        "publication_count": row["publication_count"],
        "updated_at": row["updated_at"],
    }


def followed_person(row: Row) -> Item:
    return person(row) if row["_listed"] else _gone("orcid_id", row["orcid_id"])


def followed_publication(row: Row) -> Item:
    if not row["_listed"]:
        return _gone("doi", row["doi"])
    names = (
        "publication_date", "publication_year", "publication_type", "cited_by_count", "last_fetched_at", "updated_at",
    )  # fmt: skip
    head = {
        "deleted": False,
        "doi": row["doi"],
        "title": _raw(row["title"]),
        "doi_url": f"https://doi.org/{row['doi']}",
    }
    return head | {name: row[name] for name in names}


def followed_work(row: Row) -> Item:
    names = ("title", "work_type", "publication_date", "publication_year", "url", "created_at", "updated_at")
    return _by_id(row, names)


def followed_project(row: Row) -> Item:
    return _by_id(row, ("title", "acronym", "funder", "start_date", "end_date", "status", "updated_at"))


def _by_id(row: Row, names: tuple[str, ...]) -> Item:
    if not row["_listed"]:
        return _gone("id", row["_id"])
    return {"deleted": False, "id": str(row["_id"])} | {name: row[name] for name in names}


def origin(found: dict[str, Any]) -> shapes.InstallationOrigin:
    names = ("origin", "verification_status", "verified_at", "last_checked_at")
    return shapes.InstallationOrigin(str(found["id"]), *(found[name] for name in names))


def installation(found: dict[str, Any], origins: list[dict[str, Any]]) -> shapes.Installation:
    names = ("platform", "status", "display_name", "description", "created_at", "updated_at", "scopes")
    credential = shapes.PresentedCredential(
        str(found["credential_id"]),
        found["label"],
        found["credential_status"],
        found["credential_created_at"],
        found["last_used_at"],
        found["expires_at"],
    )
    return shapes.Installation(
        id=str(found["id"]),
        workspace_id=str(found["tenant"]),
        **{name: found[name] for name in names},
        origins=[origin(one) for one in origins],
        credential=credential,
    )
