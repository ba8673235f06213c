"""Works: what people made that has no DOI, and its review."""

from collections.abc import Awaitable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from graph.connections import After, Before, Connection, First, Last, page_request
from graph.loaders import loader
from graph.parts import Part
from graph.people_found import Share, people_by_id, shares
from graph.problems import Problem
from graph.relay import Node, from_global_id, id_column, register_node
from graph.request import Info
from graph.requires import mutation_field, operation_field
from graph.rows import column
from graph.scalars import Date, DateTime
from graph.sorting import Direction, SortDirection, filters_of, keyset, stored
from services.context import Context
from services.people.reading import get_people
from services.works import get_works, list_person_works, list_works, review_work, set_work_visibility

if TYPE_CHECKING:
    from graph.people import Person


@strawberry.enum(description="What works are sorted by.")
class WorkSort(Enum):
    CREATED_AT = strawberry.enum_value("created_at", description="When it was taken in.")
    PUBLICATION_DATE = strawberry.enum_value(
        "publication_date", description="The day of publication; unknown ones first."
    )
    PUBLICATION_YEAR = strawberry.enum_value("publication_year", description="The year; unknown ones first.")


@strawberry.input(description="Which works to list; what is left out does not matter.")
class WorkFilter:
    q: str | None = strawberry.field(default=None, description="Words of the title.")
    person: strawberry.ID | None = strawberry.field(default=None, description="The id of the person who made it.")
    work_type: str | None = strawberry.field(default=None, description="ORCID's type: `data-set`.")
    publication_year: int | None = strawberry.field(default=None, description="The year of publication.")
    verified: bool | None = strawberry.field(default=None, description="Whether it is taken for what it claims to be.")
    reviewed: bool | None = strawberry.field(default=None, description="Whether somebody has looked at it.")
    listed: bool | None = strawberry.field(default=None, description="Whether consumers see it.")
    visible: bool | None = strawberry.field(default=None, description="False for what somebody has hidden.")
    deleted: bool | None = strawberry.field(default=False, description="Whether ORCID has it no longer; null for both.")

    def conditions(self) -> dict[str, Any]:
        """By the operation's names. Raises ValidationFailed for an id that is no person's."""
        return filters_of(self, {"person": "Person"})


@strawberry.type(description="What a person made that has no DOI. Consumers see it once it is verified.")
class Work(Node):
    id: strawberry.ID = id_column("Work")
    title: str = column(description="The title.")
    work_type: str = column(description="ORCID's type: `data-set`, `report`, …")
    publication_date: Date | None = column(description="The day of publication, where all of it is known.")
    publication_year: int | None = column(description="The year of publication.")
    url: str | None = column(description="Where it can be found.")
    put_code: str = column(description="ORCID's number for it.")
    verified: bool = column(description="Whether it is taken for what it claims to be.")
    reviewed: bool = column(description="Whether somebody decided that; a sync does not overrule them.")
    visible: bool = column(description="False where somebody has hidden it.")
    listed: bool = column(description="Whether consumers see it: verified, visible, and its person a current member.")
    created_at: DateTime = column(description="When it was taken in.")
    deleted_at: DateTime | None = column(description="When ORCID had it no longer; null while it has.")

    @operation_field(
        get_people, Annotated["Person", strawberry.lazy("graph.people")] | None, description="Who made it."
    )
    def person(root: strawberry.Parent[Any], info: Info) -> Awaitable[Any]:
        return people_by_id.load(info.context, root["person"])


async def find_works(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    return {row["id"]: row for row in await get_works(context, ids)}


@loader
async def works_by_id(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    """The works of these ids."""
    return await find_works(context, ids)


@loader
async def works_of(context: Context, keys: list[Share]) -> Mapping[Share, list[Any]]:
    """Each person's latest works."""
    return await shares(list_person_works, context, keys)


Id = Annotated[strawberry.ID, strawberry.argument(description="The work's id.")]
Filter = Annotated[WorkFilter | None, strawberry.argument(description="Which works to list.")]
Sort = Annotated[WorkSort, strawberry.argument(description="What to sort by.")]
Verified = Annotated[bool, strawberry.argument(description="Whether it is what it claims to be.")]
Visible = Annotated[bool, strawberry.argument(description="Whether consumers may see it.")]


@strawberry.type
class WorkQuery:
    @operation_field(list_works, Connection[Work] | None, description="All works, page by page.")
    async def works(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        filter: Filter = None,
        sort: Sort = WorkSort.CREATED_AT,
        direction: Direction = SortDirection.DESC,
    ) -> Any:
        filters = (filter or WorkFilter()).conditions()
        request = page_request(
            first, last, after, before, sort=stored(sort), descending=direction.descending, filters=filters
        )
        return keyset(await list_works(info.context.context, request))

    @operation_field(get_works, Work | None, description="One work; null where there is none.")
    async def work(self, info: Info, id: Id) -> Any:
        return await works_by_id.load(info.context, from_global_id(str(id), "Work"))


@strawberry.type(description="The answer to reviewWork.")
class ReviewWorkPayload:
    work: Work | None = column(description="The work as it is now.")
    errors: list[Problem] = column(description="Why nothing was changed; empty where it was.")


@strawberry.type(description="The answer to setWorkVisibility.")
class SetWorkVisibilityPayload:
    work: Work | None = column(description="The work as it is now.")
    errors: list[Problem] = column(description="Why nothing was changed; empty where it was.")


@strawberry.type
class WorkMutation:
    @mutation_field(review_work, ReviewWorkPayload, "work")
    async def review_work(self, info: Info, id: Id, verified: Verified) -> Any:
        return await review_work(info.context.context, from_global_id(str(id), "Work"), verified)

    @mutation_field(set_work_visibility, SetWorkVisibilityPayload, "work")
    async def set_work_visibility(self, info: Info, id: Id, visible: Visible) -> Any:
        return await set_work_visibility(info.context.context, from_global_id(str(id), "Work"), visible)


register_node("Work", find_works)
PART = Part(query=WorkQuery, mutation=WorkMutation)
