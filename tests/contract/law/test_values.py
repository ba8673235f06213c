"""The law of values: what narrows breaks requests, what widens breaks responses, wherever the schema stands."""

from typing import Any

import pytest

from tests.contract.law.builders import broken, header, parameter, request, response

#: (rule, the wider schema, the narrower schema)
NARROWINGS: list[tuple[str, Any, Any]] = [
    ("schema-type", {"type": ["string", "integer"]}, {"type": "string"}),
    ("schema-type", {"type": "number"}, {"type": "integer"}),
    ("schema-type", {}, {"type": "object"}),
    ("schema-null", {"type": ["string", "null"]}, {"type": "string"}),
    ("schema-enum", {"type": "string"}, {"type": "string", "enum": ["a"]}),
    ("schema-enum-value", {"enum": ["a", "b"]}, {"enum": ["a"]}),
    ("schema-enum-value", {"enum": ["a", "b"]}, {"const": "a"}),
    ("schema-minimum", {"type": "integer"}, {"type": "integer", "minimum": 1}),
    ("schema-minimum", {"type": "number", "minimum": 1}, {"type": "number", "exclusiveMinimum": 1}),
    ("schema-maximum", {"type": "number", "maximum": 9}, {"type": "number", "exclusiveMaximum": 9}),
    ("schema-maximum", {"type": "integer", "maximum": 9}, {"type": "integer", "maximum": 8}),
    ("schema-multiple-of", {"type": "integer", "multipleOf": 5}, {"type": "integer", "multipleOf": 10}),
    ("schema-min-length", {"type": "string"}, {"type": "string", "minLength": 1}),
    ("schema-max-length", {"type": "string", "maxLength": 9}, {"type": "string", "maxLength": 8}),
    ("schema-pattern", {"type": "string"}, {"type": "string", "pattern": "^a"}),
    ("schema-format", {"type": "string"}, {"type": "string", "format": "uuid"}),
    ("schema-format", {"type": "integer", "format": "int64"}, {"type": "integer", "format": "int32"}),
    ("schema-content", {"type": "string"}, {"type": "string", "contentEncoding": "base64"}),
    ("schema-required", {"properties": {"a": {}}}, {"properties": {"a": {}}, "required": ["a"]}),
    ("schema-required", {"properties": {"a": {}}}, {"properties": {"a": {"default": 1}}, "required": ["a"]}),
    ("schema-min-properties", {"type": "object"}, {"type": "object", "minProperties": 1}),
    ("schema-max-properties", {"type": "object", "maxProperties": 3}, {"type": "object", "maxProperties": 2}),
    ("schema-additional-properties", {"type": "object"}, {"type": "object", "additionalProperties": False}),
    (
        "schema-additional-properties",
        {"type": "object"},
        {"type": "object", "additionalProperties": {"type": "string"}},
    ),
    ("schema-unevaluated-properties", {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
     {"anyOf": [{"required": ["a"]}, {"required": ["b"]}], "unevaluatedProperties": False}),
    ("schema-pattern-properties", {"type": "object"}, {"type": "object", "patternProperties": {"^x": {"minimum": 1}}}),
    ("schema-property-names", {"type": "object"}, {"type": "object", "propertyNames": {"maxLength": 3}}),
    ("schema-dependent-required", {"type": "object"}, {"type": "object", "dependentRequired": {"a": ["b"]}}),
    ("schema-dependent-schemas", {"type": "object"}, {"type": "object", "dependentSchemas": {"a": {"maxLength": 1}}}),
    ("schema-min-items", {"type": "array"}, {"type": "array", "minItems": 1}),
    ("schema-max-items", {"type": "array", "maxItems": 3}, {"type": "array", "maxItems": 2}),
    ("schema-unique-items", {"type": "array"}, {"type": "array", "uniqueItems": True}),
    ("schema-items", {"type": "array"}, {"type": "array", "items": {"type": "string"}}),
    ("schema-prefix-items", {"type": "array"}, {"type": "array", "prefixItems": [{"type": "string"}]}),
    ("schema-contains", {"type": "array"}, {"type": "array", "contains": {"const": 1}}),
    ("schema-min-contains", {"type": "array", "contains": {"const": 1}},
     {"type": "array", "contains": {"const": 1}, "minContains": 2}),
    ("schema-max-contains", {"type": "array", "contains": {"const": 1}},
     {"type": "array", "contains": {"const": 1}, "maxContains": 2}),
    ("schema-alternative", {"anyOf": [{"type": "string", "minLength": 2}, {"type": "integer", "minimum": 2}]},
     {"anyOf": [{"type": "string", "minLength": 2}]}),
    ("schema-not", {"type": "integer"}, {"type": "integer", "not": {"const": 4}}),
    ("schema-enum-value", {"type": "integer", "not": {"const": 4}}, {"type": "integer", "not": {"enum": [4, 5]}}),
    ("schema-if", {"type": "integer"}, {"type": "integer", "if": {"minimum": 4}, "then": {"maximum": 8}}),
    ("schema-then", {"if": {"minimum": 4}, "else": {"maximum": 2}},
     {"if": {"minimum": 4}, "then": {"maximum": 8}, "else": {"maximum": 2}}),
    ("schema-never", {"type": "string"}, False),
]  # fmt: skip
NAMES = [f"{index}-{row[0]}" for index, row in enumerate(NARROWINGS)]

#: What stands around a schema; the law is the same inside.
PLACES: list[Any] = [
    lambda schema: schema,
    lambda schema: {"type": "object", "properties": {"a": schema}},
    lambda schema: {"type": "object", "additionalProperties": schema},
    lambda schema: {"type": "array", "items": schema},
    lambda schema: {"allOf": [{"description": "d"}, schema]},
    lambda schema: {"type": "array", "prefixItems": [{"type": "boolean"}, schema]},
    lambda schema: {"patternProperties": {"^x": schema}},
    lambda schema: {"dependentSchemas": {"k": schema}},
]


def rules(found: set[str], rule: str) -> bool:
    return any(each.startswith(rule) for each in found)


@pytest.mark.parametrize("place", PLACES, ids=range(len(PLACES)))
@pytest.mark.parametrize(("rule", "wide", "narrow"), NARROWINGS, ids=NAMES)
def test_narrowing_breaks_requests_alone_and_widening_breaks_responses_alone(
    rule: str, wide: Any, narrow: Any, place: Any
) -> None:
    wide, narrow = place(wide), place(narrow)
    assert broken(request(wide), request(narrow))
    assert not broken(request(narrow), request(wide))
    assert broken(response(narrow), response(wide))
    assert not broken(response(wide), response(narrow))


@pytest.mark.parametrize(("rule", "wide", "narrow"), NARROWINGS, ids=NAMES)
def test_the_rule_is_named_after_the_keyword(rule: str, wide: Any, narrow: Any) -> None:
    assert rules(broken(request(wide), request(narrow)), rule)


@pytest.mark.parametrize(("rule", "wide", "narrow"), NARROWINGS[7:20], ids=NAMES[7:20])
def test_schemas_of_parameters_and_headers_are_held_to_the_same_law(rule: str, wide: Any, narrow: Any) -> None:
    assert rules(broken(parameter(schema=wide), parameter(schema=narrow)), rule)
    assert not broken(parameter(schema=narrow), parameter(schema=wide))
    assert rules(broken(header(schema=narrow), header(schema=wide)), rule)
    assert not broken(header(schema=wide), header(schema=narrow))
