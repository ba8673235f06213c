"""A change that a consumer would notice cannot pass: the comparison with the snapshot sees each of these."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
import pytest
from litestar import get
from litestar.params import QueryParameter

from app.auth.scopes import Scope
from rest.contracts.documents import document, render, snapshot
from rest.integrations_v1 import queries, routes, shapes, surface
from services.operations import declared

pytestmark = pytest.mark.contract
Patch = Callable[[pytest.MonkeyPatch], None]


def _people(**changed: Any) -> Any:
    """The people endpoint as it is, but for what is given."""
    kinds = {"page": queries.Page, "per_page": queries.PerPage, "q": queries.Q, "answer": shapes.PeoplePage} | changed
    defaults = {"per_page": 20} | {k: v for k, v in changed.items() if k == "default_per_page"}

    async def get_people(request, page=1, per_page=defaults.get("default_per_page", 20), q=""):  # type: ignore[no-untyped-def]
        pytest.fail("only its signature is looked at")

    get_people.__annotations__ = {
        "request": routes.Asked, "page": kinds["page"], "per_page": kinds["per_page"], "q": kinds["q"],
        "return": routes.Response[kinds["answer"]],
    }  # fmt: skip
    return routes.contract_get(changed.get("path", "/people"), routes.list_people, walk=True)(get_people)


def _with(route: Any) -> Patch:
    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        others = [r for r in routes.ROUTES if r is not routes.get_people]
        monkeypatch.setattr(surface, "ROUTES", [*others, route])

    return patch


class _Person(msgspec.Struct):
    orcid_id: str
    name: str | shapes.Localised
    biography: shapes.Localised | None
    last_fetched_at: shapes.Milliseconds
    sync_status: shapes.SyncStatus
    publication_count: int
    email: str


class _FewerStatuses(msgspec.Struct):
    status: Literal["pending", "complete"]


def _pages(person: type) -> type:
    fields = [("people", list[person]), ("page", int), ("per_page", int), ("total", int), ("pages", int), ("q", str)]  # type: ignore[valid-type]
    return msgspec.defstruct("PeoplePage", fields)


def _constraint(**rules: Any) -> Any:
    return Annotated[int, QueryParameter(name="per_page", description="Rows on a page.", **rules)]


def _scope(monkeypatch: pytest.MonkeyPatch) -> None:
    found = declared(routes.list_people)
    changed = msgspec.structs.replace(found, scope=Scope.WORKS_READ)
    monkeypatch.setattr(routes.list_people, "operation", changed)
    _with(_people())(monkeypatch)


def _revision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surface, "REVISION", "2026-05-01")


def _gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surface, "ROUTES", [r for r in routes.ROUTES if r is not routes.get_works])


def _new(monkeypatch: pytest.MonkeyPatch) -> None:
    @get("/extra", operation_id="extra")
    async def extra() -> shapes.Health:
        pytest.fail("only its signature is looked at")

    monkeypatch.setattr(surface, "ROUTES", [*routes.ROUTES, extra])


MUTATIONS: dict[str, Patch] = {
    "a default": _with(_people(default_per_page=50)),
    "a looser bound": _with(_people(per_page=_constraint(ge=1, le=200))),
    "a tighter bound": _with(_people(per_page=_constraint(ge=1, le=50))),
    "a bound that is gone": _with(_people(per_page=_constraint(ge=1))),
    "a parameter's name": _with(_people(q=Annotated[str, QueryParameter(name="query")])),
    "a parameter's type": _with(_people(page=Annotated[str, QueryParameter(name="page")])),
    "a new field": _with(_people(answer=_pages(_Person))),
    "other fields": _with(_people(answer=_pages(_FewerStatuses))),
    "a path": _with(_people(path="/persons")),
    "a scope": _scope,
    "the revision": _revision,
    "an endpoint that is gone": _gone,
    "a new endpoint": _new,
}


def _made() -> bytes:
    return render(document("integrations", "v1")).encode()


def test_the_copy_without_a_mutation_is_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint rebuilt here is the contract's own, so that what follows tests the mutation and not the copy."""
    _with(_people())(monkeypatch)
    assert _made() == snapshot("integrations", "v1")


@pytest.mark.parametrize("patch", MUTATIONS.values(), ids=MUTATIONS.keys())
def test_a_mutation_is_seen(patch: Patch, monkeypatch: pytest.MonkeyPatch) -> None:
    """The document differs from the snapshot after each of these changes."""
    patch(monkeypatch)
    assert _made() != snapshot("integrations", "v1")
