"""Projects of the workspace."""

from collections.abc import Mapping
from dataclasses import asdict
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import strawberry

from graph.connections import After, Before, Connection, First, Last, page_request
from graph.loaders import loader
from graph.parts import Part
from graph.problems import Problem
from graph.relay import Node, from_global_id, id_column, register_node
from graph.request import Info
from graph.requires import mutation_field, operation_field
from graph.rows import column
from graph.scalars import Date, DateTime
from graph.sorting import Direction, SortDirection, filters_of, keyset, stored
from services.context import Context
from services.projects import (
    ProjectFields,
    create_project,
    delete_project,
    get_projects,
    list_projects,
    update_project,
)


@strawberry.enum(description="How far a project is.")
class ProjectStatus(Enum):
    PLANNED = strawberry.enum_value("planned", description="It has not begun.")
    ACTIVE = strawberry.enum_value("active", description="It is going on.")
    COMPLETED = strawberry.enum_value("completed", description="It has come to its end.")
    CANCELLED = strawberry.enum_value("cancelled", description="It was given up.")


@strawberry.enum(description="What projects are sorted by.")
class ProjectSort(Enum):
    TITLE = strawberry.enum_value("title", description="The title, without regard to case and accents.")
    CREATED_AT = strawberry.enum_value("created_at", description="When it was entered.")
    UPDATED_AT = strawberry.enum_value("updated_at", description="When it was last changed.")


@strawberry.input(description="Which projects to list; what is left out does not matter.")
class ProjectFilter:
    q: str | None = strawberry.field(default=None, description="Part of the title or the acronym.")
    status: ProjectStatus | None = strawberry.field(default=None, description="How far it is.")


@strawberry.input(description="A project as it is to be; what is left out is empty.")
class ProjectInput:
    title: str = strawberry.field(description="The title, at most 500 characters.")
    acronym: str | None = strawberry.field(default=None, description="The acronym, at most 60 characters.")
    funder: str | None = strawberry.field(default=None, description="Who pays for it, at most 300 characters.")
    start_date: Date | None = strawberry.field(default=None, description="The first day.")
    end_date: Date | None = strawberry.field(default=None, description="The last day; not before the first.")
    status: ProjectStatus = strawberry.field(default=ProjectStatus.ACTIVE, description="How far it is.")

    def request(self) -> ProjectFields:
        return ProjectFields(**asdict(self) | {"status": stored(self.status)})


@strawberry.type(description="A project of the workspace.")
class Project(Node):
    id: strawberry.ID = id_column("Project")
    title: str = column(description="The title.")
    acronym: str | None = column(description="The acronym.")
    funder: str | None = column(description="Who pays for it.")
    start_date: Date | None = column(description="The first day.")
    end_date: Date | None = column(description="The last day.")
    status: ProjectStatus = column(description="How far it is.")
    created_at: DateTime = column(description="When it was entered.")
    updated_at: DateTime = column(description="When it was last changed.")
    version: int = column(description="Goes up with each change; guards against a lost update.")


async def find_projects(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    return {row["id"]: row for row in await get_projects(context, ids)}


@loader
async def projects_by_id(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    """The projects of these ids."""
    return await find_projects(context, ids)


Id = Annotated[strawberry.ID, strawberry.argument(description="The project's id.")]
Filter = Annotated[ProjectFilter | None, strawberry.argument(description="Which projects to list.")]
Sort = Annotated[ProjectSort, strawberry.argument(description="What to sort by.")]
Input = Annotated[ProjectInput, strawberry.argument(description="The project as it is to be.")]
Version = Annotated[
    int | None, strawberry.argument(description="The version that was read; the change is refused where it is old.")
]


@strawberry.type
class ProjectQuery:
    @operation_field(list_projects, Connection[Project] | None, description="All projects, page by page.")
    async def projects(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        filter: Filter = None,
        sort: Sort = ProjectSort.TITLE,
        direction: Direction = SortDirection.ASC,
    ) -> Any:
        request = page_request(
            first, last, after, before, sort=stored(sort), descending=direction.descending, filters=filters_of(filter)
        )
        return keyset(await list_projects(info.context.context, request))

    @operation_field(get_projects, Project | None, description="One project; null where there is none.")
    async def project(self, info: Info, id: Id) -> Any:
        return await projects_by_id.load(info.context, from_global_id(str(id), "Project"))


@strawberry.type(description="The answer to createProject.")
class CreateProjectPayload:
    project: Project | None = column(description="The project that was made.")
    errors: list[Problem] = column(description="Why none was made; empty where one was.")


@strawberry.type(description="The answer to updateProject.")
class UpdateProjectPayload:
    project: Project | None = column(description="The project as it is now.")
    errors: list[Problem] = column(description="Why nothing was changed; empty where it was.")


@strawberry.type(description="The answer to deleteProject.")
class DeleteProjectPayload:
    project: Project | None = column(description="The project as it was.")
    errors: list[Problem] = column(description="Why nothing was deleted; empty where it was.")


@strawberry.type
class ProjectMutation:
    @mutation_field(create_project, CreateProjectPayload, "project")
    async def create_project(self, info: Info, input: Input) -> Any:
        return await create_project(info.context.context, input.request())

    @mutation_field(update_project, UpdateProjectPayload, "project")
    async def update_project(self, info: Info, id: Id, input: Input, version: Version = None) -> Any:
        project = from_global_id(str(id), "Project")
        return await update_project(info.context.context, project, input.request(), version)

    @mutation_field(delete_project, DeleteProjectPayload, "project")
    async def delete_project(self, info: Info, id: Id) -> Any:
        return await delete_project(info.context.context, from_global_id(str(id), "Project"))


register_node("Project", find_projects)
PART = Part(query=ProjectQuery, mutation=ProjectMutation)
