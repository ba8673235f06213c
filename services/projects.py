"""Projects of the workspace."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from app.auth.scopes import Scope
from app.errors import NotFound, ValidationFailed, VersionConflict
from models.people import Project
from services import fields
from services.changes import bury, hold_listing
from services.context import Context
from services.feeds import CHANGED, Feed, FeedRequest, ListPage, ListRequest
from services.finding import find_row
from services.operations import operation
from services.paging import (
    Condition,
    KeysetRequest,
    Listing,
    OffsetPage,
    Sort,
    count_rows,
    offset_page,
)
from services.people.listing import add_to_tallies
from services.people.names import fold_query
from services.people.reading import SEARCH, folded, followed_page, searched_page, tallied_page

#: Lists are sorted by it: an entry of an index holds 2,704 bytes (PostgreSQL), and folding may lengthen a text.
_MOST_SEARCHED = 600
STATUSES = ("planned", "active", "completed", "cancelled")
_COLUMNS = "id, title, acronym, funder, start_date, end_date, status"
LISTED = Listing("project", _COLUMNS, {}, "title", {"q": SEARCH})
FEED = Feed("project", (*_COLUMNS.split(", "), CHANGED), {"q": SEARCH}, listed="TRUE", buried="projects")
PROJECTS = Listing(
    source="project",
    columns=f"{_COLUMNS}, created_at, updated_at, version",
    sorts={"title": Sort("search_text"), "created_at": Sort("created_at", int), "updated_at": Sort("updated_at", int)},
    default_sort="title",
    filters={"q": SEARCH, "status": "status = {status}"},
)


class ProjectFields(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A project as it is to be; days as YYYY-MM-DD."""

    title: str
    acronym: str | None = None
    funder: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    status: str = "active"


def _checked(given: ProjectFields) -> dict[str, Any]:
    title = fields.required_text("title", given.title, most=500)
    start, end = fields.day("start_date", given.start_date), fields.day("end_date", given.end_date)
    if start and end and end < start:
        raise ValidationFailed({"end_date": "must not be before start_date"})
    acronym = fields.text("acronym", given.acronym, most=60, required=False)
    return {
        "title": title,
        "search_text": "\n".join(fold_query(text) for text in (title, acronym) if text)[:_MOST_SEARCHED],
        "acronym": acronym,
        "funder": fields.text("funder", given.funder, most=300, required=False),
        "start_date": start,
        "end_date": end,
        "status": fields.one_of("status", given.status, STATUSES),
    }


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("title", "acronym", "funder", "start_date", "end_date", "status")}


@operation(scope=Scope.PROJECTS_READ, raises=[ValidationFailed])
async def list_projects(context: Context, request: ListRequest) -> ListPage:
    """List the workspace's projects: by title, or as a feed."""
    if isinstance(request, FeedRequest):
        return await followed_page(context, FEED, request)
    if isinstance(request, KeysetRequest):
        return await searched_page(context, PROJECTS, request)
    filters = folded({"q": request.q})
    where = [Condition("tenant = {tenant}", {"tenant": context.tenant})]
    where += [Condition(LISTED.filters[name], {name: value}) for name, value in filters.items()]
    if not filters:
        return await tallied_page(context, LISTED, "projects", where, request, "search_text, id")
    rows = await offset_page(context.database, LISTED, where, "search_text, id", request.page, request.per_page)
    return OffsetPage(rows, await count_rows(context.database, LISTED, where))


@operation(scope=Scope.PROJECTS_READ)
async def get_projects(context: Context, projects: list[UUID]) -> list[dict[str, Any]]:
    """The projects of these ids that the tenant has, in no order."""
    if not projects:
        return []
    return await Project.of(context.tenant).select(*Project.all_columns()).where(Project.id.is_in(projects))


@operation(scope=Scope.PROJECTS_WRITE, audit="project.created", writes=True, raises=[ValidationFailed])
async def create_project(context: Context, request: ProjectFields) -> dict[str, Any]:
    """Add a project."""
    values, change = _checked(request), await hold_listing(context)
    row = values | {"created_at": context.now, "updated_at": context.now, "version": 1, "changed_at": change.at}
    made = await Project.of(context.tenant).insert(row)
    await add_to_tallies(context.database, context.tenant, Counter(projects=1))
    context.note("project", made[0]["id"], after=_shown(values))
    return await _find(context, made[0]["id"])


@operation(
    scope=Scope.PROJECTS_WRITE,
    audit="project.updated",
    writes=True,
    raises=[NotFound, ValidationFailed, VersionConflict],
)
async def update_project(
    context: Context, project_id: UUID, request: ProjectFields, version: int | None = None
) -> dict[str, Any]:
    """Replace a project's fields; `version` guards against a lost update."""
    values, change = _checked(request), await hold_listing(context)
    before = await _find(context, project_id)
    if version is not None and version != before["version"]:
        raise VersionConflict(version=before["version"])
    expected = before["version"]
    changed = await (
        Project.of(context.tenant)
        .update(values | {"updated_at": context.now, "version": expected + 1, "changed_at": change.at})
        .where((Project.id == project_id) & (Project.version == expected))
        .returning(Project.id)
    )
    if not changed:
        raise VersionConflict(version=before["version"])
    context.note("project", project_id, before=_shown(before), after=_shown(values))
    return await _find(context, project_id)


@operation(scope=Scope.PROJECTS_WRITE, audit="project.deleted", writes=True, raises=[NotFound])
async def delete_project(context: Context, project_id: UUID) -> dict[str, Any]:
    """Delete a project."""
    change = await hold_listing(context)
    before = await _find(context, project_id)
    gone = await Project.of(context.tenant).delete().where(Project.id == project_id).returning(Project.id)
    if not gone:
        raise NotFound("There is no such project.")
    await bury(change, "projects", project_id)
    await add_to_tallies(context.database, context.tenant, Counter(projects=-1))
    context.note("project", project_id, before={name: before[name] for name in ("title", "acronym", "status")})
    return before


async def _find(context: Context, project_id: UUID) -> dict[str, Any]:
    return await find_row(Project, context.tenant, project_id)
