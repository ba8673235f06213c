"""Verdicts by first principles: who is refused, or receives what was excluded before, breaks; nothing else does."""

from typing import Any

import pytest

from tests.contract.law.builders import broken, document, parameter, request, response
from tests.contract.law.test_objects import EMPTY, KEY, answers, secured

MEW: dict[str, Any] = {"type": "object", "required": ["m"], "properties": {"m": {"type": "string"}}}


def shared(schema: Any, **components: Any) -> dict[str, Any]:
    return {**request(schema), "components": {"schemas": components}}


#: (what it is, whether it breaks, base, revision)
PROBES: list[tuple[str, bool, dict[str, Any], dict[str, Any]]] = [
    (
        "req prop type int->num",
        False,
        request({"properties": {"a": {"type": "integer"}}}),
        request({"properties": {"a": {"type": "number"}}}),
    ),
    (
        "resp int->num",
        True,
        response({"properties": {"a": {"type": "integer"}}}),
        response({"properties": {"a": {"type": "number"}}}),
    ),
    ("resp num->int", False, response({"type": "number"}), response({"type": "integer"})),
    (
        "int32->int64 req",
        False,
        request({"type": "integer", "format": "int32"}),
        request({"type": "integer", "format": "int64"}),
    ),
    (
        "int32->int64 resp",
        True,
        response({"type": "integer", "format": "int32"}),
        response({"type": "integer", "format": "int64"}),
    ),
    (
        "float->double resp",
        True,
        response({"type": "number", "format": "float"}),
        response({"type": "number", "format": "double"}),
    ),
    (
        "date->date-time",
        True,
        request({"type": "string", "format": "date"}),
        request({"type": "string", "format": "date-time"}),
    ),
    (
        "map value type",
        True,
        response({"additionalProperties": {"type": "integer"}}),
        response({"additionalProperties": {"type": "string"}}),
    ),
    (
        "map to declared same",
        False,
        request({"additionalProperties": {"type": "string"}}),
        request({"additionalProperties": {"type": "string"}, "properties": {"a": {"type": "string"}}}),
    ),
    (
        "oneOf add resp",
        True,
        response({"oneOf": [{"type": "string"}]}),
        response({"oneOf": [{"type": "string"}, {"type": "object", "required": ["x"]}]}),
    ),
    (
        "oneOf add req",
        False,
        request({"oneOf": [{"type": "string"}]}),
        request({"oneOf": [{"type": "string"}, {"type": "object", "required": ["x"]}]}),
    ),
    (
        "single to oneOf req",
        False,
        request(MEW),
        request(
            {
                "oneOf": [
                    MEW,
                    {
                        "type": "object",
                        "required": ["b"],
                        "properties": {"b": {"type": "integer"}, "m": {"type": "integer"}},
                    },
                ]
            }
        ),
    ),
    (
        "nullable alt",
        True,
        response({"oneOf": [MEW, {"type": "string"}]}),
        response({"oneOf": [MEW, {"type": "string"}, {"type": "null"}]}),
    ),
    ("allOf adds required", True, request({"allOf": [MEW]}), request({"allOf": [MEW, {"required": ["z"]}]})),
    (
        "nested array item req",
        True,
        request({"type": "array", "items": {"properties": {"a": {}}}}),
        request({"type": "array", "items": {"properties": {"a": {}}, "required": ["a"]}}),
    ),
    ("const change", True, request({"const": 1}), request({"const": 2})),
    (
        "readOnly req bound",
        False,
        request({"properties": {"a": {"type": "string", "readOnly": True}}}),
        request({"properties": {"a": {"type": "string", "readOnly": True, "maxLength": 3}}}),
    ),
    (
        "param moved",
        True,
        parameter(schema={}),
        document({"parameters": [{"name": "p", "in": "header", "schema": {}}]}),
    ),
    (
        "param case header",
        False,
        document({"parameters": [{"name": "X-P", "in": "header", "schema": {}}]}),
        document({"parameters": [{"name": "x-p", "in": "header", "schema": {}}]}),
    ),
    (
        "param case query",
        True,
        parameter(schema={}),
        document({"parameters": [{"name": "P", "in": "query", "schema": {}}]}),
    ),
    (
        "param content type",
        True,
        document(
            {
                "parameters": [
                    {"name": "p", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}}
                ]
            }
        ),
        parameter(schema={"type": "object"}),
    ),
    (
        "param content schema",
        True,
        document(
            {
                "parameters": [
                    {"name": "p", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}}
                ]
            }
        ),
        document(
            {
                "parameters": [
                    {
                        "name": "p",
                        "in": "query",
                        "content": {"application/json": {"schema": {"type": "object", "required": ["a"]}}},
                    }
                ]
            }
        ),
    ),
    (
        "enum param int vs str",
        False,
        parameter(schema={"type": "integer", "enum": [1, 2]}),
        parameter(schema={"type": "string", "enum": ["1", "2", "3"]}),
    ),
    (
        "enum->string param",
        False,
        parameter(schema={"type": "string", "enum": ["a"]}),
        parameter(schema={"type": "string"}),
    ),
    (
        "default status only",
        False,
        document(
            {"responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}}}
        ),
        document(
            {
                "responses": {
                    "default": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}
                }
            }
        ),
    ),
    ("resp body schema added", False, response({}), response({"type": "object"})),
    ("resp body schema removed", True, response({"type": "object"}), response({})),
    ("empty security vs none", False, secured(), document({"security": []})),
    ("global sec added", True, document(), document(security=[{"k": []}], components={"securitySchemes": {"k": KEY}})),
    ("sec AND reorder", False, secured({"k": [], "o": ["r", "w"]}), secured({"o": ["w", "r"], "k": []})),
    ("sec or to and", True, secured({"k": []}, {"o": []}), secured({"k": [], "o": []})),
    ("unused scheme removed", False, document(components={"securitySchemes": {"k": KEY}}), document(components={})),
    ("unused schema", False, document(components={"schemas": {"A": {"type": "string"}}}), document(components={})),
    (
        "server var enum",
        True,
        document(servers=[{"url": "https://{r}.a", "variables": {"r": {"default": "x", "enum": ["x", "y"]}}}]),
        document(servers=[{"url": "https://{r}.a", "variables": {"r": {"default": "x", "enum": ["x"]}}}]),
    ),
    (
        "link removed",
        False,
        document({"responses": {"200": {"description": "", "links": {"a": {"operationId": "x"}}}}}),
        document(),
    ),
    ("webhook add", False, EMPTY, {**EMPTY, "webhooks": {"a": {"post": {"responses": {}}}}}),
    ("webhook rm", True, {**EMPTY, "webhooks": {"a": {"post": {"responses": {}}}}}, EMPTY),
    ("prop rename resp", True, response({"properties": {"a": {}}}), response({"properties": {"b": {}}})),
    (
        "prop removed closed req",
        True,
        request({"properties": {"a": {}}, "additionalProperties": False}),
        request({"properties": {}, "additionalProperties": False}),
    ),
    (
        "pattern prop",
        False,
        request({"patternProperties": {"^x": {"type": "string"}}}),
        request({"patternProperties": {"^x": {"type": "string"}}, "properties": {"xa": {"type": "string"}}}),
    ),
    (
        "if same",
        False,
        request({"if": {"required": ["a"]}, "then": {"required": ["b"]}}),
        request({"if": {"required": ["a"]}, "then": {"required": ["b"]}}),
    ),
    ("anyOf req removal of null", True, request({"anyOf": [MEW, {"type": "null"}]}), request({"anyOf": [MEW]})),
    (
        "type any->string resp",
        False,
        response({"properties": {"a": {}}}),
        response({"properties": {"a": {"type": "string"}}}),
    ),
    ("uuid fmt removed req", False, request({"type": "string", "format": "uuid"}), request({"type": "string"})),
    (
        "multipart prop int->string",
        False,
        request({"properties": {"a": {"type": "integer"}}}, "multipart/form-data"),
        request({"properties": {"a": {"type": "string"}}}, "multipart/form-data"),
    ),
    ("charset", False, response({}, "text/plain"), response({}, "text/plain; charset=utf-8")),
    ("204 to 200", True, answers("204"), answers("200")),
    (
        "recursive",
        True,
        shared({"$ref": "#/components/schemas/N"}, N={"properties": {"n": {"$ref": "#/components/schemas/N"}}}),
        shared(
            {"$ref": "#/components/schemas/N"},
            N={"properties": {"n": {"$ref": "#/components/schemas/N"}}, "required": ["n"]},
        ),
    ),
    (
        "expl default",
        False,
        parameter(schema={"type": "array"}),
        parameter(schema={"type": "array"}, required=False, deprecated=False, allowReserved=False),
    ),
    (
        "deepObject",
        True,
        parameter(schema={"type": "object"}, style="deepObject", explode=True),
        parameter(schema={"type": "object"}),
    ),
    ("minItems 0", False, request({"type": "array"}), request({"type": "array", "minItems": 0})),
    (
        "ref sibling 3.1",
        True,
        shared({"$ref": "#/components/schemas/N"}, N={"type": "string"}),
        shared({"$ref": "#/components/schemas/N", "maxLength": 3}, N={"type": "string"}),
    ),
    (
        "tag enum disc",
        True,
        response(
            {
                "oneOf": [
                    {"title": "a", "properties": {"t": {"const": "a"}}, "required": ["t"]},
                    {"title": "b", "properties": {"t": {"const": "b"}}, "required": ["t"]},
                ]
            }
        ),
        response(
            {
                "oneOf": [
                    {"title": "a", "properties": {"t": {"const": "a"}}, "required": ["t"]},
                    {"title": "b", "properties": {"t": {"const": "b"}}, "required": ["t"]},
                    {"title": "c", "properties": {"t": {"const": "c"}}, "required": ["t"]},
                ]
            }
        ),
    ),
    (
        "method removed",
        True,
        {**EMPTY, "paths": {"/a": {"get": {}, "post": {}}}},
        {**EMPTY, "paths": {"/a": {"get": {}}}},
    ),
    (
        "path ref",
        False,
        {**EMPTY, "paths": {"/a": {"get": {"responses": {}}}}},
        {
            **EMPTY,
            "paths": {"/a": {"$ref": "#/components/pathItems/A"}},
            "components": {"pathItems": {"A": {"get": {"responses": {}}}}},
        },
    ),
]


@pytest.mark.parametrize(("breaks", "base", "revision"), [row[1:] for row in PROBES], ids=[row[0] for row in PROBES])
def test_probes(breaks: bool, base: dict[str, Any], revision: dict[str, Any]) -> None:
    assert bool(broken(base, revision)) is breaks
