"""The document of `/integrations/v2`: equal to its routes, valid, and complete in words and examples."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, get_args

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.errors import REGISTRY
from rest.contracts.documents import document, render, snapshot
from rest.contracts.registry import APIS
from rest.integrations_v1.shapes import Code as V1Code
from rest.integrations_v2 import PREFIX, REVISION
from rest.integrations_v2.errors import PROBLEM_JSON
from rest.integrations_v2.shapes import Code
from rest.integrations_v2.surface import build_app
from services.operations import OPERATIONS, declared
from tests.architecture.code import ROOT
from tests.contract.answers import CONTRACT_V2
from tests.contract.test_error_codes import OF_THE_GATE, OF_THE_SURFACE

pytestmark = pytest.mark.contract
DOCUMENT = CONTRACT_V2.document
SCHEMAS = DOCUMENT["components"]["schemas"]
RENDER = "from rest.contracts.documents import *; import sys; sys.stdout.write(render(document('integrations', 'v2')))"
IDS = {
    "get_health", "get_own_installation", "list_people", "get_person", "list_person_publications",
    "list_publications", "list_works", "list_projects", "check_own_origin",
}  # fmt: skip
OPERATION = [(path, methods["get"]) for path, methods in DOCUMENT["paths"].items()]


def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each documented body, with where it stands."""
    for path, operation in OPERATION:
        for status, answer in operation["responses"].items():
            for body in answer.get("content", {}).values():
                yield f"{path} {status}", body


def test_the_routes_say_what_is_committed() -> None:
    """The document made from the routes is the snapshot, byte for byte, whatever the hash seed is."""
    committed = snapshot("integrations", "v2")
    assert render(document("integrations", "v2")).encode() == committed
    for seed in ("0", "4711"):
        environ = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}:{ROOT / 'graphql'}"}
        command = [sys.executable, "-c", RENDER]
        made = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, check=True).stdout
        assert made == committed


def test_the_document_is_valid_openapi() -> None:
    """The snapshot is OpenAPI 3.1 by the specification's own schema; it names its revision and its place."""
    assert DOCUMENT["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []
    assert DOCUMENT["info"]["version"] == REVISION
    assert DOCUMENT["servers"] == [{"url": PREFIX}]


def test_v2_is_the_active_version_and_v1_is_frozen() -> None:
    """The registry says which of the two may still grow."""
    assert (APIS["integrations"].active, APIS["integrations"].frozen) == ("v2", ("v1",))


def test_routes_and_document_name_the_same_paths() -> None:
    """No route is undocumented and no documented path is missing; ids are set by hand and unique."""
    routes = [route for route in build_app(None).routes if "/schema" not in route.path]
    assert {route.path_format for route in routes} == set(DOCUMENT["paths"])
    ids = [operation["operationId"] for _, operation in OPERATION]
    assert set(ids) == IDS and len(ids) == len(IDS)
    assert all(set(methods) == {"get"} for methods in DOCUMENT["paths"].values())


@pytest.mark.parametrize(("path", "operation"), OPERATION, ids=lambda v: v if isinstance(v, str) else "")
def test_every_operation_is_described(path: str, operation: dict[str, Any]) -> None:
    """Summary, description, each parameter and each answer have words; only health needs no key."""
    assert operation["summary"] and operation["description"] and operation["tags"]
    assert bool(operation.get("security")) == (path != "/health")
    for parameter in operation.get("parameters", []):
        assert parameter["description"], parameter["name"]
        # A parameter that is not sent is absent: there is no way to send null.
        assert "null" not in str(parameter["schema"]), parameter["name"]
    for answer in operation["responses"].values():
        assert answer["description"]
        assert all(header["description"] for header in answer.get("headers", {}).values())


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_member_is_described(name: str) -> None:
    """Each member of each body says what it is."""
    for member, schema in SCHEMAS[name].get("properties", {}).items():
        told = [schema.get("description"), *(one.get("description") for one in schema.get("oneOf", []))]
        assert any(told), f"{name}.{member}"


@pytest.mark.parametrize(("where", "body"), list(bodies()), ids=lambda v: v if isinstance(v, str) else "")
def test_examples_are_what_is_documented(where: str, body: dict[str, Any]) -> None:
    """Each body has an example, and it validates strictly."""
    assert body["examples"], where
    for example in body["examples"].values():
        CONTRACT_V2.check_body(body["schema"], example["value"])


def test_rows_and_tombstones_are_told_apart() -> None:
    """`deleted` decides: a tombstone has the id and nothing else, and neither passes for the other."""
    for name, gone in (("Person", "DeletedPerson"), ("Work", "DeletedWork"), ("Project", "DeletedProject")):
        assert len(SCHEMAS[gone]["properties"]) == 2
        assert SCHEMAS[gone]["properties"]["deleted"]["const"] is True
        assert SCHEMAS[name]["properties"]["deleted"]["const"] is False
    page = {"$ref": "#/components/schemas/PeoplePage", "components": {"schemas": SCHEMAS}}
    validator = jsonschema_rs.Draft202012Validator(page)
    for row in ({"deleted": False, "orcid_id": "x"}, {"orcid_id": "x"}, {"deleted": None, "orcid_id": "x"}):
        assert not validator.is_valid({"people": [row], "next_cursor": None, "next_updated_since": None})


def test_every_code_is_documented() -> None:
    """The codes are those of v1 and the one that increments need, each explained where it can come."""
    codes = set(get_args(Code))
    assert codes == set(get_args(V1Code)) | {"full_sync_required"}
    served = {declared(route.opt["operation"]).name for route in _routes() if "operation" in route.opt}
    raised = {error.code for name in served for error in OPERATIONS[name].raises} - {"validation_failed"}
    assert codes == OF_THE_GATE | OF_THE_SURFACE | raised | {"full_sync_required"}
    assert set(SCHEMAS["Problem"]["properties"]["code"]["enum"]) == codes
    texts = {(int(s), a["description"]) for _, o in OPERATION for s, a in o["responses"].items() if s >= "400"}
    for code in codes - {"method_not_allowed", "payload_too_large"}:
        statuses = {status for status, text in texts if f"`{code}`" in text}
        assert statuses == {REGISTRY[code].status}, code


def _routes() -> Any:
    from rest.integrations_v2.routes import ROUTES

    return ROUTES


def test_every_refusal_is_a_problem() -> None:
    """Whatever is documented from 400 on is a problem document, and 410 stands where increments are."""
    for path, operation in OPERATION:
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert answer["content"] == {PROBLEM_JSON: answer["content"][PROBLEM_JSON]}
                assert answer["content"][PROBLEM_JSON]["schema"] == {"$ref": "#/components/schemas/Problem"}
        names = {parameter["name"] for parameter in operation.get("parameters", [])}
        assert ("410" in operation["responses"]) == ("updated_since" in names), path


def test_consumers_are_told_to_bear_new_values() -> None:
    """Enums of answers may grow: an active version gains codes and states."""
    for name, schema in SCHEMAS.items():
        for member, part in schema.get("properties", {}).items():
            assert part.get("x-extensible-enum", "enum" not in part), f"{name}.{member}"


def test_the_text_has_no_noise() -> None:
    """Keys sorted, bounds integers, one newline at the end."""
    text = snapshot("integrations", "v2").decode()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
