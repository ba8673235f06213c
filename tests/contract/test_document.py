"""The document of `/integrations/v1`: valid, the same from run to run, and equal to what is committed and served."""

import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from rest.contracts.documents import document, render, snapshot
from rest.integrations_v1 import PREFIX, REVISION
from rest.integrations_v1.routes import ROUTES
from rest.integrations_v1.surface import build_app
from tests.contract.answers import CONTRACT, Contract
from tests.world import World

pytestmark = pytest.mark.contract


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in CONTRACT.document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_routes_say_what_is_committed() -> None:
    """The document made from the routes is the snapshot, byte for byte; `make contracts` rewrites it."""
    assert render(document("integrations", "v1")).encode() == snapshot("integrations", "v1")


def test_the_document_is_valid_openapi() -> None:
    """The snapshot is OpenAPI 3.1 by the specification's own schema."""
    assert CONTRACT.document["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(CONTRACT.document).iter_errors()] == []


async def test_health_names_the_documents_revision(world: World) -> None:
    """`version` of health is `info.version`: a machine compares the two after a deploy."""
    answer = await world.get("/health")
    assert answer.json() == {"status": "ok", "version": CONTRACT.document["info"]["version"]}
    assert answer.json()["version"] == REVISION


async def test_what_is_served_is_what_is_committed(world: World) -> None:
    """`openapi.json` needs no key and is the snapshot's bytes."""
    answer = await world.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == snapshot("integrations", "v1")


async def test_routes_and_document_name_the_same_paths(world: World) -> None:
    """No route is undocumented and no documented path is missing, method by method."""
    served = {
        (route.path_format, method.lower())
        for route in build_app(world.runtime).routes
        for method in route.methods  # type: ignore[union-attr]
        if method != "OPTIONS"
    }
    assert served == {(path, method) for path, method, _ in operations()}
    assert CONTRACT.document["servers"] == [{"url": PREFIX}]


def test_operation_ids_are_set_by_hand_and_unique() -> None:
    """A client generator names its methods by them, so that no rename of a Python function may move one."""
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids))
    assert {str(route.operation_id) for route in ROUTES} == set(ids)
    assert set(ids) == {
        "get_health", "get_own_installation", "list_people", "list_publications", "list_works", "list_projects",
        "check_own_origin",
    }  # fmt: skip


@pytest.mark.parametrize(("path", "method", "operation"), operations(), ids=lambda v: v if isinstance(v, str) else "")
def test_every_operation_says_what_it_needs(path: str, method: str, operation: dict[str, Any]) -> None:
    """Security, a summary and a description stand at each operation; only health needs no key."""
    needed = [name for requirement in operation.get("security", []) for name in requirement]
    assert needed == ([] if path == "/health" else ["ApiKey"])
    assert operation["summary"] and operation["description"] and operation["tags"]


@pytest.mark.parametrize(
    ("path", "scopes"),
    [
        ("/installation", []),
        ("/people", ["people.read"]),
        ("/publications", ["publications.read"]),
        ("/works", ["works.read"]),
        ("/projects", ["projects.read"]),
        ("/verify/{originId}", []),
    ],
)
def test_scopes_in_the_document(path: str, scopes: list[str]) -> None:
    """The document names the scope that the contract gives to the endpoint."""
    assert CONTRACT.document["paths"][path]["get"]["security"] == [{"ApiKey": scopes}]


def test_every_refusal_has_one_form() -> None:
    """Whatever is documented from 400 on is an `ErrorBody`."""
    for path, _, operation in operations():
        for status, response in operation["responses"].items():
            if status >= "400":
                schema = response["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorBody"}, (path, status)


@pytest.mark.parametrize(
    "body",
    [
        {"status": "ok"},
        {"status": "ok", "version": 1},
        {"status": "ok", "version": "2026-04-22", "more": True},
        {"status": "fine", "version": "2026-04-22"},
    ],
)
def test_the_judge_refuses_what_is_not_documented(body: dict[str, Any]) -> None:
    """The helper that every runtime test relies on finds a missing, a wrong and an additional member."""
    with pytest.raises(AssertionError):
        Contract().check_body({"$ref": "#/components/schemas/Health"}, body)


def test_the_snapshot_has_no_floats_and_no_trailing_noise() -> None:
    """Bounds are integers, keys sorted, one newline at the end: a difference is always a change of meaning."""
    text = snapshot("integrations", "v1").decode()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert not any(isinstance(value, float) for value in _leaves(CONTRACT.document))


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]
