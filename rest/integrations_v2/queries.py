"""The query parameters of the contract, each with its rule in words for who breaks it."""

import re
import unicodedata
from typing import Annotated, Any

import msgspec
from litestar.params import PathParameter, QueryParameter

from app.errors import InvalidQueryParameters
from rest.integrations_v2.cursors import Cursor, mark
from services.feeds import FeedRequest

#: The largest integer that every JSON reader keeps exactly (RFC 8259 section 6).
_LARGEST = 2**53 - 1
_LONGEST = 200

Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=100, description="Rows on a page, at most.")]
CursorText = Annotated[
    str | None,
    QueryParameter(
        name="cursor",
        required=False,
        description="`next_cursor` of the page before. Send it with the parameters of the first page; only `limit` "
        "may differ.",
    ),
]
UpdatedSince = Annotated[
    int | None,
    QueryParameter(
        name="updated_since",
        ge=0,
        le=_LARGEST,
        required=False,
        description="`next_updated_since` of the last walk that was read to its end: only what changed since then "
        "is listed, and what is no longer listed as a tombstone. Not together with a filter.",
    ),
]
Q = Annotated[
    str | None,
    QueryParameter(
        name="q",
        required=False,
        description="Text to be found, without regard to case and accents; trimmed, at most 200 characters.",
    ),
]
Year = Annotated[
    int | None,
    QueryParameter(name="publication_year", ge=0, le=9999, required=False, description="Year of publication."),
]
Kind = Annotated[
    str | None, QueryParameter(name="publication_type", required=False, description="Type of publication, exactly.")
]
WorkKind = Annotated[str | None, QueryParameter(name="work_type", required=False, description="Type of work, exactly.")]
CitedBy = Annotated[
    int | None,
    QueryParameter(name="min_cited_by", ge=0, le=2**31 - 1, required=False, description="Least number of citations."),
]
OrcidId = Annotated[str, PathParameter(description="ORCID iD, like `0000-0002-1825-0097`.")]
OriginId = Annotated[str, PathParameter(description="Id of an origin, as `/installation` lists it.")]

_TEXT = f"must be text of at most {_LONGEST} characters without control characters"
RULES = {
    "limit": "must be an integer between 1 and 100",
    "cursor": "must be the next_cursor of an answer",
    "updated_since": f"must be the next_updated_since of an answer, an integer between 0 and {_LARGEST}",
    "q": _TEXT,
    "publication_year": "must be a year between 0 and 9999",
    "min_cited_by": "must be an integer of at least 0",
    "publication_type": _TEXT,
    "work_type": _TEXT,
}
#: Bounds of zero, for the document.
LEAST = {"updated_since": 0, "publication_year": 0, "min_cited_by": 0}
#: The framework's reader takes every form whose value is an integer.
_INTEGERS = frozenset({"limit", *LEAST})
_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)


class Query(msgspec.Struct):
    """The query as it was sent: its pairs, what it is a walk over, and its cursor, where that is one of ours."""

    path: str
    pairs: list[tuple[str, str]]
    mark: bytes
    cursor: Cursor | None

    @property
    def has_cursor(self) -> bool:
        return any(name == "cursor" for name, _ in self.pairs)

    @property
    def page(self) -> int:
        return self.cursor.page if self.cursor else 1

    def check_names(self, known: frozenset[str]) -> None:
        """Raise InvalidQueryParameters for names that the endpoint does not know, and for repeated ones.

        A misspelt `updated_since` that was passed over in silence would look like a sync that works.
        """
        names = [name for name, _ in self.pairs]
        allowed = ", ".join(sorted(known)) or "none"
        bad = {name[:60]: f"is no parameter here; known: {allowed}" for name in names if name not in known}
        bad |= {name: "must be given once" for name in names if name in known and names.count(name) > 1}
        if bad:
            raise InvalidQueryParameters(bad)

    def check_integers(self) -> None:
        """Raise InvalidQueryParameters for a number in another form than an integer has: `1.0`, `1e3`."""
        bad = {name: RULES[name] for name, text in self.pairs if name in _INTEGERS and not _INTEGER.fullmatch(text)}
        if bad:
            raise InvalidQueryParameters(bad)

    def check_cursor(self, workspace: bytes) -> None:
        """Raise InvalidQueryParameters naming what the cursor belongs to, where that is not this query."""
        found = self.cursor
        if not self.has_cursor:
            return
        again = "leave it out to begin anew"
        if found is None:
            raise InvalidQueryParameters({"cursor": f"{RULES['cursor']}; {again}"})
        if found.workspace != mark(workspace):
            raise InvalidQueryParameters({"cursor": f"is a cursor of another workspace; {again}"})
        if found.path != self.path:
            raise InvalidQueryParameters({"cursor": f"is a cursor of {found.path}; {again}"})
        if found.query != self.mark:
            raise InvalidQueryParameters(
                {"cursor": f"belongs to other parameters; send those of its first page, or {again}"}
            )


def feed_request(query: Query, limit: int, since: int | None = None, **filters: Any) -> FeedRequest:
    """What a list is asked for. Raises InvalidQueryParameters for text that no row holds, and for mixed questions."""
    given = {name: _checked(name, value) for name, value in filters.items() if value is not None}
    if since is not None and given:
        rule = f"cannot be combined with {', '.join(sorted(given))}: what no longer matches could not be told"
        raise InvalidQueryParameters({"updated_since": rule})
    found = query.cursor
    return FeedRequest(
        limit=limit,
        since=since,
        until=found.until if found else None,
        after=found.after if found else None,
        filters=given,
    )


def _checked(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.strip() if name == "q" else value
    if len(text) > _LONGEST or any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        raise InvalidQueryParameters({name: RULES[name]})
    return text
