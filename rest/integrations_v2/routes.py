"""The nine endpoints. Each takes typed input, calls one operation, and shapes the answer."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from app.errors import OriginNotFound
from rest.integrations_v2 import REVISION, items, queries, shapes
from rest.integrations_v2.answers import answer, answer_bytes
from rest.integrations_v2.described import WORDS, answers_of
from rest.integrations_v2.entry import admit
from rest.integrations_v2.pages import FollowedList, page_body, read_page
from rest.integrations_v2.queries import Query, feed_request
from services.context import Context
from services.feeds import FeedPage, FeedRequest
from services.installations import get_own_installation
from services.operations import declared
from services.origins.registry import check_own_origin
from services.people.reading import get_person, list_people
from services.projects import list_projects
from services.publications import list_publications, list_publications_by
from services.works import list_works

Asked = Request[Any, Any, Any]
_PAGE = ("limit", "cursor")


def contract_get(
    path: str, operation: Callable[..., Any], *, parameters: tuple[str, ...] = (), **opt: Any
) -> Callable[[Any], HTTPRouteHandler]:
    """A GET whose scope, security and answers in the document come from the operation that it calls."""
    found = declared(operation)
    words = WORDS[found.name]
    return get(
        path,
        operation_id=words.operation_id,
        guards=[admit],
        opt={
            "operation": operation,
            "operation_id": words.operation_id,
            "parameters": frozenset(parameters),
            "walk": "cursor" in parameters,
            **opt,
        },
        security=[{"ApiKey": [str(found.scope)] if found.scope else []}],
        responses=answers_of(found, parameters),
        summary=words.summary,
        description=words.description,
        tags=[found.domain],
    )


def _context(request: Asked) -> Context:
    context: Context = request.scope["state"]["context"]
    return context


def _query(request: Asked) -> Query:
    query: Query = request.scope["state"]["query"]
    return query


async def _page(request: Asked, which: FollowedList, asked: FeedRequest) -> Response[Any]:
    return answer_bytes(request, (await read_page(request.scope, which, asked)).body)


def contract_list(path: str, which: FollowedList, *filters: str) -> Callable[[Any], HTTPRouteHandler]:
    """A list that is followed; its handler only checks the query."""
    parameters = (*_PAGE, "updated_since", "q", *filters)
    return contract_get(path, which.operation, parameters=parameters, list=which)


_PEOPLE = FollowedList("people", list_people, items.followed_person)
_PUBLICATIONS = FollowedList("publications", list_publications, items.followed_publication)
_WORKS = FollowedList("works", list_works, items.followed_work)
_PROJECTS = FollowedList("projects", list_projects, items.followed_project)


@get("/health", operation_id="get_health", **WORDS["get_health"].kwargs())
async def get_health() -> shapes.Health:
    return shapes.Health("ok", REVISION)


@contract_get("/installation", get_own_installation)
async def get_installation(request: Asked) -> Response[shapes.InstallationAnswer]:
    found = await get_own_installation(_context(request))
    return answer(request, shapes.InstallationAnswer(items.installation(found["installation"], found["origins"])))


@contract_list("/people", _PEOPLE)
async def get_people(
    request: Asked,
    limit: queries.Limit = 50,
    cursor: queries.CursorText = None,
    updated_since: queries.UpdatedSince = None,
    q: queries.Q = None,
) -> Response[shapes.PeoplePage]:
    asked = feed_request(_query(request), limit, updated_since, q=q)
    return await _page(request, _PEOPLE, asked)


@contract_get("/people/{orcid_id:str}", get_person)
async def get_one_person(request: Asked, orcid_id: queries.OrcidId) -> Response[shapes.PersonAnswer]:
    return answer(request, {"person": items.person(await get_person(_context(request), orcid_id))})


@contract_get("/people/{orcid_id:str}/publications", list_publications_by, parameters=_PAGE)
async def get_publications_of_person(
    request: Asked, orcid_id: queries.OrcidId, limit: queries.Limit = 50, cursor: queries.CursorText = None
) -> Response[shapes.PersonPublicationsPage]:
    found: FeedPage = await list_publications_by(_context(request), orcid_id, feed_request(_query(request), limit))
    if found.after is not None:
        await _context(request).runtime.gate.reserve(request.scope["state"]["approach"])
    return answer(request, page_body(request.scope, "publications", found, items.followed_publication))


@contract_list("/publications", _PUBLICATIONS, "publication_type", "publication_year", "min_cited_by")
async def get_publications(
    request: Asked,
    limit: queries.Limit = 50,
    cursor: queries.CursorText = None,
    updated_since: queries.UpdatedSince = None,
    q: queries.Q = None,
    publication_type: queries.Kind = None,
    publication_year: queries.Year = None,
    min_cited_by: queries.CitedBy = None,
) -> Response[shapes.PublicationsPage]:
    filters = {
        "publication_type": publication_type, "publication_year": publication_year, "min_cited_by": min_cited_by,
    }  # fmt: skip
    asked = feed_request(_query(request), limit, updated_since, q=q, **filters)
    return await _page(request, _PUBLICATIONS, asked)


@contract_list("/works", _WORKS, "work_type", "publication_year")
async def get_works(
    request: Asked,
    limit: queries.Limit = 50,
    cursor: queries.CursorText = None,
    updated_since: queries.UpdatedSince = None,
    q: queries.Q = None,
    work_type: queries.WorkKind = None,
    publication_year: queries.Year = None,
) -> Response[shapes.WorksPage]:
    filters = {"work_type": work_type, "publication_year": publication_year}
    asked = feed_request(_query(request), limit, updated_since, q=q, **filters)
    return await _page(request, _WORKS, asked)


@contract_list("/projects", _PROJECTS)
async def get_projects(
    request: Asked,
    limit: queries.Limit = 50,
    cursor: queries.CursorText = None,
    updated_since: queries.UpdatedSince = None,
    q: queries.Q = None,
) -> Response[shapes.ProjectsPage]:
    asked = feed_request(_query(request), limit, updated_since, q=q)
    return await _page(request, _PROJECTS, asked)


@contract_get("/verify/{origin_id:str}", check_own_origin, pending_too=True)
async def get_verification(request: Asked, origin_id: queries.OriginId) -> Response[shapes.OriginAnswer]:
    found = await check_own_origin(_context(request), _uuid(origin_id))
    return answer(request, shapes.OriginAnswer(items.origin(found)))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise OriginNotFound from None


ROUTES = [
    get_health, get_installation, get_people, get_one_person, get_publications_of_person, get_publications, get_works,
    get_projects, get_verification,
]  # fmt: skip
