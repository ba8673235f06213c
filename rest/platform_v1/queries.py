"""The query parameters of the platform's lists, each with its rule in words for who breaks it."""

import unicodedata
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from litestar.params import QueryParameter

from app.errors import InvalidQueryParameters
from services.paging import OffsetRequest

_LARGEST = 2**31 - 1
_LONGEST_SEARCH = 200

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
    Literal["success", "failed", "refused"] | None,
    QueryParameter(name="outcome", required=False, description="That ended so."),
]

RULES = {
    "page": f"must be an integer between 1 and {_LARGEST}",
    "limit": "must be an integer between 1 and 100",
    "pageSize": "must be an integer between 1 and 100",
    "status": "must be one of the statuses that this list documents",
    "type": "must be one of the types that this list documents",
    "category": "must be one of the categories that this list documents",
    "healthStatus": "must be one of healthy, degraded, unhealthy, unknown",
    "outcome": "must be one of success, failed, refused",
    "enabled": "must be true or false",
}


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


def listing(page: int, size: int, search: str, *, sort: str | None = None, **filters: object) -> OffsetRequest:
    """A list's request; filters that are None are none."""
    checked(search=search)
    return OffsetRequest(
        page=page,
        per_page=size,
        q=search.strip(),
        sort=sort,
        descending=False,
        filters={name: value for name, value in filters.items() if value is not None},
    )


def sorted_by(text: str | None, names: dict[str, str]) -> str | None:
    """`-createdAt,name` by the names that the list knows. Raises InvalidQueryParameters."""
    if text is None:
        return None
    found = []
    for part in text.split(","):
        sign, name = ("-", part[1:]) if part.startswith("-") else ("", part)
        if name not in names:
            raise InvalidQueryParameters({"sort": f"must be one of {', '.join(names)}"})
        found.append(sign + names[name])
    return ",".join(found)


def uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
