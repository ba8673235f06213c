"""Installations, read."""

from enum import Enum
from typing import Annotated, Any, TypeAlias

import strawberry

from graph.connections import After, Before, Connection, First, Last, Page, page_request
from graph.installations.types import Installation, InstallationStatus, Platform
from graph.relay import from_global_id
from graph.request import Info
from graph.requires import operation_field
from graph.sorting import Direction, SortDirection, filters_of
from services.installations import get_installation
from services.installations.reading import list_installations


@strawberry.enum(description="What installations are sorted by.")
class InstallationSort(Enum):
    CREATED_AT = strawberry.enum_value("created_at", description="When they were made.")
    UPDATED_AT = strawberry.enum_value("updated_at", description="When they were changed last.")
    DISPLAY_NAME = strawberry.enum_value("display_name", description="Their names, case-insensitive.")


@strawberry.input(description="Which installations: those that pass everything that is given.")
class InstallationFilter:
    status: InstallationStatus | None = strawberry.field(default=None, description="In this status.")
    platform: Platform | None = strawberry.field(default=None, description="On this platform.")
    archived: bool | None = strawberry.field(
        default=None, description="Archived or not; where neither this nor a status is given, those that are not."
    )


Filter: TypeAlias = Annotated[
    InstallationFilter | None, strawberry.argument(description="Which installations; all but archived where absent.")
]
Sort: TypeAlias = Annotated[InstallationSort, strawberry.argument(description="What to sort by.")]


@strawberry.type
class InstallationQuery:
    @operation_field(list_installations, Connection[Installation])
    async def installations(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        filter: Filter = None,
        sort: Sort = InstallationSort.CREATED_AT,
        direction: Direction = SortDirection.ASC,
    ) -> Any:
        order: Any = {"sort": sort.value, "descending": direction.descending}
        request = page_request(first, last, after, before, filters=filters_of(filter), **order)
        return Page(await list_installations(info.context.context, request))

    @operation_field(get_installation, Installation | None, absent=True)
    async def installation(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The installation's id.")]
    ) -> Any:
        return await get_installation(info.context.context, from_global_id(id, "Installation"))
