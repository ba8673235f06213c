"""Lists of people: by offset what the consumer surface shows, by keyset everything the tenant has."""

import contextlib
from typing import Any
from uuid import UUID

import msgspec

from app.auth.scopes import Scope
from app.database import Row, Statement
from app.errors import NotFound, ValidationFailed
from models.people import Membership, Person
from services.context import Context
from services.feeds import CHANGED, Feed, FeedPage, FeedRequest, ListPage, ListRequest, feed_page
from services.operations import operation
from services.paging import (
    Condition,
    KeysetPage,
    KeysetRequest,
    Listing,
    OffsetPage,
    OffsetRequest,
    Sort,
    count_rows,
    keyset_page,
    offset_page,
)
from services.people.listing import listed_total
from services.people.names import fold_query, like_pattern
from services.people.orcid import parse_orcid
from services.people.order_rows import ORDER

SEARCH = "search_text LIKE {q} ESCAPE '!'"
MOST_IN_QUERY = 200
TALLIED = "(SELECT t.total FROM tally t WHERE t.tenant = {tenant} AND t.kind = {kind}) AS _total"

#: The contract's columns. A person who was never fetched was last heard of when taken in.
LISTED = Listing(
    source="person",
    columns="orcid_id, name, biography, coalesce(last_fetched_at, created_at) AS last_fetched_at, sync_status, "
    "publication_count",
    sorts={},
    default_sort="name",
    filters={"q": SEARCH},
)
_COUNTED = LISTED._replace(columns=f"{LISTED.columns}, {TALLIED.replace('{kind}', repr('people'))}")
FEED = Feed(
    source="person",
    columns=("orcid_id", "name", "biography", "coalesce(last_fetched_at, created_at) AS last_fetched_at",
             "sync_status", "publication_count", CHANGED),
    filters={"q": SEARCH},
)  # fmt: skip
_ONE = Statement(
    f"SELECT id, {', '.join(FEED.columns)} FROM person "  # noqa: S608 - own words
    "WHERE tenant = {tenant} AND orcid_id = {orcid_id} AND listed"
)
PEOPLE = Listing(
    source="person",
    columns="id, orcid_id, name, biography, last_fetched_at, sync_status, sync_error, publication_count, visible, "
    "listed, created_at, updated_at",
    sorts={
        "name": Sort("sort_name"),
        "orcid_id": Sort("orcid_id"),
        "created_at": Sort("created_at", int),
        "updated_at": Sort("updated_at", int),
        "last_fetched_at": Sort("coalesce(last_fetched_at, 0)", int),
        "publication_count": Sort("publication_count", int),
    },
    default_sort="name",
    filters={
        "q": SEARCH,
        "orcid_id": "orcid_id = {orcid_id}",
        "sync_status": "sync_status = {sync_status}",
        "listed": "listed = {listed}",
        "visible": "visible = {visible}",
    },
)
MEMBERSHIP_COLUMNS = (
    Membership.id,
    Membership.person,
    Membership.affiliation,
    Membership.status,
    Membership.starts_at,
    Membership.ends_at,
    Membership.created_at,
    Membership.updated_at,
)


def folded(filters: dict[str, Any]) -> dict[str, Any]:
    """Filters with `q` as the pattern it is searched by; an empty `q` is none."""
    query = fold_query(filters.get("q") or "")
    rest = {name: value for name, value in filters.items() if name != "q"}
    return rest | ({"q": like_pattern(query)} if query else {})


async def listed_page(context: Context, listing: Listing, kind: str, request: OffsetRequest, order: str) -> OffsetPage:
    """A page of what is listed, with its exact total: one statement, or two where a filter must be counted."""
    filters = folded({"q": request.q, **request.filters})
    where = [Condition("tenant = {tenant}", {"tenant": context.tenant}), Condition("listed")]
    where += [Condition(listing.filters[name], {name: value}) for name, value in filters.items()]
    if not filters:
        return await tallied_page(context, listing, kind, where, request, order)
    rows = await offset_page(context.database, listing, where, order, request.page, request.per_page)
    whole = request.page == 1 and len(rows) < request.per_page
    return OffsetPage(rows, len(rows) if whole else await count_rows(context.database, listing, where))


async def tallied_page(
    context: Context, listing: Listing, kind: str, where: list[Condition], request: OffsetRequest, order: str
) -> OffsetPage:
    """A page of all that is listed; the tally comes with its rows."""
    tallied = listing._replace(columns=f"{listing.columns}, {TALLIED}")
    counted = [*where, Condition("true", {"kind": kind})]
    rows = await offset_page(context.database, tallied, counted, order, request.page, request.per_page)
    total = rows[0]["_total"] if rows else await listed_total(context.database, context.tenant, kind)
    return OffsetPage(rows, int(total or 0))


@operation(scope=Scope.PEOPLE_READ, raises=[ValidationFailed])
async def list_people(context: Context, request: ListRequest) -> ListPage:
    """List people: a page by offset or of the feed shows what is listed to consumers, one by keyset all of them."""
    if isinstance(request, FeedRequest):
        return await followed_page(context, FEED, request)
    if isinstance(request, KeysetRequest):
        return await searched_page(context, PEOPLE, request)
    order, offset, query = context.runtime.listed_order, (request.page - 1) * request.per_page, fold_query(request.q)
    if query:
        found = await order.search(context.tenant, LISTED, query, offset, request.per_page)
    else:
        found = await order.page(context.tenant, LISTED, offset, request.per_page)
    return found if found is not None else await _plain_page(context, request, searched=bool(query))


async def _plain_page(context: Context, request: OffsetRequest, *, searched: bool) -> OffsetPage:
    """A page by the database alone; how long the whole list is comes with it."""
    found = await listed_page(context, _COUNTED if searched else LISTED, "people", request, ORDER)
    total = found.total
    if searched and found.rows:
        total = int(found.rows[0]["_total"] or 0)
    elif searched and request.page == 1:
        total = await listed_total(context.database, context.tenant, "people")
    context.runtime.listed_order.learn(context.tenant, total)
    return found


async def followed_page(context: Context, feed: Feed, request: FeedRequest) -> FeedPage:
    """A page of a feed whose filters may hold a `q`."""
    return await feed_page(context, feed, msgspec.structs.replace(request, filters=folded(request.filters)))


@operation(scope=Scope.PEOPLE_READ, raises=[NotFound])
async def get_person(context: Context, orcid_id: str) -> Row:
    """The listed person of an ORCID iD, as consumers see them."""
    return await listed_person(context, orcid_id)


async def listed_person(context: Context, orcid_id: str) -> Row:
    """Raises NotFound for an iD that is none, or whose person is not listed: the two are not told apart."""
    with contextlib.suppress(ValidationFailed):
        rows = await context.database.fetch(_ONE, tenant=context.tenant, orcid_id=parse_orcid(orcid_id))
        if rows:
            return rows[0]
    raise NotFound("No person of this ORCID iD is listed.")


async def searched_page(context: Context, listing: Listing, request: KeysetRequest) -> KeysetPage:
    """A keyset page whose filters may hold a `q`. Raises ValidationFailed for one that is too long."""
    if len(request.filters.get("q") or "") > MOST_IN_QUERY:
        raise ValidationFailed({"q": f"must be at most {MOST_IN_QUERY} characters"})
    request = msgspec.structs.replace(request, filters=folded(request.filters))
    return await keyset_page(context.database, context.tenant, listing, request)


@operation(scope=Scope.PEOPLE_READ)
async def list_memberships(context: Context, people: list[UUID]) -> list[dict[str, Any]]:
    """List the memberships of these people, the oldest first."""
    if not people:
        return []
    return await (
        Membership.of(context.tenant)
        .select(*MEMBERSHIP_COLUMNS)
        .where(Membership.person.is_in(people))
        .order_by(Membership.created_at, Membership.id)
    )


@operation(scope=Scope.PEOPLE_READ)
async def get_memberships(context: Context, memberships: list[UUID]) -> list[dict[str, Any]]:
    """The memberships of these ids that the tenant has, in no order."""
    if not memberships:
        return []
    return await Membership.of(context.tenant).select(*MEMBERSHIP_COLUMNS).where(Membership.id.is_in(memberships))


@operation(scope=Scope.PEOPLE_READ)
async def get_people(context: Context, people: list[UUID]) -> list[dict[str, Any]]:
    """The people of these ids that the tenant has, in no order."""
    if not people:
        return []
    return await Person.of(context.tenant).select(*Person.all_columns()).where(Person.id.is_in(people))
