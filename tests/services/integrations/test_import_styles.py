"""What OpenAPI can say of parameters, bodies and answers, as the request that an imported method sends."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import ValidationFailed
from services.integrations.definitions.checking import check_definition
from services.integrations.definitions.compiling import CompiledMethod, compile_definition
from services.integrations.definitions.model import Definition
from services.integrations.definitions.schemas import compile_schema
from services.integrations.execution.requests import Prepared, build_request
from services.integrations.execution.targets import checked_parameters
from services.integrations.importing.converting import Choice, convert_document
from services.integrations.importing.documents import Numbered
from services.integrations.importing.reports import Report

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
ANY = {"content": {"application/json": {"schema": {}}}}
PAIR = {"type": "object", "properties": {"a": TEXT, "b": TEXTS}}
FREE = {"type": "object", "additionalProperties": TEXT}


def document(path: str = "/things", verb: str = "get", **operation: Any) -> dict[str, Any]:
    answers = {"200": {"description": "ok", "content": {"application/json": {"schema": {}}}}}
    info = {"title": "Styles", "version": "1.0.0"}
    made = {"operationId": "call", "responses": answers, **operation}
    return {"openapi": "3.1.0", "info": info, "servers": [{"url": "https://a.example"}], "paths": {path: {verb: made}}}


def imported(given: dict[str, Any], **choice: Any) -> tuple[Definition, Report]:
    definition, report = convert_document(given, Choice(**choice))
    check_definition(definition)
    return definition, report


def called(given: dict[str, Any], **params: Any) -> Prepared:
    """The request of the one method, whose parameters are checked as a call's are."""
    method = only(imported(given)[0])
    return build_request(method, "https://a.example", checked_parameters(method, params), {}, ())


def only(definition: Definition) -> CompiledMethod:
    (method,) = compile_definition(definition).methods.values()
    return method


def parameter(name: str, schema: Any, place: str = "query", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "schema": schema, "required": place == "path", **more}


@pytest.mark.parametrize(
    ("described", "params", "query"),
    [
        (parameter("q", TEXTS), {"q": ["a b", "c"]}, "q=a%20b&q=c"),
        (parameter("q", TEXTS, explode=False), {"q": ["a b", "c"]}, "q=a%20b,c"),
        (parameter("q", TEXTS, style="pipeDelimited"), {"q": "a|b"}, "q=a%7Cb"),
        (parameter("q", TEXTS, style="spaceDelimited", explode=False), {"q": "a b"}, "q=a%20b"),
        (parameter("q", PAIR), {"a": "1", "b": ["2", "3"]}, "a=1&b=2&b=3"),
        (parameter("q", PAIR, explode=False), {"q": {"a": "1"}}, "q=a,1"),
        (parameter("q", PAIR, style="deepObject"), {"q_a": "1", "q_b": ["2"]}, "q%5Ba%5D=1&q%5Bb%5D%5B%5D=2"),
        (parameter("q", FREE, style="deepObject", explode=True), {"q": {"x&": "1"}}, "q%5Bx%26%5D=1"),
        (parameter("q", FREE), {"q": {"x": "1", "y": "a=b"}}, "x=1&y=a%3Db"),
        (parameter("größe &", TEXT), {"gr_e": "1"}, "gr%C3%B6%C3%9Fe%20%26=1"),
        ({"name": "q", "in": "query", **ANY}, {"q": '{"a":1}'}, "q=%7B%22a%22%3A1%7D"),
        (parameter("q", {"allOf": [{"anyOf": [PAIR, TEXT]}]}), {"a": "1"}, "a=1"),
    ],
)  # fmt: skip
def test_styles_of_a_query(described: dict[str, Any], params: dict[str, Any], query: str) -> None:
    given = document(parameters=[described])
    assert called(given, **params).url == f"https://a.example/things?{query}"
    assert called(given).url == "https://a.example/things", "what is not given is not sent"
    assert imported(given)[1].typed == 1


def test_paths_and_queries_that_are_written_into_them() -> None:
    places = [parameter("id", TEXTS, "path"), parameter("lat", {"type": "number"}, "path")]
    given = document("/a b/{id}?lat={lat}&kind=x%20y", parameters=places)
    assert called(given, id=["1/2", "3"], lat=1.5).url == "https://a.example/a%20b/1%2F2,3?lat=1.5&kind=x%20y"
    with pytest.raises(ValidationFailed):
        called(given, id=["1"])


@pytest.mark.parametrize(
    ("schema", "explode", "value", "sent"),
    [(TEXTS, False, ["a", "b"], "a,b"), (FREE, False, {"a": "1"}, "a,1"), (FREE, True, {"a": "{b}"}, "a={b}")],
)
def test_headers_of_the_style_simple(schema: Any, explode: bool, value: Any, sent: str) -> None:
    given = document(parameters=[parameter("X-Of", schema, "header", explode=explode)])
    assert called(given, X_Of=value).headers == {"Accept": "application/json", "X-Of": sent}
    assert called(given).headers == {"Accept": "application/json"}, "no header without a value"


@pytest.mark.parametrize(
    ("content", "value", "kind", "sent"),
    [
        ({"text/plain": {}}, "é", "text/plain", "é".encode()),
        ({"application/octet-stream": {"schema": {}}}, {"contentBase64": "AAE="}, "application/octet-stream", b"\0\1"),
        ({"image/*": {}}, {"contentBase64": "AAE=", "contentType": "image/png"}, "image/png", b"\0\1"),
        ({"*/*": {"schema": {"type": "string", "format": "binary"}}}, {"contentBase64": "AA=="},
         "application/octet-stream", b"\0"),
        ({"application/xml": {"schema": PAIR}}, "<a/>", "application/xml", b"<a/>"),
        ({"text/xml": {}, "application/json": {"schema": PAIR}}, {"a": "1"}, "application/json", b'{"a":"1"}'),
    ],
)  # fmt: skip
def test_bodies_that_are_sent_as_they_are(content: Any, value: Any, kind: str, sent: bytes) -> None:
    given = document(verb="post", requestBody={"required": True, "content": content})
    request = called(given, body=value)
    assert (request.headers["Content-Type"], request.body) == (kind, sent)
    with pytest.raises(ValidationFailed):
        called(given)


def test_a_body_that_a_get_loses_is_told_unless_it_is_empty() -> None:
    filled = document(requestBody={"content": {"application/json": {"schema": PAIR}}})
    empty = document(requestBody={"content": {"application/json": {"schema": {"properties": {}}}}})
    assert (imported(filled)[1].partial, imported(empty)[1].typed) == (1, 1)


@pytest.mark.parametrize(
    ("content", "accept", "taken", "refused"),
    [
        ({"text/csv": {"schema": TEXT}}, "text/csv", "a,b", {"a": 1}),
        ({"application/pdf": {}}, "application/pdf", {"contentType": "application/pdf", "contentBase64": ""}, 1),
        ({"image/png": {}, "text/plain": {}}, "image/png, text/plain", "x", [1]),
        ({"application/json": {"schema": TEXT}, "text/html": {}}, "application/json", "x", 1),
    ],
)
def test_answers_that_are_no_json(content: Any, accept: str, taken: Any, refused: Any) -> None:
    given = document(responses={"2XX": {"description": "ok", "content": content}})
    assert imported(given)[1].typed == 1
    assert called(given).headers["Accept"] == accept
    schema = compile_schema(only(imported(given)[0]).method.result_schema or {})
    assert schema.is_valid(taken)
    assert not schema.is_valid(refused)


def test_bytes_of_any_kind_may_be_read_as_anything() -> None:
    answer = {"200": {"description": "ok", "content": {"application/octet-stream": {}}}}
    method = only(imported(document(responses=answer))[0]).method
    assert method.result_schema == {}, "a file of JSON is read as JSON"


def test_operations_of_another_server_are_a_definition_of_their_own() -> None:
    given = document()
    given["paths"]["/upload"] = {"post": {"servers": [{"url": "https://up.example/v2"}], "responses": {}}}
    definition, report = imported(given)
    assert (definition.base_url, report.left_out) == ("https://a.example", 1)
    definition, report = imported(given, operations=["POST /upload"])
    assert (definition.base_url, report.left_out) == ("https://up.example/v2", 0)


def test_a_token_that_is_got_elsewhere_is_a_bearers() -> None:
    given = document(security=[{"web": []}])
    flow = {"implicit": {"authorizationUrl": "https://a.example/login", "scopes": {}}}
    given["components"] = {"securitySchemes": {"web": {"type": "oauth2", "flows": flow}}}
    definition, report = imported(given)
    assert definition.auth_type == "bearer"
    assert any("bearer token" in each.reason for each in report.findings)


def test_lists_of_lists_in_a_query_are_told() -> None:
    nested = {"type": "array", "items": TEXTS}
    report = imported(document(parameters=[parameter("q", nested)]))[1]
    assert [(each.effect, each.where) for each in report.findings if each.operation] == [
        ("untyped", "parameters.query.q")
    ]


def test_names_of_operations_are_names_of_methods_each_once() -> None:
    given = document()
    named = ["x" * 300, "x" * 300, "список", "a b/c", "call", "call_2", "call", "", 7]
    given["paths"] |= {f"/p{number}": {"get": {"operationId": each}} for number, each in enumerate(named)}
    given["webhooks"] = {"changed": {"post": {}}}
    definition, report = imported(given)
    assert [each.name for each in definition.methods] == [
        "call", "x" * 120, "x" * 120 + "_2", "get.p2", "a.b.c", "call_2", "call_2_2", "call_3", "get.p7", "get.p8",
    ]  # fmt: skip
    assert "webhooks" in {each.where for each in report.findings}


def test_many_of_one_name_take_no_longer_than_many_names() -> None:
    numbered = Numbered()
    assert len({numbered.free("same") for _ in range(20_000)}) == 20_000


def test_two_parameters_that_would_send_the_same_name_are_told() -> None:
    given = document(parameters=[parameter("a", TEXT), parameter("q", PAIR)])
    assert called(given, a="1", b=["2"]).url == "https://a.example/things?a=1&b=2"
    told = [(each.effect, each.where) for each in imported(given)[1].findings if each.operation]
    assert told == [("untyped", "parameters.query.q")]


def test_alternatives_that_refer_to_each_other_end() -> None:
    knot = {"anyOf": [{"$ref": "#/components/schemas/A"}] * 40 + [PAIR]}
    given = document(parameters=[parameter("q", {"$ref": "#/components/schemas/A"}, style="deepObject")])
    given["components"] = {"schemas": {"A": knot}}
    assert called(given, q_a="1").url == "https://a.example/things?q%5Ba%5D=1"
