"""DOIs in one spelling: without resolver or scheme, percent-decoded, lower case (DOI Handbook 2.4)."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

from services.people.records.members import child, items, plain, token

_PREFIX = re.compile(r"(?:https?://(?:[a-z]+\.)?doi\.org/|doi\.org/|(?:info:)?doi[:/]\s*|doi\s+)", re.IGNORECASE)
_DOI = re.compile(r"10\.\d{4,9}/\S+", re.ASCII)
_MAX_DOI = 2_048


def normalise_doi(text: str) -> str | None:
    """The DOI in `text`, or None when it is none."""
    doi = unquote(text.strip()).strip()
    while (prefix := _PREFIX.match(doi)) is not None:
        doi = doi[prefix.end() :]
    doi = doi.strip().lower()
    unprintable = any(unicodedata.category(char) in ("Cc", "Cs") or char.isspace() for char in doi)
    return doi if not unprintable and len(doi.encode()) <= _MAX_DOI and _DOI.fullmatch(doi) else None


def doi_url(doi: str) -> str:
    return "https://doi.org/" + quote(doi, safe="/:;()._-~!$&'*+,=@")


def find_doi(summary: Any, group: Any) -> str | None:
    """The DOI of the work itself: the summary's own before the group's, of another version only failing both.

    `part-of` and `funded-by` name other things. Old entries without a relationship mean the work itself.
    """
    for relationship in ("self", "version-of"):
        for holder in (summary, group):
            for external in items(child(holder, "external-ids", "external-id")):
                if (token(child(external, "external-id-relationship")) or "self") == relationship:
                    for doi in _dois(external):
                        return doi
    return None


def _dois(external: Any) -> Iterator[str]:
    if token(child(external, "external-id-type")) != "doi":
        return
    for value in (
        child(external, "external-id-value"),
        child(external, "external-id-normalized", "value"),
        child(external, "external-id-url", "value"),
    ):
        text = plain(value)
        doi = normalise_doi(text) if text else None
        if doi:
            yield doi
