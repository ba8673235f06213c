"""Other ways to say the same are no change; and the law has a mirror: what narrows one way widens the other."""

import copy
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.findings import Effect
from services.contracts.reading import parse
from tests.contract.law.builders import compared, document, request, response

CAT = {"type": "object", "properties": {"meow": {"type": "string"}}, "required": ["meow"]}
DOG = {"type": "object", "properties": {"bark": {"type": "string"}}, "required": ["bark"]}
SAME: list[tuple[Any, Any]] = [
    ({"type": ["string", "null"]}, {"oneOf": [{"type": "string"}, {"type": "null"}]}),
    ({"type": ["null", "string"]}, {"anyOf": [{"type": "null"}, {"type": "string"}]}),
    ({"anyOf": [CAT, DOG]}, {"anyOf": [DOG, CAT]}),
    (CAT, {"anyOf": [CAT]}),
    (CAT, {"allOf": [{"type": "object", "required": ["meow"]}, {"properties": {"meow": {"type": "string"}}}]}),
    ({"const": "a"}, {"enum": ["a"]}),
    ({"enum": ["a", "b"]}, {"type": "string", "enum": ["b", "a"]}),
    ({"oneOf": [{"const": "a", "title": "A"}, {"const": "b"}]}, {"enum": ["a", "b"]}),
    ({"type": "integer", "minimum": 1}, {"type": "integer", "exclusiveMinimum": 0}),
    ({"type": "object"}, {"type": "object", "additionalProperties": True, "minProperties": 0}),
    ({"type": "array"}, {"type": "array", "items": {}, "minItems": 0, "uniqueItems": False}),
    ({"type": "string"}, {"type": "string", "pattern": ".*", "minLength": 0}),
    ({"type": ["string", "integer"]}, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
    ({}, True),
]


@pytest.mark.parametrize(("one", "other"), SAME, ids=range(len(SAME)))
def test_two_ways_to_say_the_same(one: Any, other: Any) -> None:
    for build in (request, response):
        assert compared(build(one), build(other)) == []
        assert compared(build(other), build(one)) == []


def test_a_component_moved_inline_is_the_same() -> None:
    referred = {**request({"$ref": "#/components/schemas/A"}), "components": {"schemas": {"A": CAT}}}
    assert compared(referred, request(CAT)) == []
    assert compared(request(CAT), referred) == []


def test_the_older_version_says_the_same_in_its_own_words() -> None:
    older = request({"type": "number", "minimum": 1, "exclusiveMinimum": True, "nullable": True})
    older["openapi"] = "3.0.3"
    assert compared(older, request({"type": ["number", "null"], "exclusiveMinimum": 1})) == []


LEAVES = st.sampled_from([
    {"type": "string"}, {"type": "string", "minLength": 2, "maxLength": 9}, {"type": "integer", "minimum": 3},
    {"type": "number", "multipleOf": 0.5}, {"type": ["string", "null"]}, {"enum": ["a", 1, None]}, {"type": "boolean"},
    {"type": "string", "format": "date"}, {"$ref": "#/components/schemas/Node"}, {"const": 4}, True,
])  # fmt: skip


def _composed(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["a", "b", "c"])
    return st.one_of(
        st.builds(
            lambda properties, closed: {
                "type": "object",
                "properties": properties,
                "required": sorted(properties)[:1],
                **({"additionalProperties": False} if closed else {}),
            },
            st.dictionaries(names, children, max_size=3),
            st.booleans(),
        ),
        st.builds(lambda items: {"type": "array", "items": items, "maxItems": 4}, children),
        st.builds(lambda parts: {"oneOf": parts}, st.lists(children, min_size=1, max_size=3)),
        st.builds(lambda parts: {"allOf": parts}, st.lists(children, min_size=1, max_size=2)),
        st.builds(lambda part: {"not": part}, children),
    )


SCHEMAS = st.recursive(LEAVES, _composed, max_leaves=8)
NODE = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}, "value": {"type": "string"}}}
fixed = settings(derandomize=True, database=None, deadline=None, max_examples=150)


def whole(schema: Any) -> dict[str, Any]:
    both = {**request(schema)["paths"]["/things"]["post"], **response(schema)["paths"]["/things"]["post"]}
    return document(
        {**both, "requestBody": request(schema)["paths"]["/things"]["post"]["requestBody"]},
        components={"schemas": {"Node": NODE}},
    )


def reversed_everywhere(value: Any) -> Any:
    """The same with every object's keys, and every list that is a set, in the other order."""
    if isinstance(value, dict):
        return {
            key: list(reversed(each)) if key in ("required", "enum") or (key == "type" and isinstance(each, list))
            else reversed_everywhere(each)
            for key, each in reversed(value.items())
        }  # fmt: skip
    return [reversed_everywhere(each) for each in value] if isinstance(value, list) else value


@fixed
@given(SCHEMAS)
def test_reordered_and_written_anew_is_the_same(schema: Any) -> None:
    base = whole(schema)
    assert compared(base, copy.deepcopy(base)) == []
    assert compared(base, reversed_everywhere(base)) == []
    assert compared(base, parse(yaml.safe_dump(base).encode(), "a.yaml")) == []
    assert parse(json.dumps(base).encode(), "a.json") == base


MIRROR = {Effect.WIDENS: Effect.NARROWS, Effect.NARROWS: Effect.WIDENS}


#: Names that come to or leave an open object change nothing that was sent before; the way back is no mirror.
OPEN = {"schema-property-added", "schema-property-removed"}


@fixed
@given(SCHEMAS, SCHEMAS)
def test_the_way_back_has_the_opposite_effect(one: Any, other: Any) -> None:
    def effects(base: Any, revision: Any) -> set[Effect]:
        found = compared(request(base), request(revision))
        return {each.effect for each in found if each.rule not in OPEN} - {Effect.NONE}

    forth, back = effects(one, other), effects(other, one)
    for mirrored in (Effect.WIDENS, Effect.NARROWS):
        if forth == {mirrored}:
            assert back == {MIRROR[mirrored]}
