"""Publications: what the tenant's people wrote, by DOI."""

from typing import Any
from uuid import UUID

import msgspec

from app.auth.scopes import Scope
from app.database import Row
from app.errors import NotFound, ValidationFailed
from models.people import Publication
from services.changes import hold_listing
from services.context import Context
from services.feeds import CHANGED, Feed, FeedPage, FeedRequest, ListPage, ListRequest, feed_page
from services.finding import find_row
from services.operations import operation
from services.paging import Listing, OffsetRequest, Owned, Sort, owned_rows
from services.people.listing import refresh_authors
from services.people.reading import SEARCH, followed_page, listed_page, listed_person, searched_page

_COLUMNS = "id, doi, title, publication_date, publication_year, publication_type, cited_by_count, last_fetched_at"
_FILTERS = {
    "q": SEARCH,
    "publication_type": "publication_type = {publication_type}",
    "publication_year": "publication_year = {publication_year}",
    "min_cited_by": "cited_by_count >= {min_cited_by}",
}
_SORTS = {
    "last_fetched_at": Sort("last_fetched_at", int),
    "publication_date": Sort("coalesce(publication_date, '')"),
    "cited_by_count": Sort("cited_by_count", int),
}
LISTED = Listing("publication", _COLUMNS, _SORTS, "last_fetched_at", _FILTERS)
FEED = Feed("publication", (*_COLUMNS.split(", "), CHANGED), _FILTERS)
#: By the index of authorships: those of one person, in the order of the publications' ids.
_FEED_OF_ONE = Feed(
    source=f"(SELECT a.publication AS id, {_COLUMNS.removeprefix('id, ')}, p.tenant, listed, changed_at, created_at, "  # noqa: S608
    "a.person AS author FROM authorship a JOIN publication p ON p.id = a.publication) authored",
    columns=FEED.columns,
    filters={"author": "author = {author}"},
)
PUBLICATIONS = Listing(
    source="publication",
    columns=f"{_COLUMNS}, visible, listed, created_at",
    sorts=_SORTS | {"created_at": Sort("created_at", int)},
    default_sort="last_fetched_at",
    filters=_FILTERS
    | {
        "listed": "listed = {listed}",
        "visible": "visible = {visible}",
        "doi": "doi = {doi}",
        "person": "id IN (SELECT publication FROM authorship WHERE person = {person})",
    },
)
_AUTHORED = Owned(
    source="authorship JOIN publication ON publication.id = authorship.publication",
    columns=", ".join(f"publication.{name.strip()}" for name in PUBLICATIONS.columns.split(",")),
    owner="authorship.person",
    tenant="authorship.tenant",
    order="coalesce(publication_date, cast(publication_year AS text), '') DESC, publication.id DESC",
)


@operation(scope=Scope.PUBLICATIONS_READ, raises=[ValidationFailed])
async def list_publications(context: Context, request: ListRequest) -> ListPage:
    """List publications: a page by offset or of the feed shows what is listed, one by keyset all of them."""
    if isinstance(request, FeedRequest):
        return await followed_page(context, FEED, request)
    if isinstance(request, OffsetRequest):
        sort = LISTED.sorts[request.sort or LISTED.default_sort].sql
        way = "DESC" if request.descending else "ASC"
        return await listed_page(context, LISTED, "publications", request, f"{sort} {way}, id {way}")
    return await searched_page(context, PUBLICATIONS, request)


@operation(scope=Scope.PUBLICATIONS_READ)
async def get_publications(context: Context, publications: list[UUID]) -> list[dict[str, Any]]:
    """The publications of these ids that the tenant has, in no order."""
    if not publications:
        return []
    rows = Publication.of(context.tenant).select(*Publication.all_columns())
    return await rows.where(Publication.id.is_in(publications))


@operation(scope=Scope.PUBLICATIONS_READ)
async def list_person_publications(context: Context, people: list[UUID], most: int) -> list[Row]:
    """List up to `most` publications of each of these people, the latest first; rows name their `owner`."""
    return await owned_rows(context.database, context.tenant, _AUTHORED, people, most)


@operation(scope=Scope.PUBLICATIONS_READ, raises=[NotFound])
async def list_publications_by(context: Context, orcid_id: str, request: FeedRequest) -> FeedPage:
    """List what a listed person wrote and is listed itself."""
    person = await listed_person(context, orcid_id)
    filters = {"author": UUID(str(person["id"]))}
    return await feed_page(context, _FEED_OF_ONE, msgspec.structs.replace(request, filters=filters))


@operation(scope=Scope.PUBLICATIONS_WRITE, audit="publication.visibility_set", writes=True, raises=[NotFound])
async def set_publication_visibility(context: Context, publication_id: UUID, visible: bool) -> dict[str, Any]:
    """Show a publication to consumers, or hide it."""
    change = await hold_listing(context)
    before = await _find(context, publication_id)
    await Publication.of(context.tenant).update({"visible": visible}).where(Publication.id == publication_id)
    await refresh_authors(change, publication_id)
    context.note("publication", publication_id, before={"visible": before["visible"]}, after={"visible": visible})
    return await _find(context, publication_id)


async def _find(context: Context, publication_id: UUID) -> dict[str, Any]:
    return await find_row(Publication, context.tenant, publication_id)
