"""Works: what the tenant's people made that has no DOI. Only verified ones are shown to consumers."""

from typing import Any
from uuid import UUID

from app.auth.scopes import Scope
from app.database import Row
from app.errors import NotFound, ValidationFailed
from models.people import Work
from services.changes import hold_listing
from services.context import Context
from services.feeds import CHANGED, Feed, FeedRequest, ListPage, ListRequest
from services.finding import find_row
from services.operations import operation
from services.paging import Listing, OffsetRequest, Owned, Sort, owned_rows
from services.people.listing import refresh_people
from services.people.reading import SEARCH, followed_page, listed_page, searched_page

_COLUMNS = "id, title, work_type, publication_date, publication_year, url, created_at"
_FILTERS = {
    "q": SEARCH,
    "work_type": "work_type = {work_type}",
    "publication_year": "publication_year = {publication_year}",
}
_SORTS = {
    "created_at": Sort("created_at", int),
    "publication_date": Sort("coalesce(publication_date, '')"),
    "publication_year": Sort("coalesce(publication_year, 0)", int),
}
LISTED = Listing("work", _COLUMNS, _SORTS, "created_at", _FILTERS)
FEED = Feed("work", (*_COLUMNS.split(", "), CHANGED), _FILTERS)
WORKS = Listing(
    source="work",
    columns=f"{_COLUMNS}, person, put_code, verified, reviewed, visible, listed, deleted_at",
    sorts=_SORTS,
    default_sort="created_at",
    filters=_FILTERS
    | {
        "listed": "listed = {listed} AND deleted_at IS NULL",
        "verified": "verified = {verified}",
        "reviewed": "reviewed = {reviewed}",
        "visible": "visible = {visible}",
        "person": "person = {person}",
        "deleted": "(deleted_at IS NOT NULL) = {deleted}",
    },
)
_MADE = Owned(
    source="work",
    columns=WORKS.columns,
    owner="person",
    tenant="tenant",
    order="coalesce(publication_date, cast(publication_year AS text), '') DESC, id DESC",
    where="deleted_at IS NULL",
)


@operation(scope=Scope.WORKS_READ, raises=[ValidationFailed])
async def list_works(context: Context, request: ListRequest) -> ListPage:
    """List works: a page by offset or of the feed shows what is listed to consumers, one by keyset all of them."""
    if isinstance(request, FeedRequest):
        return await followed_page(context, FEED, request)
    if isinstance(request, OffsetRequest):
        sort = LISTED.sorts[request.sort or LISTED.default_sort].sql
        way = "DESC" if request.descending else "ASC"
        return await listed_page(context, LISTED, "works", request, f"{sort} {way}, id {way}")
    return await searched_page(context, WORKS, request)


@operation(scope=Scope.WORKS_READ)
async def list_person_works(context: Context, people: list[UUID], most: int) -> list[Row]:
    """List up to `most` works of each of these people, the latest first; rows name their `owner`."""
    return await owned_rows(context.database, context.tenant, _MADE, people, most)


@operation(scope=Scope.WORKS_READ)
async def get_works(context: Context, works: list[UUID]) -> list[dict[str, Any]]:
    """The works of these ids that the tenant has, in no order."""
    if not works:
        return []
    return await Work.of(context.tenant).select(*Work.all_columns()).where(Work.id.is_in(works))


@operation(scope=Scope.WORKS_WRITE, audit="work.reviewed", writes=True, raises=[NotFound])
async def review_work(context: Context, work_id: UUID, verified: bool) -> dict[str, Any]:
    """Say whether a work is what it claims to be; a later sync does not overrule it."""
    return await _change(context, work_id, {"verified": verified, "reviewed": True})


@operation(scope=Scope.WORKS_WRITE, audit="work.visibility_set", writes=True, raises=[NotFound])
async def set_work_visibility(context: Context, work_id: UUID, visible: bool) -> dict[str, Any]:
    """Show a work to consumers, or hide it."""
    return await _change(context, work_id, {"visible": visible})


async def _change(context: Context, work_id: UUID, values: dict[str, Any]) -> dict[str, Any]:
    change = await hold_listing(context)
    before = await _find(context, work_id)
    await Work.of(context.tenant).update(values).where(Work.id == work_id)
    await refresh_people(change, [before["person"]])
    context.note("work", work_id, before={name: before[name] for name in values}, after=values)
    return await _find(context, work_id)


async def _find(context: Context, work_id: UUID) -> dict[str, Any]:
    return await find_row(Work, context.tenant, work_id)
