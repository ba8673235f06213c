"""The law on everything around schemas: operations, parameters, bodies, responses, security, servers, lifecycle."""

from typing import Any

import pytest

from services.contracts.findings import Category, Direction, Verdict
from tests.contract.law.builders import JSON, broken, compared, document, header, parameter, request, response

KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
OAUTH = {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://a/t", "scopes": {"r": "", "w": ""}}}}


def secured(*alternatives: Any, **schemes: Any) -> dict[str, Any]:
    return document({"security": list(alternatives)}, components={"securitySchemes": schemes or {"k": KEY, "o": OAUTH}})


def answers(*statuses: str) -> dict[str, Any]:
    return document({"responses": {status: {"description": status} for status in statuses}})


def served(*urls: str) -> dict[str, Any]:
    return document(servers=[{"url": url} for url in urls])


def form(**encoding: Any) -> dict[str, Any]:
    media = {"schema": {"properties": {"f": {"type": "array"}}}, "encoding": {"f": encoding} if encoding else {}}
    return document({"requestBody": {"content": {"multipart/form-data": media}}})


def deprecated(**keys: Any) -> dict[str, Any]:
    return document({"deprecated": True, **keys})


def called_back(schema: Any, *, answer: Any = None) -> dict[str, Any]:
    call = {
        "requestBody": {"content": {JSON: {"schema": schema}}},
        "responses": {"200": {"description": "", "content": {JSON: {"schema": answer or {}}}}},
    }
    return document({"callbacks": {"done": {"{$request.body#/url}": {"post": call}}}})


EMPTY: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}}

#: (rule, base, revision): the way there breaks; `None` for what must not.
CHANGES: list[tuple[str | None, dict[str, Any], dict[str, Any]]] = [
    ("operation-removed", document(), EMPTY),
    (None, EMPTY, document()),
    ("security-added", secured(), secured({"k": []})),
    (None, secured({"k": []}), secured()),
    (None, secured({"k": []}), secured({"k": []}, {"o": ["r"]})),
    ("security-alternative-removed", secured({"k": []}, {"o": ["r"]}), secured({"o": ["r"]})),
    ("security-alternative-removed", secured({"k": []}), secured({"k": [], "o": []})),
    ("security-scope-added", secured({"o": ["r"]}), secured({"o": ["r", "w"]})),
    (None, secured({"o": ["r", "w"]}), secured({"o": ["r"]})),
    ("security-scheme", secured({"k": []}, k=KEY), secured({"k": []}, k={**KEY, "name": "X-Other"})),
    ("security-scheme", secured({"k": []}, k=KEY), secured({"k": []}, k={**KEY, "in": "query"})),
    (None, secured({"k": []}, k=KEY), secured({"k": []}, k={**KEY, "name": "x-key", "description": "d"})),
    (None, secured({"k": []}, k=KEY), secured({"other": []}, other=KEY)),
    (None, secured({"k": []}), secured({}, {"k": []})),
    ("security-added", secured({}, {"k": []}), secured({"k": []})),
    ("parameter-removed", parameter(schema={}), document()),
    (None, document(), parameter(schema={})),
    ("parameter-required-added", document(), parameter(schema={"default": 1}, required=True)),
    ("parameter-required", parameter(schema={}), parameter(schema={}, required=True)),
    (None, parameter(schema={}, required=True), parameter(schema={})),
    (
        "parameter-style",
        parameter(schema={"type": "array"}),
        parameter(schema={"type": "array"}, style="pipeDelimited"),
    ),
    ("parameter-explode", parameter(schema={"type": "array"}), parameter(schema={"type": "array"}, explode=False)),
    (None, parameter(schema={"type": "array"}), parameter(schema={"type": "array"}, style="form", explode=True)),
    ("parameter-empty", parameter(schema={}, allowEmptyValue=True), parameter(schema={})),
    ("parameter-reserved", parameter(schema={}, allowReserved=True), parameter(schema={})),
    (None, parameter(schema={"type": "integer"}), parameter(schema={"type": "string"})),
    (None, parameter(schema={"type": "integer"}), parameter(schema={"type": "array", "items": {"type": "integer"}})),
    ("schema-type", parameter(schema={"type": "string"}), parameter(schema={"type": "integer"})),
    ("body-added", document(), request({}, required=True)),
    (None, document(), request({})),
    ("body-required", request({}), request({}, required=True)),
    ("body-removed", request({}), document()),
    ("media-type-removed", request({}, "text/csv"), request({})),
    ("media-type-removed", response({}, "text/csv"), response({})),
    (None, request({}, "text/csv"), request({}, "text/*")),
    ("media-type-wider", response({}, "text/csv"), response({}, "text/*")),
    (None, request({}, "application/json"), request({}, "application/json; charset=utf-8")),
    ("encoding", form(), form(style="spaceDelimited")),
    ("encoding", form(contentType="image/png, image/gif"), form(contentType="image/png")),
    (None, form(contentType="image/png"), form(contentType="image/png, image/gif")),
    ("status-removed", answers("200", "201"), answers("200")),
    (None, answers("200"), answers("2XX")),
    (None, answers("200"), answers("200", "404", "503", "202")),
    (None, answers("200", "404"), answers("200")),
    ("header-removed", header(schema={}), document()),
    ("header-required", header(schema={}, required=True), header(schema={})),
    (None, document(), header(schema={}, required=True)),
    ("server-removed", served("https://a/v1"), served("https://b/v1")),
    (None, served("https://a/v1"), served("https://A/v1/", "https://b")),
    ("callback-removed", called_back({}), document()),
    ("schema-type", called_back({"type": "integer"}), called_back({"type": "number"})),
    (None, called_back({"type": "number"}), called_back({"type": "integer"})),
    ("schema-type", called_back({}, answer={"type": "number"}), called_back({}, answer={"type": "integer"})),
    ("sunset-removed", deprecated(**{"x-sunset": "2027-01-01"}), deprecated()),
    ("sunset-early", deprecated(**{"x-sunset": "2027-01-01"}), deprecated(**{"x-sunset": "2026-12-01"})),
    ("sunset-invalid", document(), deprecated(**{"x-sunset": "soon"})),
    (None, document(), deprecated()),
    (None, deprecated(**{"x-sunset": "2026-11-20"}), EMPTY),
    ("operation-removed", deprecated(**{"x-sunset": "2026-11-21"}), EMPTY),
    ("operation-removed", deprecated(), EMPTY),
    ("stability-decreased", document(), document({"x-stability-level": "beta"})),
    (None, document({"x-stability-level": "draft"}), EMPTY),
    (None, document({"operationId": "a", "tags": ["x"]}), document({"operationId": "b", "tags": ["y"]})),
    (None, document({"summary": "a"}), document({"description": "b"}, tags=[{"name": "z"}])),
]


OPENID = {"type": "openIdConnect", "openIdConnectUrl": "https://a/x"}
MOVED = {**OAUTH, "flows": {"clientCredentials": {"tokenUrl": "https://b/t", "scopes": {"r": "", "w": ""}}}}
CHANGES += [
    (
        "security-scheme",
        secured({"k": []}, k=OPENID),
        secured({"k": []}, k={**OPENID, "openIdConnectUrl": "https://b"}),
    ),
    (None, secured({"o": ["r"]}, o=OAUTH), secured({"o": ["r"]}, o=MOVED)),
]


def test_generated_clients_are_hurt_by_another_token_address() -> None:
    pair = secured({"o": ["r"]}, o=OAUTH), secured({"o": ["r"]}, o=MOVED)
    assert [each.rule for each in compared(*pair)] == ["security-address"]
    assert broken(*pair, category=Category.SDK) == {"security-address"}


def test_a_fingerprint_of_what_utf8_cannot_carry() -> None:
    (found,) = compared(request({"enum": ["\ud800", "a"]}), request({"enum": ["a"]}))
    assert len(found.fingerprint) == 16


@pytest.mark.parametrize(("rule", "base", "revision"), CHANGES, ids=range(len(CHANGES)))
def test_changes(rule: str | None, base: dict[str, Any], revision: dict[str, Any]) -> None:
    assert broken(base, revision) == ({rule} if rule else set())


def test_generated_clients_are_hurt_by_names_where_that_was_promised() -> None:
    pair = document({"operationId": "a"}), document({"operationId": "b"})
    assert broken(*pair, category=Category.SDK) == {"operation-id"}


def test_a_renamed_path_parameter_is_no_break_on_the_wire() -> None:
    def path(name: str) -> dict[str, Any]:
        item = {"get": {"parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}}]}}
        return {**EMPTY, "paths": {f"/a/{{{name}}}": item}}

    assert [each.rule for each in compared(path("x"), path("y"))] == ["path-parameter-name"]


def test_hidden_properties_do_not_count_in_their_direction() -> None:
    def tagged(**keys: Any) -> dict[str, Any]:
        return {"properties": {"id": {"type": "string", **keys}}, "required": ["id"]}

    assert not broken(request(tagged(readOnly=True)), request({"properties": {"id": {"type": "integer"}}}))
    assert not broken(response(tagged(writeOnly=True)), response({}))
    assert "schema-required-added" in broken(request(tagged(readOnly=True)), request(tagged()))
    assert "schema-property-hidden" in broken(response(tagged()), response(tagged(writeOnly=True)))


def test_the_tolerant_reader_is_named_where_it_differs() -> None:
    (found,) = compared(response({"properties": {"a": {}}}), response({"properties": {}}))
    assert (found.verdict, found.tolerant) == (Verdict.BREAKING, Verdict.NOTICE)


def test_an_extensible_list_may_grow_in_responses() -> None:
    grown = [{"enum": ["a"], "x-extensible-enum": True}, {"enum": ["a", "b"], "x-extensible-enum": True}]
    assert not broken(*map(response, grown))
    assert broken(*(response({"enum": each["enum"]}) for each in grown)) == {"schema-enum-value-added"}


def test_one_cause_is_one_finding_and_keeps_its_fingerprint() -> None:
    def shared(kind: str, paths: int) -> dict[str, Any]:
        get = {
            "responses": {"200": {"description": "", "content": {JSON: {"schema": {"$ref": "#/components/schemas/A"}}}}}
        }
        return {
            **EMPTY,
            "paths": {f"/{index}": {"get": get} for index in range(paths)},
            "components": {"schemas": {"A": {"properties": {"a": {"type": kind}}}}},
        }

    (three,) = compared(shared("string", 3), shared("integer", 3))
    (one,) = compared(shared("string", 1), shared("integer", 1))
    assert three.operations == ("GET /0", "GET /1", "GET /2")
    assert three.direction is Direction.RESPONSE
    assert three.cause == "#/components/schemas/A/properties/a"
    assert three.fingerprint == one.fingerprint


def test_paths_that_share_a_template_are_known_by_their_names() -> None:
    def path(kind: str) -> dict[str, Any]:
        schema = {"type": kind}
        return {"get": {"parameters": [{"name": "x", "in": "query", "schema": schema}], "responses": {}}}

    both = {"/a/{id}": path("string"), "/a/{key}": path("integer")}
    turned = dict(reversed(both.items()))
    assert compared({**EMPTY, "paths": both}, {**EMPTY, "paths": turned}) == []
