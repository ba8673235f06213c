"""Examples of the contract's document: a test holds each against its schema."""

from typing import Any

import msgspec

from app.errors import REGISTRY, InvalidQueryParameters
from rest.integrations_v2 import REVISION
from rest.integrations_v2.errors import problem_of

_AT = 1_795_212_531_407
_CURSOR = "l8QIF7oMPMzQ1q6nL3Blb3BsZcQI5JLxPVZ4"
_SINCE = 1_795_212_600_000

HEALTH = {"status": "ok", "version": REVISION}
_ORIGIN = {
    "id": "01a1faf8-2e80-7d40-bc8c-ad2cffca3e4d",
    "origin": "https://www.example.org",
    "verification_status": "verified",
    "verified_at": _AT,
    "last_checked_at": _AT,
}
ORIGIN = {"origin": _ORIGIN}
INSTALLATION = {
    "installation": {
        "id": "01a1faf8-2e7e-7d96-bcda-ca6b20594518",
        "workspace_id": "01a1faf8-2e7b-7a86-bd09-125947f739ff",
        "platform": "wordpress",
        "status": "active",
        "display_name": "Main site",
        "description": None,
        "created_at": _AT,
        "updated_at": _AT,
        "scopes": ["people.read", "publications.read"],
        "origins": [_ORIGIN],
        "credential": {
            "id": "01a1faf8-2e87-7f38-9f66-447c64ff410d",
            "label": "Main key",
            "status": "active",
            "created_at": _AT,
            "last_used_at": None,
            "expires_at": None,
        },
    }
}
_PERSON = {
    "deleted": False,
    "orcid_id": "0000-0001-2345-6789",
    "name": {"en": "Joao Silva", "pt": "Joao Silva"},
    "biography": {"en": "Researcher in marine ecology", "pt": "Investigador em ecologia marinha"},
    "last_fetched_at": _AT,
    "sync_status": "complete",
    "publication_count": 1,
    "updated_at": _AT,
}
PERSON = {"person": _PERSON}
PEOPLE = {
    "people": [_PERSON, {"deleted": True, "orcid_id": "0000-0002-1825-0097"}],
    "next_cursor": _CURSOR,
    "next_updated_since": None,
}
_PUBLICATION = {
    "deleted": False,
    "doi": "10.1101/033548",
    "title": {"en": "Homeostatic activity-dependent tuning of recurrent networks"},
    "doi_url": "https://doi.org/10.1101/033548",
    "publication_date": "2015-12-02",
    "publication_year": 2015,
    "publication_type": "preprint",
    "cited_by_count": 0,
    "last_fetched_at": _AT,
    "updated_at": _AT,
}
PUBLICATIONS = {
    "publications": [_PUBLICATION, {"deleted": True, "doi": "10.5555/12345678"}],
    "next_cursor": None,
    "next_updated_since": _SINCE,
}
PERSON_PUBLICATIONS = {"publications": [_PUBLICATION], "next_cursor": None}
WORKS = {
    "works": [
        {
            "deleted": False,
            "id": "01a1faf8-2e96-7e1f-8f31-2836b715c0dd",
            "title": "Background, future development, and article-level metrics",
            "work_type": "conference-paper",
            "publication_date": None,
            "publication_year": 2009,
            "url": None,
            "created_at": _AT,
            "updated_at": _AT,
        },
        {"deleted": True, "id": "01a1faf8-2e97-7b5c-9d0e-6f4b8f0c2a11"},
    ],
    "next_cursor": None,
    "next_updated_since": _SINCE,
}
PROJECTS = {
    "projects": [
        {
            "deleted": False,
            "id": "01a1faf8-2e9b-7140-a004-33a4bbccb3ac",
            "title": "Coastal biodiversity observatory",
            "acronym": "COBO",
            "funder": "Demo Science Foundation",
            "start_date": "2024-03-01",
            "end_date": "2027-02-28",
            "status": "active",
            "updated_at": _AT,
        },
        {"deleted": True, "id": "01a1faf8-2e9c-7c0a-8a52-0d1f6e7b9c33"},
    ],
    "next_cursor": None,
    "next_updated_since": _SINCE,
}


def problem(code: str) -> Any:
    """A refusal of that code as it is sent."""
    if code == "invalid_query_parameters":
        error: Any = InvalidQueryParameters({"limit": "must be an integer between 1 and 100"})
    elif code == "installation_rate_limit_exceeded":
        error = REGISTRY[code](20)  # type: ignore[arg-type]
    else:
        error = REGISTRY[code]()
    return msgspec.to_builtins(problem_of(error, "req_5f0c1d2e3a4b5c6d7e8f"))
