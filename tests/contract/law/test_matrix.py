# ruff: noqa: E501 - one probe, one line
"""Both directions of every keyword, in requests and in responses, and of every field around schemas."""

import json
from typing import Any

import pytest

from tests.contract.law.builders import broken, document, header, parameter, request, response
from tests.contract.law.test_objects import EMPTY, KEY, secured

S, I, N, A, O = ({"type": each} for each in ("string", "integer", "number", "array", "object"))  # noqa: E741
P = {"type": "object", "properties": {"a": S}}

#: (narrower, wider): a request breaks on the way to the narrower, a response on the way to the wider.
NARROWER: list[tuple[Any, Any]] = [
    (S, {}), (S, {"type": ["string", "null"]}), (S, {"type": ["string", "integer"]}), (I, N),
    ({**S, "enum": ["a"]}, S), ({**S, "enum": ["a"]}, {**S, "enum": ["a", "b"]}), ({"const": 1}, {"enum": [1, 2]}),
    ({"const": 1}, I), ({**I, "minimum": 2}, I), ({**I, "minimum": 2}, {**I, "minimum": 1}),
    ({**I, "maximum": 2}, I), ({**I, "maximum": 2}, {**I, "maximum": 3}),
    ({**N, "exclusiveMinimum": 2}, {**N, "minimum": 2}), ({**N, "exclusiveMaximum": 2}, {**N, "maximum": 2}),
    ({**I, "multipleOf": 4}, {**I, "multipleOf": 2}), ({**I, "multipleOf": 4}, I),
    ({**S, "minLength": 2}, S), ({**S, "minLength": 2}, {**S, "minLength": 1}),
    ({**S, "maxLength": 2}, S), ({**S, "maxLength": 2}, {**S, "maxLength": 3}),
    ({**S, "pattern": "^a"}, S), ({**S, "format": "uuid"}, S), ({**S, "format": "date"}, S),
    ({**I, "format": "int32"}, {**I, "format": "int64"}), ({**I, "format": "int32"}, I),
    ({**N, "format": "float"}, {**N, "format": "double"}),
    ({**A, "minItems": 2}, A), ({**A, "maxItems": 2}, A), ({**A, "maxItems": 2}, {**A, "maxItems": 3}),
    ({**A, "uniqueItems": True}, A), ({**A, "items": S}, A), ({**A, "items": I}, {**A, "items": N}),
    ({**A, "contains": S}, A), ({**A, "prefixItems": [S]}, A), ({**A, "items": {**S, "maxLength": 1}}, {**A, "items": S}),
    ({**A, "contains": S, "minContains": 2}, {**A, "contains": S}),
    ({**A, "contains": S, "maxContains": 2}, {**A, "contains": S}),
    ({**A, "prefixItems": [S], "items": False}, {**A, "prefixItems": [S]}),
    ({**P, "required": ["a"]}, P), ({**P, "additionalProperties": False}, P),
    ({**P, "additionalProperties": False}, {**P, "additionalProperties": S}), ({**P, "additionalProperties": S}, P),
    ({**P, "unevaluatedProperties": False}, P), ({**P, "minProperties": 2}, P), ({**P, "maxProperties": 2}, P),
    ({**P, "propertyNames": {"pattern": "^a"}}, P), ({**P, "patternProperties": {"^x": S}}, P),
    ({**P, "dependentRequired": {"a": ["b"]}}, P), ({**P, "dependentSchemas": {"a": {"required": ["b"]}}}, P),
    ({"properties": {"a": I}}, {"properties": {"a": N}}), ({"properties": {"a": {"properties": {"b": I}}}},
     {"properties": {"a": {"properties": {"b": N}}}}),
    ({"oneOf": [S, A]}, {"oneOf": [S, A, O]}), ({"anyOf": [S, A]}, {"anyOf": [S, A, O]}), ({"oneOf": [S, A]}, {}),
    ({"allOf": [P, {"required": ["a"]}]}, {"allOf": [P]}), ({"allOf": [P, {"maxProperties": 1}]}, P),
    ({"not": S}, {}), ({"not": {"type": ["string", "integer"]}}, {"not": S}), (False, {}),
    ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {}),
    ({**S, "oneOf": [{"const": "a"}, {"const": "b"}]}, {**S, "oneOf": [{"const": "a"}, {"const": "b"}, {"const": "c"}]}),
    ({**P, "additionalProperties": {"type": "integer"}}, {**P, "additionalProperties": {"type": "number"}}),
    ({**S, "contentEncoding": "base64"}, S), ({**S, "contentMediaType": "text/csv"}, S),
    ({"type": "object", "properties": {"a": {"type": "string", "enum": ["x"]}}}, P),
]  # fmt: skip

#: Neither holds all of the other: the way breaks in both directions, in requests and in responses.
OTHER: list[tuple[Any, Any]] = [
    (S, I), (S, O), (A, O), (S, {"type": "boolean"}), ({**S, "pattern": "^a"}, {**S, "pattern": "^b"}),
    ({**S, "format": "date"}, {**S, "format": "date-time"}), ({**S, "format": "uuid"}, {**S, "format": "email"}),
    ({**S, "enum": ["a", "b"]}, {**S, "enum": ["a", "c"]}), ({"const": 1}, {"const": 2}),
    ({**I, "minimum": 1, "maximum": 5}, {**I, "minimum": 2, "maximum": 6}),
    ({**I, "multipleOf": 2}, {**I, "multipleOf": 3}), ({**A, "items": S}, {**A, "items": I}),
    ({"properties": {"a": S}}, {"properties": {"a": I}}), ({"oneOf": [S, A]}, {"oneOf": [S, O]}),
    (S, {**A, "items": S}), ({**O, "additionalProperties": S}, {**O, "additionalProperties": I}),
]  # fmt: skip

#: The same set of values, or only words.
SAME: list[tuple[Any, Any]] = [
    (S, {**S, "description": "d", "title": "t", "example": "e", "examples": ["e"], "externalDocs": {}, "x-y": 1}),
    (S, {**S, "default": "d"}), (S, {**S, "deprecated": True}), (S, {"type": ["string"]}), ({}, True),
    (P, {**P, "additionalProperties": True}), (P, {**P, "additionalProperties": {}}), (S, {"allOf": [S]}),
    ({"const": 1}, {"enum": [1]}), (S, {"oneOf": [S]}), (S, {"$comment": "c", **S}), (P, {**P, "required": []}),
    ({"type": ["string", "null"]}, {"oneOf": [S, {"type": "null"}]}), ({"type": ["string", "integer"]}, {"anyOf": [I, S]}),
    ({**I, "minimum": 1}, {**I, "exclusiveMinimum": 0}), ({**S, "enum": ["a", "b"]}, {**S, "enum": ["b", "a"]}),
    ({"oneOf": [S, A]}, {"oneOf": [A, S]}), ({**A, "minItems": 0}, A), ({**A, "uniqueItems": False}, A),
    ({"oneOf": [P, S], "discriminator": {"propertyName": "a"}}, {"oneOf": [P, S]}),
    ({**S, "pattern": ".*"}, S), ({**I, "multipleOf": 1}, I),
]  # fmt: skip


@pytest.mark.parametrize(("narrow", "wide"), NARROWER, ids=json.dumps)
def test_a_set_and_a_part_of_it(narrow: Any, wide: Any) -> None:
    assert broken(request(wide), request(narrow)), "a request that became narrower"
    assert not broken(request(narrow), request(wide)), "a request that became wider"
    assert broken(response(narrow), response(wide)), "a response that became wider"
    assert not broken(response(wide), response(narrow)), "a response that became narrower"


@pytest.mark.parametrize(("one", "other"), OTHER, ids=json.dumps)
def test_sets_of_which_neither_holds_the_other(one: Any, other: Any) -> None:
    for build in (request, response):
        assert broken(build(one), build(other))
        assert broken(build(other), build(one))


@pytest.mark.parametrize(("one", "other"), SAME, ids=json.dumps)
def test_the_same_set(one: Any, other: Any) -> None:
    for build in (request, response):
        assert not broken(build(one), build(other))
        assert not broken(build(other), build(one))


def query(**keys: Any) -> dict[str, Any]:
    return parameter(**keys)


def placed(place: str, **keys: Any) -> dict[str, Any]:
    return document({"parameters": [{"name": "p", "in": place, "schema": S, **keys}]})


def answered(**responses: Any) -> dict[str, Any]:
    return document({"responses": {key.lstrip("s"): value for key, value in responses.items()}})


def gives(media: str, schema: Any = S) -> dict[str, Any]:
    return response(schema, media)


def takes(media: str, schema: Any = S) -> dict[str, Any]:
    return request(schema, media)


def at(path: str, **methods: Any) -> dict[str, Any]:
    return {**EMPTY, "paths": {path: methods or {"get": {"responses": {}}}}}


CSV, VND, ANY = "text/csv", "application/vnd.x+json", "*/*"
OPS = {each: {"responses": {}} for each in ("get", "head", "options", "trace")}
LIST, MAP = {"type": "array", "items": S}, {"type": "object", "additionalProperties": S}

#: (what it is, whether there breaks, whether back breaks, one document, the other)
AROUND: list[tuple[str, bool, bool, dict[str, Any], dict[str, Any]]] = [
    ("vendor media type renamed, response", True, True, gives(VND), gives("application/vnd.y+json")),
    ("vendor media type renamed, request", True, True, takes(VND), takes("application/vnd.y+json")),
    ("any media type taken", False, True, takes(CSV), takes(ANY)),
    ("any media type given", True, False, gives(CSV), gives(ANY)),
    ("charset of a response", True, True, gives("text/csv; charset=latin1"), gives("text/csv; charset=utf-16")),
    ("charset that is the usual one", False, False, gives("application/json"), gives("application/json;charset=UTF-8")),
    ("media type in another case", False, False, gives("Application/JSON"), gives("application/json")),
    ("default response beside", False, False, answered(s200={}), answered(s200={}, default={})),
    ("range of statuses beside", False, False, answered(s200={}), answered(s200={}, s4XX={})),
    ("success to another success", True, True, answered(s200={}), answered(s201={})),
    ("content of a response", False, True, answered(s200={}), gives("application/json")),
    ("parameter query to header", True, True, placed("query"), placed("header")),
    ("parameter query to cookie", True, True, placed("query"), placed("cookie")),
    ("optional cookie", False, True, document(), placed("cookie")),
    ("required header", True, True, document(), placed("header", required=True)),
    ("optional header", False, True, document(), placed("header")),
    ("deepObject", True, True, query(schema=MAP), query(schema=MAP, style="deepObject", explode=True)),
    ("pipeDelimited", True, True, query(schema=LIST), query(schema=LIST, style="pipeDelimited")),
    ("explode of a header", True, True, placed("header", schema=MAP), placed("header", schema=MAP, explode=True)),
    ("reserved", False, True, query(schema=S), query(schema=S, allowReserved=True)),
    ("empty value", False, True, query(schema=S), query(schema=S, allowEmptyValue=True)),
    ("content of a parameter", True, True, query(schema=MAP), query(content={"application/json": {"schema": MAP}})),
    ("bound of a parameter", True, False, query(schema=S), query(schema={**S, "maxLength": 2})),
    ("values of a parameter", True, False, query(schema={"enum": ["a", "b"]}), query(schema={"enum": ["a"]})),
    ("default of a parameter", False, False, query(schema=I), query(schema={**I, "default": 2})),
    ("deprecated parameter", False, False, query(schema=S), query(schema=S, deprecated=True)),
    ("words of a parameter", False, False, query(schema=S), query(schema=S, description="d", example="e")),
    ("bound of a response header", False, True, header(schema=S), header(schema={**S, "maxLength": 2})),
    ("type of a response header", True, True, header(schema=I), header(schema={"type": "boolean"})),
    ("optional body", False, True, document(), request(S)),
    ("required body", True, True, document(), request(S, required=True)),
    ("trailing slash", True, True, at("/a"), at("/a/")),
    ("case of a path", True, True, at("/a"), at("/A")),
    ("path renamed", True, True, at("/a"), at("/b")),
    ("name of a path parameter", False, False, at("/a/{x}"), at("/a/{y}")),
    *((f"operation {each}", True, False, at("/a", **OPS), at("/a", **{k: v for k, v in OPS.items() if k != each}))
      for each in OPS),
    ("key by query", True, True, secured({"k": []}, k=KEY), secured({"k": []}, k={**KEY, "in": "query"})),
    ("key to HTTP", True, True, secured({"k": []}, k=KEY), secured({"k": []}, k={"type": "http", "scheme": "basic"})),
    ("one of two keys", True, False, secured({"k": []}, {"o": []}), secured({"k": []})),
    ("scheme unused", False, False, document(), document(components={"securitySchemes": {"k": KEY}})),
    ("component unused", False, False, document(), document(components={"schemas": {"A": S}, "parameters": {}})),
    ("info", False, False, document(), {**document(), "info": {"title": "n", "version": "9", "contact": {}, "license": {}}}),
    ("tags and docs", False, False, document(), document(tags=[{"name": "a"}], externalDocs={"url": "u"})),
    ("extensions", False, False, document(), document({"x-a": 1}, **{"x-b": {"c": 2}})),
    ("words of an operation", False, False, document(), document({"summary": "s", "description": "d", "tags": ["t"]})),
    ("second server", False, True, document(servers=[{"url": "/a"}]), document(servers=[{"url": "/a"}, {"url": "/b"}])),
    ("server of an operation", False, False, document(servers=[{"url": "/a"}]),
     document({"servers": [{"url": "/a"}]}, servers=[{"url": "/a"}])),
    ("other server of an operation", True, True, document({"servers": [{"url": "/a"}]}),
     document({"servers": [{"url": "/b"}]})),
    ("sibling of a reference in 3.0", False, False,
     {**request({"$ref": "#/components/schemas/A"}), "openapi": "3.0.3", "components": {"schemas": {"A": S}}},
     {**request({"$ref": "#/components/schemas/A", "maxLength": 1}), "openapi": "3.0.3",
      "components": {"schemas": {"A": S}}}),
    ("nullable in 3.0", False, True, {**request(S), "openapi": "3.0.3"},
     {**request({**S, "nullable": True}), "openapi": "3.0.3"}),
    ("version of OpenAPI", False, False, {**request(S), "openapi": "3.0.3"}, request(S)),
    ("read-only property demanded", False, False, request(O),
     request({**O, "required": ["i"], "properties": {"i": {**S, "readOnly": True}}})),
    ("write-only property in a response", False, False, response(O),
     response({**O, "properties": {"i": {**S, "writeOnly": True}}})),
]  # fmt: skip


@pytest.mark.parametrize(("there", "back", "one", "other"), [row[1:] for row in AROUND], ids=[row[0] for row in AROUND])
def test_around_schemas(there: bool, back: bool, one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (bool(broken(one, other)), bool(broken(other, one))) == (there, back)
