"""The query parameters of the platform's lists, each with its rule in words for who breaks it."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Annotated, Literal, TypeAlias
from urllib.parse import parse_qsl
from uuid import UUID

from litestar.openapi.spec import Example
from litestar.params import QueryParameter

from app.errors import InvalidQueryParameters
from services.filters.expression import MOST_CHARACTERS, Filter
from services.paging import OffsetRequest

_LARGEST = 2**31 - 1
_LONGEST_SEARCH = 200

_EXPRESSION = (
    "Which rows, as a JSON object: each member is a field with its value, or with an object of operators (`eq`, `ne`, "
    "`in`, `gt`, `gte`, `lt`, `lte`, `like`); `and` and `or` hold lists of such objects, at most 3 deep, with at most "
    "20 comparisons. All members must hold. Texts are compared letter by letter; in `like`, `%` is any run of "
    "characters, `_` is one, and `\\` takes the next as it is."
)
Page: TypeAlias = Annotated[int, QueryParameter(name="page", ge=1, le=_LARGEST, description="Page, counted from 1.")]
Limit: TypeAlias = Annotated[int, QueryParameter(name="limit", ge=1, le=100, description="Items per page.")]
PageSize: TypeAlias = Annotated[int, QueryParameter(name="pageSize", ge=1, le=100, description="Items per page.")]
Search: TypeAlias = Annotated[str, QueryParameter(name="search", description="Text to be found, in any case.")]
Sort: TypeAlias = Annotated[
    str | None,
    QueryParameter(name="sort", required=False, description="Fields to sort by, with a comma between; `-` descends."),
]
DefinitionStatus: TypeAlias = Annotated[
    Literal["DRAFT", "PUBLISHED", "DEPRECATED", "ARCHIVED"] | None,
    QueryParameter(name="status", required=False, description="In this status."),
]
DefinitionType: TypeAlias = Annotated[
    Literal["http", "graphql", "webhook"] | None,
    QueryParameter(name="type", required=False, description="Of this type."),
]
InstanceStatus: TypeAlias = Annotated[
    Literal[
        "PENDING_CONFIGURATION", "PENDING_AUTHENTICATION", "CONNECTED", "DISCONNECTED", "AUTH_ERROR", "CONFIG_ERROR"
    ]
    | None,
    QueryParameter(name="status", required=False, description="In this status."),
]  # fmt: skip
DefinitionId: TypeAlias = Annotated[
    str | None, QueryParameter(name="definitionId", required=False, description="Of this definition.")
]
TypeName: TypeAlias = Annotated[
    str | None, QueryParameter(name="type", required=False, description="Of this integration type, by its name.")
]
Category: TypeAlias = Annotated[
    Literal["scm", "ci", "registry", "vault", "target", "router", "notification", "metrics", "generic"] | None,
    QueryParameter(name="category", required=False, description="Of this category."),
]
Health: TypeAlias = Annotated[
    Literal["healthy", "degraded", "unhealthy", "unknown"] | None,
    QueryParameter(name="healthStatus", required=False, description="In this health."),
]
Enabled: TypeAlias = Annotated[
    bool | None, QueryParameter(name="enabled", required=False, description="Enabled, or disabled.")
]
MethodName: TypeAlias = Annotated[
    str | None, QueryParameter(name="method", required=False, description="Of this method, by its name.")
]
Outcome: TypeAlias = Annotated[
    Literal["success", "failed", "refused", "running", "unknown"] | None,
    QueryParameter(name="outcome", required=False, description="That ended so."),
]
EventType: TypeAlias = Annotated[
    str | None, QueryParameter(name="eventType", required=False, description="Of this type of event.")
]
DeliveryStatus: TypeAlias = Annotated[
    Literal["accepted", "rejected"] | None,
    QueryParameter(name="status", required=False, description="In this status."),
]
DeliveryId: TypeAlias = Annotated[
    str | None, QueryParameter(name="deliveryId", required=False, description="That its sender calls so.")
]

RULES = {
    "page": f"must be an integer between 1 and {_LARGEST}",
    "limit": "must be an integer between 1 and 100",
    "pageSize": "must be an integer between 1 and 100",
    "status": "must be one of the statuses that this list documents",
    "type": "must be one of the types that this list documents",
    "category": "must be one of the categories that this list documents",
    "healthStatus": "must be one of healthy, degraded, unhealthy, unknown",
    "outcome": "must be one of success, failed, refused, running, unknown",
    "enabled": "must be true or false",
    "filter": f"must be JSON of at most {MOST_CHARACTERS} characters",
}
#: Parameters that are integers, in the one form that integers have: `1.0` and `1e3` are none.
_INTEGERS = frozenset({"page", "limit", "pageSize"})
_LONGEST_NAME, _MOST_NAMED = 100, 10
_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)


def check_query(query: bytes, known: Collection[str]) -> None:
    """Raise InvalidQueryParameters for a parameter that there is not, or a number that is written in another form.

    A misspelt filter that was passed over would answer everything, and of a number the reader would take the value.
    """
    if not query:
        return
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    unknown = dict.fromkeys(name for name, _ in pairs if name not in known)
    bad = {name[:_LONGEST_NAME]: not_a_parameter(name, known) for name in list(unknown)[:_MOST_NAMED]}
    bad |= {name: RULES[name] for name, text in pairs if name in _INTEGERS & {*known} and not _INTEGER.fullmatch(text)}
    if bad:
        raise InvalidQueryParameters(bad)


def not_a_parameter(name: str, known: Collection[str]) -> str:
    """The rule in words, with the nearest name that is known, or all where none is near."""
    spelt = {each.lower(): each for each in known}
    for near in get_close_matches(name[:_LONGEST_NAME].lower(), spelt, 1):
        return f"is not a parameter here; the nearest is {spelt[near]}"
    return f"is not a parameter here; there {_told(sorted(known))}"


def _told(known: list[str]) -> str:
    return "are none" if not known else f"are {', '.join(known)}" if known[1:] else f"is {known[0]}"


def checked(**given: str | None) -> None:
    """Raise InvalidQueryParameters for text that is too long or has control characters."""
    bad = {
        name: f"must be at most {_LONGEST_SEARCH} characters without control characters"
        for name, text in given.items()
        if text is not None and (len(text) > _LONGEST_SEARCH or not _is_plain(text))
    }
    if bad:
        raise InvalidQueryParameters(bad)


def _is_plain(text: str) -> bool:
    return not any(unicodedata.category(char) in ("Cc", "Cs") for char in text)


def filtering(fields: Mapping[str, str], /, **examples: str) -> QueryParameter:
    """The parameter `filter` of a list with these fields; the examples fit the list."""
    return QueryParameter(
        name="filter",
        required=False,
        max_length=MOST_CHARACTERS,
        description=f"{_EXPRESSION} Fields: {', '.join(f'`{name}`' for name in fields)}.",
        examples=[Example(summary=name.capitalize(), value=value) for name, value in examples.items()],
    )


def listing(
    page: int, size: int, search: str, *, sort: str | None = None, where: Filter | None = None, **filters: object
) -> OffsetRequest:
    """A list's request; filters that are None are none."""
    checked(search=search)
    return OffsetRequest(
        page=page,
        per_page=size,
        q=search.strip(),
        sort=sort,
        descending=False,
        filters={name: value for name, value in filters.items() if value is not None},
        where=where,
    )


def sorted_by(text: str | None, names: dict[str, str]) -> str | None:
    """`-createdAt,name` by the names that the list knows. Raises InvalidQueryParameters."""
    if text is None:
        return None
    found: dict[str, str] = {}
    for part in text.split(","):
        sign, name = ("-", part[1:]) if part.startswith("-") else ("", part)
        if name not in names:
            raise InvalidQueryParameters({"sort": f"must be one of {', '.join(names)}"})
        if name in found:
            raise InvalidQueryParameters({"sort": f"must name {name} once"})
        found[name] = sign + names[name]
    return ",".join(found.values())


def uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
