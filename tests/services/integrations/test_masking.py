"""Masks of a configuration: whatever schema and value, no marked text is shown, and masks sent back change nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.integrations.definitions.masking import MASK, masked, restored, secret_texts, unmasked

NAMES = st.sampled_from(["a", "b", "c"])
#: Beside what is secret, no text of a schema's configuration begins so.
SECRETS = st.integers(0, 99).map(lambda number: f"secret-{number:02}")
MARKS = st.sampled_from([{"x-secret": True}, {"format": "password"}, {"type": "string", "x-secret": True}])


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Pairs of a schema and a value that it describes."""
    members = st.dictionaries(NAMES, inner, min_size=1, max_size=3)
    plain = members.map(lambda found: (
        {"type": "object", "properties": {name: pair[0] for name, pair in found.items()}},
        {name: pair[1] for name, pair in found.items()},
    ))  # fmt: skip
    lists = st.lists(inner, min_size=1, max_size=3).map(
        lambda pairs: ({"type": "array", "prefixItems": [pair[0] for pair in pairs]}, [pair[1] for pair in pairs])
    )
    word = st.sampled_from(["allOf", "anyOf", "oneOf"])
    branches = st.builds(lambda name, pair: ({name: [{"description": "another"}, pair[0]]}, pair[1]), word, plain)
    rest = inner.map(lambda pair: ({"additionalProperties": pair[0]}, {"other": pair[1], "more": pair[1]}))
    same = inner.map(lambda pair: ({"items": pair[0]}, [pair[1], pair[1]]))
    then = plain.map(lambda pair: ({"if": {"type": "object"}, "then": pair[0]}, pair[1]))
    return st.one_of(plain, lists, branches, rest, same, then)


LEAVES = st.one_of(
    st.builds(lambda mark, text: (mark, text), MARKS, SECRETS),
    st.builds(lambda mark, text: (mark, {"a": [text]}), MARKS, SECRETS),
    st.builds(lambda mark: (mark, None), MARKS),
    st.sampled_from(
        [({"type": "string"}, "shown"), ({}, 7), ({"format": "uri"}, None), ({"x-secret": False}, "shown")]
    ),
)
PAIRS = _objects(st.recursive(LEAVES, _objects, max_leaves=8))


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []


@given(pair=PAIRS.filter(lambda pair: isinstance(pair[1], dict)))
def test_what_is_marked_is_masked_and_nothing_else(pair: tuple[Any, Any]) -> None:
    schema, config = pair
    shown = masked(config, schema)
    assert not [text for text in _texts(shown) if text.startswith("secret")]
    assert _texts(shown).count("shown") == _texts(config).count("shown")
    assert sorted(secret_texts(config, schema)) == sorted(text for text in _texts(config) if text.startswith("secret"))
    assert unmasked(shown, config, schema) == restored(shown, config) == config


@given(pair=PAIRS.filter(lambda pair: isinstance(pair[1], dict)))
def test_behind_a_reference_it_is_the_same(pair: tuple[Any, Any]) -> None:
    schema, config = pair
    behind = {"$defs": {"a/b~": schema}, "$ref": "#/$defs/a~1b~0"}
    assert masked(config, behind) == masked(config, schema)


def test_a_mask_with_nothing_behind_it_stays_what_it_is() -> None:
    schema = {"properties": {"a": {"x-secret": True}, "b": {}}}
    assert unmasked({"a": MASK, "b": MASK}, {"b": "old"}, schema) == {"a": MASK, "b": MASK}
    assert unmasked({"a": "new", "b": MASK}, {"a": "old", "b": "old"}, schema) == {"a": "new", "b": MASK}
    assert unmasked({"a": MASK}, {"a": None}, schema) == restored({"a": MASK}, {"a": None}) == {"a": None}
    assert restored({"a": MASK, "b": [MASK]}, {"b": "x"}) == {"a": MASK, "b": [MASK]}
    assert masked(None, schema) is unmasked(None, {}, schema) is None


def test_a_schema_that_leads_in_circles_ends() -> None:
    schema = {"$ref": "#", "properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#/nothing"}]}}}
    assert masked({"a": {"a": 1}}, schema) == {"a": MASK}
    deep: Any = 1
    for _ in range(300):
        deep = {"a": deep}
    shown = masked(deep, {"$ref": "#", "additionalProperties": {"$ref": "#"}})
    assert MASK in str(shown)
