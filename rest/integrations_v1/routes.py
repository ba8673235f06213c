"""The seven endpoints. Each takes typed input, calls one operation, and shapes the answer."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.enums import MediaType
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Raw

from app.errors import OriginNotFound
from rest.integrations_v1 import PREFIX, REVISION, queries, shapes
from rest.integrations_v1.described import WORDS, errors_of
from rest.integrations_v1.entry import admit
from rest.integrations_v1.pages import ContractList, read_page
from services.context import Context
from services.installations import get_own_installation
from services.operations import declared
from services.origins.registry import check_own_origin
from services.paging import OffsetRequest
from services.people.reading import list_people
from services.projects import list_projects
from services.publications import list_publications
from services.works import list_works

T = TypeVar("T")
Asked = Request[Any, Any, Any]
_JSON = MediaType.JSON


def contract_get(path: str, operation: Callable[..., Any], **opt: Any) -> Callable[[Any], HTTPRouteHandler]:
    """A GET whose scope, security and errors in the document come from the operation that it calls."""
    found = declared(operation)
    scopes = [str(found.scope)] if found.scope else []
    return get(
        path,
        operation_id=found.name,
        guards=[admit],
        opt={"operation": operation, **opt},
        security=[{"ApiKey": scopes}],
        responses=errors_of(found, listed=bool(opt.get("walk"))),
        summary=WORDS[found.name].summary,
        description=WORDS[found.name].description,
        tags=[found.domain],
    )


def _context(request: Asked) -> Context:
    context: Context = request.scope["state"]["context"]
    return context


def contract_list(path: str, which: ContractList) -> Callable[[Any], HTTPRouteHandler]:
    """A list; its handler only checks the query."""
    return contract_get(path, which.operation, walk=True, list=which)


async def _page(request: Asked, which: ContractList, asked: OffsetRequest) -> Response[Any]:
    page = await read_page(request.scope, which, asked)
    return Response(page.body, media_type=_JSON)


class _Person(msgspec.Struct):
    """A person on the wire: JSON columns go through as they are stored."""

    orcid_id: str
    name: Raw
    biography: Raw
    last_fetched_at: int
    sync_status: str
    publication_count: int


_NULL = Raw(b"null")


def _raw(text: str | None) -> Raw:
    return _NULL if text is None else Raw(text)


def _person(r: Any) -> _Person:
    return _Person(r[0], Raw(r[1]), Raw(r[2]) if r[2] else _NULL, r[3], r[4], r[5])


def _publication(r: Any) -> dict[str, Any]:
    return {
        "doi": r["doi"],
        "title": _raw(r["title"]),
        "doi_url": f"https://doi.org/{r['doi']}",
        "publication_date": r["publication_date"],
        "publication_year": r["publication_year"],
        "publication_type": r["publication_type"],
        "cited_by_count": r["cited_by_count"],
        "last_fetched_at": r["last_fetched_at"],
    }


def _work(r: Any) -> dict[str, Any]:
    return {
        "id": str(r["id"]),
        "title": r["title"],
        "work_type": r["work_type"],
        "publication_date": r["publication_date"],
        "publication_year": r["publication_year"],
        # A work with a DOI is a publication and is listed there.
        "doi": None,
        "url": r["url"],
        "created_at": r["created_at"],
    }


def _project(r: Any) -> dict[str, Any]:
    names = ("title", "acronym", "funder", "start_date", "end_date", "status")
    return {"id": str(r["id"])} | {name: r[name] for name in names}


_PEOPLE = ContractList("people", list_people, _person)
_PUBLICATIONS = ContractList("publications", list_publications, _publication)
_WORKS = ContractList("works", list_works, _work)
_PROJECTS = ContractList("projects", list_projects, _project)


@get("/health", operation_id="get_health", **WORDS["get_health"].kwargs())
async def get_health() -> shapes.Health:
    return shapes.Health("ok", REVISION)


@contract_get("/installation", get_own_installation)
async def get_installation(request: Asked) -> shapes.InstallationAnswer:
    found = await get_own_installation(_context(request))
    return shapes.InstallationAnswer(_installation(found["installation"], found["origins"]))


@contract_list("/people", _PEOPLE)
async def get_people(
    request: Asked, page: queries.Page = 1, per_page: queries.PerPage = 20, q: queries.Q = ""
) -> Response[shapes.PeoplePage]:
    asked = OffsetRequest(page=page, per_page=per_page, q=queries.checked_q(q))
    return await _page(request, _PEOPLE, asked)


@contract_list("/publications", _PUBLICATIONS)
async def get_publications(
    request: Asked,
    page: queries.Page = 1,
    per_page: queries.PerPage = 20,
    q: queries.Q = "",
    sort: queries.PublicationSort = "last_fetched_at",
    direction: queries.Direction = "desc",
    publication_type: queries.Kind = None,
    publication_year: queries.Year = None,
    min_cited_by: queries.CitedBy = None,
) -> Response[shapes.PublicationsPage]:
    queries.checked_text(publication_type=publication_type)
    given = {
        "publication_type": publication_type, "publication_year": publication_year, "min_cited_by": min_cited_by,
    }  # fmt: skip
    asked = _sorted(page, per_page, q, sort, direction, given)
    return await _page(request, _PUBLICATIONS, asked)


@contract_list("/works", _WORKS)
async def get_works(
    request: Asked,
    page: queries.Page = 1,
    per_page: queries.PerPage = 20,
    q: queries.Q = "",
    sort: queries.WorkSort = "created_at",
    direction: queries.Direction = "desc",
    work_type: queries.WorkKind = None,
    publication_year: queries.Year = None,
) -> Response[shapes.WorksPage]:
    queries.checked_text(work_type=work_type)
    asked = _sorted(page, per_page, q, sort, direction, {"work_type": work_type, "publication_year": publication_year})
    return await _page(request, _WORKS, asked)


@contract_list("/projects", _PROJECTS)
async def get_projects(
    request: Asked, page: queries.Page = 1, per_page: queries.PerPage = 20, q: queries.Q = ""
) -> Response[shapes.ProjectsPage]:
    asked = OffsetRequest(page=page, per_page=per_page, q=queries.checked_q(q))
    return await _page(request, _PROJECTS, asked)


@contract_get("/verify/{originId:str}", check_own_origin, pending_too=True)
async def get_verification(request: Asked, originId: FromPath[str]) -> shapes.OriginAnswer:
    return shapes.OriginAnswer(_origin(await check_own_origin(_context(request), _uuid(originId))))


def _sorted(page: int, per_page: int, q: str, sort: str, direction: str, filters: dict[str, Any]) -> OffsetRequest:
    return OffsetRequest(
        page=page,
        per_page=per_page,
        q=queries.checked_q(q),
        sort=sort,
        descending=direction == "desc",
        filters={name: value for name, value in filters.items() if value is not None},
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise OriginNotFound from None


def _origin(o: dict[str, Any]) -> shapes.InstallationOrigin:
    return shapes.InstallationOrigin(
        str(o["id"]), o["origin"], o["verification_status"], o["verified_at"], o["last_checked_at"]
    )


def _installation(i: dict[str, Any], origins: list[dict[str, Any]]) -> shapes.Installation:
    return shapes.Installation(
        id=str(i["id"]),
        workspace_id=str(i["tenant"]),
        platform=i["platform"],
        status=i["status"],
        display_name=i["display_name"],
        description=i["description"],
        created_at=i["created_at"],
        updated_at=i["updated_at"],
        scopes=i["scopes"],
        origins=[_origin(o) for o in origins],
        credential=shapes.PresentedCredential(
            str(i["credential_id"]),
            i["label"],
            i["credential_status"],
            i["credential_created_at"],
            i["last_used_at"],
            i["expires_at"],
        ),
    )


ROUTES = [get_health, get_installation, get_people, get_publications, get_works, get_projects, get_verification]
__all__ = ["PREFIX", "ROUTES"]
