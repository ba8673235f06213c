"""Documents of contracts for the tests of the reference pages."""

from __future__ import annotations

from typing import Any

EVIL = """<script>alert(1)</script>"><img src=x onerror=alert(1)>'`&amp;"""


def large(operations: int) -> dict[str, Any]:
    """A contract of many operations with bodies, schemas inside of themselves, and an end in sight for some."""
    paths: dict[str, Any] = {}
    for number in range(operations // 2):
        listing = {
            "operationId": f"list_things_{number}", "tags": [f"group {number % 12}"], "summary": f"Things {number}",
            "description": "What `there` is.", "deprecated": number % 10 == 0, "x-sunset": "2027-06-30",
            "security": [{"Bearer": ["things.read"]}, {"ApiKey": []}],
            "parameters": [
                {"in": "query", "name": "sort", "required": True, "schema": {"type": "string", "enum": ["a", "b"]}},
                {"$ref": "#/components/parameters/Page"},
            ],
            "responses": {
                "200": {"description": "Things.", "content": {"application/json": {"schema": {
                    "type": "array", "items": {"$ref": "#/components/schemas/Thing"}}}},
                    "headers": {"ETag": {"description": "The version.", "schema": {"type": "string"}}}},
                "404": {"description": "`not_found`: there is none."},
            },
        }  # fmt: skip
        making = {
            "operationId": f"create_thing_{number}", "tags": [f"group {number % 12}"],
            "summary": f"A new thing {number}",
            "security": [{"Bearer": ["things.write"]}],
            "requestBody": {"required": True, "content": {"application/json": {"schema": {
                "$ref": "#/components/schemas/Thing"}}}},
            "responses": {"201": {"description": "Made."}, "409": {"description": "`conflict`"}},
        }  # fmt: skip
        paths[f"/things{number}"] = {"get": listing, "post": making}
    thing = {
        "type": "object", "description": "A thing.", "required": ["id"], "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "format": "uuid", "readOnly": True},
            "parent": {"oneOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "null"}]},
            "children": {"type": "array", "maxItems": 10, "items": {"$ref": "#/components/schemas/Thing"}},
            "size": {"type": "number", "exclusiveMinimum": 0, "maximum": 9.5, "multipleOf": 0.5, "default": 1},
            "owner": {"allOf": [{"$ref": "#/components/schemas/Owner"}], "deprecated": True, "x-sunset": "2027-01-01"},
            "either": {"oneOf": [{"$ref": "#/components/schemas/Owner"}, {"$ref": "#/components/schemas/Label"}]},
            "labels": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Label"}},
        },
    }  # fmt: skip
    return {
        "openapi": "3.1.0", "info": {"title": "Things", "version": "2026-01-01", "description": "Many things."},
        "servers": [{"url": "/api/v1"}], "paths": paths,
        "components": {
            "schemas": {
                "Thing": thing,
                "Owner": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 80}}},
                "Label": {"type": "object", "properties": {"text": {"type": "string", "pattern": "^[a-z]+$"}}},
            },
            "parameters": {"Page": {"in": "query", "name": "page", "schema": {"type": "integer", "minimum": 1}}},
            "securitySchemes": {
                "Bearer": {"type": "http", "scheme": "bearer", "description": "A token."},
                "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }  # fmt: skip


def hostile() -> dict[str, Any]:
    """Every text of the document is an attempt to leave the text."""
    words = ("type", "description", "pattern", "default", "format")
    member = {"enum": [EVIL], **dict.fromkeys(words, EVIL)}
    schema = {"type": "object", "title": EVIL, "description": EVIL, "properties": {EVIL: member}}
    operation = {
        "operationId": EVIL, "summary": EVIL, "description": EVIL, "tags": [EVIL], "x-sunset": EVIL, "deprecated": True,
        "security": [{EVIL: [EVIL]}], "parameters": [
            {"in": EVIL, "name": EVIL, "description": EVIL, "schema": {"$ref": f"#/components/schemas/{EVIL}"}}],
        "requestBody": {"description": EVIL, "content": {EVIL: {"schema": schema, "example": {EVIL: EVIL}}}},
        "responses": {EVIL: {"description": EVIL}, "200": {"description": EVIL, "content": {EVIL: {"schema": schema}},
                                                           "headers": {EVIL: {"description": EVIL}}}},
    }  # fmt: skip
    return {
        "openapi": "3.1.0", "info": {"title": EVIL, "version": EVIL, "description": EVIL}, "servers": [{"url": EVIL}],
        "paths": {f"/{EVIL}": {"get": operation}},
        "components": {"schemas": {EVIL: schema}, "securitySchemes": {
            EVIL: {"type": "apiKey", "in": EVIL, "name": EVIL, "description": EVIL}}},
    }  # fmt: skip
