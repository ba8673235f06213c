"""People by their ids, many in one statement; and what belongs to each of many people."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import strawberry

from app.errors import NotFound, ValidationFailed
from graph.loaders import loader
from graph.relay import from_global_id
from services import fields
from services.context import Context
from services.paging import MOST_PER_PAGE, KeysetRequest
from services.people.orcid import parse_orcid
from services.people.reading import get_people, list_people

PersonId: TypeAlias = Annotated[
    strawberry.ID | None, strawberry.argument(description="The person's id; this or `orcidId` is given.")
]
PersonOrcid: TypeAlias = Annotated[
    str | None, strawberry.argument(description="The person's ORCID iD, in place of the id.")
]
Most: TypeAlias = Annotated[int, strawberry.argument(description="How many at most, 1 to 100.")]

#: A person, and how many of what belongs to them are wanted.
Share = tuple[UUID, int]


async def find_people(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    return {row["id"]: row for row in await get_people(context, ids)}


@loader
async def people_by_id(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    """The people of these ids."""
    return await find_people(context, ids)


async def person_of(context: Context, id: str | None, orcid_id: str | None, argument: str = "id") -> UUID:
    """The id of the person that a caller names. Raises ValidationFailed, or NotFound where nobody has the iD."""
    if (id is None) == (orcid_id is None):
        raise ValidationFailed({argument: f"exactly one of {argument} and orcidId must be given"})
    if id is not None:
        return from_global_id(str(id), "Person", argument)
    page: Any = await list_people(context, KeysetRequest(first=1, filters={"orcid_id": parse_orcid(orcid_id or "")}))
    if not page.rows:
        raise NotFound("There is no such person.")
    return UUID(str(page.rows[0]["id"]))


def share(person: UUID, first: int) -> Share:
    fields.between("first", first, 1, MOST_PER_PAGE)
    return person, first


async def shares(
    read: Callable[[Context, list[UUID], int], Awaitable[Iterable[Any]]], context: Context, keys: list[Share]
) -> Mapping[Share, list[Any]]:
    """Each person's first rows, from one call that reads those of all."""
    by_owner: dict[UUID, list[Any]] = defaultdict(list)
    people = list(dict.fromkeys(person for person, _ in keys))
    for row in await read(context, people, max(first for _, first in keys)):
        by_owner[row["owner"]].append(row)
    return {(person, first): by_owner[person][:first] for person, first in keys}
