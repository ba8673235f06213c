"""Swagger 2.0 is read as the OpenAPI 3.0 document that says the same."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.reading import UnreadableDocument, read_document, read_path
from tests.contract.law.builders import JSON, broken, compared

PET = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "n": {"type": "integer"}}}
OLD: dict[str, Any] = {
    "swagger": "2.0",
    "info": {"title": "t", "version": "1"},
    "host": "pets.example",
    "basePath": "/v1",
    "schemes": ["https"],
    "consumes": [JSON],
    "produces": [JSON],
    "parameters": {"tags": {"name": "tags", "in": "query", "type": "array", "items": {"type": "string"}}},
    "responses": {"lost": {"description": "", "schema": {"$ref": "#/definitions/Pet"}}},
    "securityDefinitions": {
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "basic": {"type": "basic"},
        "auth": {"type": "oauth2", "flow": "accessCode", "authorizationUrl": "https://a", "tokenUrl": "https://t",
                 "scopes": {"r": ""}},
    },
    "security": [{"key": []}, {"basic": []}, {"auth": ["r"]}],
    "definitions": {
        "Pet": {**PET, "discriminator": "kind"},
        "Note": {"type": "string", "x-nullable": True},
        "Copy": {"$ref": "#/responses/lost/schema"},
    },
    "paths": {
        "/pets/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "type": "string"}],
            "get": {
                "parameters": [
                    {"$ref": "#/parameters/tags"},
                    {"name": "sort", "in": "query", "type": "array", "items": {"type": "string"},
                     "collectionFormat": "multi"},
                    {"name": "pick", "in": "query", "type": "array", "items": {"type": "string"},
                     "collectionFormat": "pipes"},
                ],
                "responses": {
                    "200": {"description": "", "schema": {"$ref": "#/definitions/Pet"},
                            "headers": {"X-Next": {"type": "string", "maxLength": 9}}},
                    "404": {"$ref": "#/responses/lost"},
                },
            },
            "put": {
                "parameters": [{"name": "a", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Pet"}}],
                "responses": {"200": {"description": "", "schema": {"$ref": "#/definitions/Note"}}},
            },
            "post": {
                "consumes": ["multipart/form-data"], "produces": ["image/png"],
                "parameters": [{"name": "photo", "in": "formData", "type": "file", "required": True},
                               {"name": "title", "in": "formData", "type": "string"}],
                "responses": {"200": {"description": "", "schema": {"type": "file"}},
                              "202": {"description": "", "schema": {"$ref": "#/definitions/Copy"}}},
            },
        }
    },
}  # fmt: skip


def content(schema: Any, media: str = JSON) -> dict[str, Any]:
    return {"content": {media: {"schema": schema}}}


def twin() -> dict[str, Any]:
    """What OLD says, written by hand in 3.0."""
    pet, text = {"$ref": "#/components/schemas/Pet"}, {"type": "array", "items": {"type": "string"}}
    picture = {"type": "string", "format": "binary"}
    flow = {"authorizationUrl": "https://a", "tokenUrl": "https://t", "scopes": {"r": ""}}
    form = {"type": "object", "required": ["photo"], "properties": {"photo": picture, "title": {"type": "string"}}}
    get = {
        "parameters": [
            {"name": "tags", "in": "query", "explode": False, "schema": text},
            {"name": "sort", "in": "query", "schema": text},
            {"name": "pick", "in": "query", "style": "pipeDelimited", "explode": False, "schema": text},
        ],
        "responses": {
            "200": {**content(pet), "headers": {"X-Next": {"schema": {"type": "string", "maxLength": 9}}}},
            "404": content(pet),
        },
    }
    item = {
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "get": get,
        "put": {
            "requestBody": {**content(pet), "required": True},
            "responses": {"200": content({"type": "string", "nullable": True})},
        },
        "post": {
            "requestBody": {**content(form, "multipart/form-data"), "required": True},
            "responses": {"200": content(picture, "image/png"), "202": content(pet, "image/png")},
        },
    }
    schemes = {
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "basic": {"type": "http", "scheme": "basic"},
        "auth": {"type": "oauth2", "flows": {"authorizationCode": flow}},
    }
    return {
        "openapi": "3.0.3",
        "info": {},
        "servers": [{"url": "https://pets.example/v1"}],
        "security": OLD["security"],
        "paths": {"/pets/{id}": item},
        "components": {
            "schemas": {"Pet": {**PET, "discriminator": {"propertyName": "kind"}}},
            "securitySchemes": schemes,
        },
    }


def read(document: Any) -> dict[str, Any]:
    return read_document(json.dumps(document).encode(), "a.json", older=True).openapi


def test_a_document_equals_its_twin_in_both_directions() -> None:
    assert compared(read(OLD), twin()) == []
    assert compared(twin(), read(OLD)) == []
    assert compared(read(OLD), read(OLD)) == []


#: (the rule that blocks, a place of OLD, what stands there in the revision)
CHANGES: list[tuple[str | None, tuple[Any, ...], Any]] = [
    ("server-removed", ("host",), "other.example"),
    ("server-removed", ("basePath",), "/v2"),
    (None, ("schemes",), ["https", "http"]),
    ("security-scheme", ("securityDefinitions", "key", "name"), "X-Other"),
    ("schema-type", ("definitions", "Pet", "properties", "n", "type"), "string"),
    ("schema-required-added", ("definitions", "Pet", "required"), ["kind", "n"]),
    (None, ("definitions", "Pet", "discriminator"), "n"),
    ("parameter-explode", ("parameters", "tags", "collectionFormat"), "multi"),
    ("parameter-style", ("parameters", "tags", "collectionFormat"), "ssv"),
    ("schema-min-items", ("parameters", "tags", "minItems"), 1),
    ("parameter-required", ("parameters", "tags", "required"), True),
    ("media-type-removed", ("produces",), ["application/xml"]),
    ("schema-max-length", ("paths", "/pets/{id}", "get", "responses", "200", "headers", "X-Next", "maxLength"), 10),
    ("schema-required-added", ("paths", "/pets/{id}", "post", "parameters", 1, "required"), True),
    ("schema-type", ("paths", "/pets/{id}", "post", "parameters", 1, "type"), "integer"),
    ("body-removed", ("paths", "/pets/{id}", "put", "parameters"), []),
    (None, ("paths", "/pets/{id}", "get", "description"), "other words"),
]


@pytest.mark.parametrize(("rule", "place", "value"), CHANGES, ids=range(len(CHANGES)))
def test_changes(rule: str | None, place: tuple[Any, ...], value: Any) -> None:
    revision = json.loads(json.dumps(OLD))
    holder = revision
    for name in place[:-1]:
        holder = holder[name]
    holder[place[-1]] = value
    assert broken(read(OLD), read(revision)) == ({rule} if rule else set())


def test_an_address_without_a_scheme_is_one_of_any_scheme() -> None:
    bare = {key: value for key, value in OLD.items() if key != "schemes"}
    assert not broken(read(bare), twin())
    assert not broken(twin(), read(bare))


def test_other_files_are_taken_in(tmp_path: Path) -> None:
    (tmp_path / "parts.json").write_text(json.dumps({"definitions": {"A": {**PET, "discriminator": "kind"}}}))
    document = {**OLD, "definitions": {**OLD["definitions"], "Pet": {"$ref": "parts.json#/definitions/A"}}}
    (tmp_path / "api.json").write_text(json.dumps(document))
    assert compared(read_path(tmp_path / "api.json").openapi, read(OLD)) == []


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [each for key, child in entries for each in _places(child, (*path, key))]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(["#/definitions/Pet", "file"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["$ref", "in", "type", "name"]), inner),
    max_leaves=4,
)


@settings(max_examples=400, derandomize=True, deadline=None, database=None)
@given(place=st.sampled_from(_places(OLD)), value=JUNK)
def test_whatever_stands_somewhere_no_other_exception_comes(place: tuple[Any, ...], value: Any) -> None:
    document = json.loads(json.dumps(OLD))
    holder = document
    for name in place[:-1]:
        holder = holder[name]
    holder[place[-1]] = value
    try:
        compared(read(OLD), read(document))
        compared(read(document), read(OLD))
    except UnreadableDocument:
        assert place == ("swagger",)


def test_another_version_or_too_deep_a_document_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"items": deep}
    for document, reason in (({**OLD, "swagger": "1.2"}, "2.0"), ({**OLD, "definitions": {"A": deep}}, "deeper")):
        with pytest.raises(UnreadableDocument, match=reason):
            read(document)
