"""The small validator and jsonschema-rs agree about every schema of the snapshot."""

import json
import random
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.rollout_schema import UnknownKeyword, faults
from rest.contracts.documents import snapshot

DOCUMENT = json.loads(snapshot("integrations", "v1"))
SCHEMAS = DOCUMENT["components"]["schemas"]
WRONG: list[Any] = [None, True, 0, 1, 1.0, 1.5, -3, "", "text", [], [None], {}, {"en": None}, {"en": 1}]


def judge(schema: Any) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def agree(value: Any, schema: Any, validator: jsonschema_rs.Validator | None = None) -> bool:
    """Whether the value is valid; both must say so."""
    mine = not faults(value, schema, DOCUMENT)
    assert mine == (validator or judge(schema)).is_valid(value), value
    return mine


def sample(schema: Any, seed: random.Random) -> Any:
    """A valid value."""
    if "$ref" in schema:
        return sample(SCHEMAS[schema["$ref"].rpartition("/")[2]], seed)
    if "oneOf" in schema:
        return sample(seed.choice(schema["oneOf"]), seed)
    if "const" in schema or "enum" in schema:
        return schema.get("const") or seed.choice(schema["enum"])
    if schema.get("type") == "object":
        found = {name: sample(part, seed) for name, part in schema.get("properties", {}).items()}
        return found | ({"more": sample(more, seed)} if (more := schema.get("additionalProperties")) else {})
    if schema.get("type") == "array":
        return [sample(schema["items"], seed) for _ in range(seed.randrange(3))]
    return {"string": "text", "integer": seed.randrange(100), "null": None}.get(schema.get("type", ""), 5)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, part in inner for place in places(part, (*at, key)))]


def changed(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    copy = json.loads(json.dumps(value))
    holder = copy
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = new
    return copy


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_both_say_the_same(name: str) -> None:
    """A valid value, then one wrong thing at every place of it, then one member missing."""
    seed, schema = random.Random(name), SCHEMAS[name]
    validator = judge(schema)
    for _ in range(8):
        value = sample(schema, seed)
        assert agree(value, schema, validator)
        for place in places(value):
            for wrong in WRONG:
                agree(changed(value, place, wrong), schema, validator)
        for missing in value:
            agree({key: part for key, part in value.items() if key != missing}, schema, validator)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2, width=16) | st.sampled_from(["", "ok", "text"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=6,
)
TYPES = ["null", "boolean", "string", "array", "object", "number", "integer"]
RULES = st.recursive(
    st.fixed_dictionaries({}, optional={
        "type": st.sampled_from(TYPES) | st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True),
        "const": JSON, "enum": st.lists(JSON, min_size=1, max_size=3),
    }),
    lambda inner: st.fixed_dictionaries({}, optional={
        "required": st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True),
        "properties": st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
        "additionalProperties": st.booleans() | inner,
        "items": inner, "oneOf": st.lists(inner, min_size=1, max_size=3),
    }),
    max_leaves=5,
)  # fmt: skip


@given(RULES, JSON)
def test_both_say_the_same_about_anything(schema: Any, value: Any) -> None:
    """Any schema of these keywords, any value."""
    agree(value, schema)


def test_an_unknown_keyword_is_not_passed_over() -> None:
    with pytest.raises(UnknownKeyword, match="maximum"):
        faults(5, {"type": "integer", "maximum": 4}, DOCUMENT)


def test_the_faults_of_a_long_list_are_cut() -> None:
    assert len(faults([1] * 1_000, {"items": {"type": "string"}}, DOCUMENT)) == 20


@pytest.mark.parametrize("value", ["2026-01-31", "2026-1-31", "x2026-01-31", "2026-01-31\n", "٢٠٢٦-٠١-٣١", None, 5, ""])
def test_patterns_are_read_as_they_are_meant(value: Any) -> None:
    """A day of v2, with what Python's expressions would let pass."""
    schema = {"pattern": "^\\d{4}-\\d{2}-\\d{2}$"}
    assert agree(value, schema) is (value in ("2026-01-31", None, 5))
