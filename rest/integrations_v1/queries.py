"""The query parameters of the contract, each with its rule in words for who breaks it."""

import unicodedata
from typing import Annotated, Literal

from litestar.params import QueryParameter

from app.errors import InvalidQueryParameters

#: The largest integer that every JSON reader keeps exactly (RFC 8259 section 6).
_LARGEST = 2**53 - 1
_LONGEST_Q = 200

Page = Annotated[int, QueryParameter(name="page", ge=1, le=_LARGEST, description="Page, counted from 1.")]
PerPage = Annotated[int, QueryParameter(name="per_page", ge=1, le=100, description="Rows on a page.")]
Q = Annotated[
    str,
    QueryParameter(name="q", description="Case-insensitive text to be found, trimmed; at most 200 characters."),
]
Direction = Annotated[Literal["asc", "desc"], QueryParameter(name="dir", description="Direction of the sort.")]
PublicationSort = Annotated[
    Literal["last_fetched_at", "publication_date", "cited_by_count"],
    QueryParameter(name="sort", description="What the list is sorted by."),
]
WorkSort = Annotated[
    Literal["created_at", "publication_date", "publication_year"],
    QueryParameter(name="sort", description="What the list is sorted by."),
]
Year = Annotated[
    int | None,
    QueryParameter(name="publication_year", ge=0, le=9999, description="Year of publication.", required=False),
]
Kind = Annotated[
    str | None, QueryParameter(name="publication_type", description="Type of publication.", required=False)
]
WorkKind = Annotated[str | None, QueryParameter(name="work_type", description="Type of work.", required=False)]
CitedBy = Annotated[
    int | None,
    QueryParameter(name="min_cited_by", ge=0, le=2**31 - 1, description="Least number of citations.", required=False),
]

RULES = {
    "page": "must be an integer between 1 and 9007199254740991",
    "per_page": "must be an integer between 1 and 100",
    "q": f"must be text of at most {_LONGEST_Q} characters without control characters",
    "dir": "must be asc or desc",
    "sort": "must be one of the sorts that this list documents",
    "publication_year": "must be a year between 0 and 9999",
    "min_cited_by": "must be an integer of at least 0",
    "publication_type": "must be text without control characters",
    "work_type": "must be text without control characters",
}


def is_plain(text: str) -> bool:
    return not any(unicodedata.category(char) in ("Cc", "Cs") for char in text)


def checked_text(**given: str | None) -> None:
    """Raise InvalidQueryParameters for text with control characters, which no row can hold."""
    bad = {name: RULES[name] for name, text in given.items() if text is not None and not is_plain(text)}
    if bad:
        raise InvalidQueryParameters(bad)


def checked_q(q: str) -> str:
    """`q` trimmed, as it is echoed."""
    trimmed = q.strip()
    if len(trimmed) > _LONGEST_Q or not is_plain(trimmed):
        raise InvalidQueryParameters({"q": RULES["q"]})
    return trimmed
