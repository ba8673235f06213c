"""A witness is proven: one side takes it, the other does not."""

from typing import Any

import jsonschema_rs
import pytest

from services.contracts.findings import Direction, Finding, Verdict
from tests.contract.law.builders import compared, document, header, parameter, request, response

OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}
#: (the wider schema, the narrower one)
WITNESSED: list[tuple[Any, Any]] = [
    (OPEN, {**OPEN, "additionalProperties": False}),
    (OPEN, {**OPEN, "required": ["a"]}),
    ({"type": "object"}, {"type": "object", "minProperties": 2}),
    ({"type": "object"}, {"type": "object", "maxProperties": 1}),
    ({"type": "integer"}, {"type": "integer", "multipleOf": 4}),
    ({"type": "array"}, {"type": "array", "uniqueItems": True}),
    ({"type": "array"}, {"type": "array", "maxItems": 3}),
    ({"type": "number", "minimum": 5}, {"type": "number", "exclusiveMinimum": 5}),
    ({"type": "number", "maximum": 5}, {"type": "number", "exclusiveMaximum": 5}),
    ({"type": "integer", "maximum": 900}, {"type": "integer", "maximum": 899}),
    ({"type": "string", "maxLength": 40}, {"type": "string", "maxLength": 39}),
    ({"type": "string"}, {"type": "string", "pattern": "^[0-9]+$"}),
    ({"type": "string"}, {"type": "string", "format": "uuid"}),
    ({"enum": ["a", "b"]}, {"enum": ["a"]}),
    ({"type": ["string", "null"]}, {"type": "string"}),
    ({}, {"type": "object"}),
]


def only(found: list[Finding]) -> Finding:
    (breaking,) = [each for each in found if each.verdict is Verdict.BREAKING]
    return breaking


def proven(finding: Finding, wide: Any, narrow: Any) -> bool:
    if finding.witness is None:
        return False
    takes, refuses = (jsonschema_rs.Draft202012Validator(each, validate_formats=True) for each in (wide, narrow))
    return takes.is_valid(finding.witness.value) and not refuses.is_valid(finding.witness.value)


@pytest.mark.parametrize(("wide", "narrow"), WITNESSED, ids=range(len(WITNESSED)))
def test_a_request_that_was_valid_and_a_response_that_was_not(wide: Any, narrow: Any) -> None:
    asked = only(compared(request(wide), request(narrow)))
    answered = only(compared(response(narrow), response(wide)))
    assert (asked.direction, answered.direction) == (Direction.REQUEST, Direction.RESPONSE)
    assert proven(asked, wide, narrow)
    assert proven(answered, wide, narrow)


@pytest.mark.parametrize(("wide", "narrow"), WITNESSED[7:13], ids=range(7, 13))
def test_inside_parameters_and_headers_too(wide: Any, narrow: Any) -> None:
    assert proven(only(compared(parameter(schema=wide), parameter(schema=narrow))), wide, narrow)
    assert proven(only(compared(header(schema=narrow), header(schema=wide))), wide, narrow)


def test_a_recursive_schema_has_a_witness() -> None:
    def tree(kind: str) -> dict[str, Any]:
        node = {
            "type": "object",
            "properties": {"kids": {"items": {"$ref": "#/components/schemas/N"}}, "v": {"type": kind}},
        }
        return {**request({"$ref": "#/components/schemas/N"}), "components": {"schemas": {"N": node}}}

    assert only(compared(tree("string"), tree("integer"))).witness is not None


SCHEMES: dict[str, Any] = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "flow": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://t", "scopes": {"a": "", "b": ""}}}},
}


def guarded(*security: dict[str, list[str]], **changed: Any) -> dict[str, Any]:
    return document({"security": list(security)}) | {"components": {"securitySchemes": SCHEMES | changed}}


LIST = {"type": "array", "items": {"type": "string"}}
RENAMED = {"type": "apiKey", "in": "header", "name": "X-Other"}
#: (the probe, base, revision, the part of a request that was accepted before)
SENT = [
    ("security added to an open operation", document({}), guarded({"key": []}), {"headers": {}}),
    (
        "a scope added",
        guarded({"flow": ["a"]}),
        guarded({"flow": ["a", "b"]}),
        {"headers": {"Authorization": "Bearer a valid credential of flow with the scopes a"}},
    ),
    (
        "the header of a key renamed",
        guarded({"key": []}),
        guarded({"key": []}, key=RENAMED),
        {"headers": {"X-Key": "a valid key"}},
    ),
    ("explode", parameter(schema=LIST), parameter(schema=LIST, explode=False), {"query": "p=a&p=b"}),
    ("style", parameter(schema=LIST), parameter(schema=LIST, style="pipeDelimited"), {"query": "p=a&p=b"}),
    ("the other style", parameter(schema=LIST, style="pipeDelimited", explode=False), parameter(schema=LIST),
     {"query": "p=a%7Cb"}),
    ("a parameter demanded", parameter(schema={}), parameter(schema={}, required=True), {"query": {}}),
    ("a demanded parameter added", document({}), parameter(schema={}, required=True), {"query": {}}),
]  # fmt: skip


@pytest.mark.parametrize(("probe", "base", "revision", "sent"), SENT, ids=[each[0] for each in SENT])
def test_a_request_is_shown_as_it_was_sent(probe: str, base: Any, revision: Any, sent: Any) -> None:
    shown = only(compared(base, revision)).witness
    assert shown is not None, probe
    assert shown.value == sent


def test_what_cannot_be_shown_has_none() -> None:
    """One value is written alike by every style of a query."""
    found = compared(parameter(schema={"type": "string"}), parameter(schema={"type": "string"}, explode=False))
    assert only(found).witness is None
