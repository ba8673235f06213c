"""What is no filter is refused with the place in the expression and the rule; nothing of it reaches the database."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ValidationFailed
from services.filters.expression import read_filter
from services.filters.fields import BOOLEAN, ID, INSTANT, INTEGER, TEXT, Field, one_of
from services.filters.tree import Comparison, Group, checked_tree

FIELDS = {
    "name": Field("name", TEXT),
    "error": Field("error", TEXT, nullable=True),
    "count": Field("count", INTEGER),
    "at": Field("at", INSTANT),
    "open": Field("open", BOOLEAN),
    "id": Field("id", ID),
    "kind": Field("kind", one_of("a", "b")),
}
NAMES = {name: name for name in FIELDS}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*FIELDS, "and", "or", "eq", "in", "like", "gt", "x"]), inner, max_size=4)
    ),
    max_leaves=30,
)


def faults(text: str) -> dict[str, Any]:
    with pytest.raises(ValidationFailed) as refused:
        where = read_filter(text, NAMES)
        assert where is not None
        checked_tree(where, FIELDS)
    return dict(refused.value.details or {})


@pytest.mark.parametrize(
    ("expression", "place", "rule"),
    [
        ('{"and": [{"open": true}, {"name": 1}]}', "filter.and[1].name", "must be a text"),
        ('{"and": [{"or": [{"count": {"gte": "1"}}]}]}', "filter.and[0].or[0].count.gte", "must be an integer"),
        ('{"secret": "x"}', "filter.secret", "is not a field to filter by, `and` or `or`; fields are name, error,"),
        ('{"name": {"regex": "x"}}', "filter.name.regex", "is no operator of this field; there are eq, ne, in"),
        ('{"open": {"gt": true}}', "filter.open.gt", "is no operator"),
        ('{"kind": {"like": "a%"}}', "filter.kind.like", "is no operator"),
        ('{"kind": "A"}', "filter.kind", "must be one of a, b"),
        ('{"open": "true"}', "filter.open", "must be true or false"),
        ('{"open": 1}', "filter.open", "must be true or false"),
        ('{"count": 1.0}', "filter.count", "without point and exponent"),
        ('{"count": 1e3}', "filter.count", "without point and exponent"),
        ('{"count": true}', "filter.count", "must be an integer"),
        ('{"count": 9223372036854775808}', "filter.count", "at most 64 bits"),
        ('{"name": null}', "filter.name", "must be a text"),
        ('{"error": {"gt": null}}', "filter.error.gt", "must be a text"),
        ('{"error": {"like": null}}', "filter.error.like", "must be a text"),
        ('{"name": {"in": ["a", null]}}', "filter.name.in", "must be a text"),
        ('{"name": ["a"]}', "filter.name", "must be a text"),
        ('{"name": {"in": []}}', "filter.name.in", "must be a list of 1 to 100 values"),
        ('{"name": {"in": "a"}}', "filter.name.in", "must be a list of 1 to 100 values"),
        (json.dumps({"count": {"in": list(range(101))}}), "filter.count.in", "must be a list of 1 to 100 values"),
        ('{"name": {}}', "filter.name", "must have one of eq, ne, in"),
        ('{"name": "\\u0000"}', "filter.name", "U+0000"),
        ('{"name": "\\ud800"}', "filter.name", "half a surrogate pair"),
        (json.dumps({"name": "a" * 501}), "filter.name", "at most 500 characters"),
        ('{"name": {"like": "a\\\\"}}', "filter.name.like", "after each"),
        ('{"name": {"like": "\\\\a"}}', "filter.name.like", "after each"),
        ('{"at": "2026-11-21"}', "filter.at", "must be an instant"),
        ('{"at": "2026-11-21T09:30:00"}', "filter.at", "must be an instant"),
        ('{"at": "2026-11-21T09:30:00 02:00"}', "filter.at", "must be an instant"),
        ('{"at": "2026-11-21T09:30:00.0005Z"}', "filter.at", "to the millisecond"),
        ('{"at": "2026-13-21T09:30:00Z"}', "filter.at", "must be an instant"),
        ('{"at": "２026-11-21T09:30:00Z"}', "filter.at", "must be an instant"),
        ('{"at": 1762050000000}', "filter.at", "must be an instant"),
        ('{"id": "1"}', "filter.id", "must be a UUID"),
        ('{"id": "urn:uuid:01a1fbab-42c9-72f7-8850-3c30e52e7768"}', "filter.id", "must be a UUID"),
        ('{"or": []}', "filter.or", "must be a list with an object at least"),
        ('{"or": {"name": "a"}}', "filter.or", "must be a list with an object at least"),
        ('{"or": [{}]}', "filter.or[0]", "must be an object with a member at least"),
        ('{"or": ["name"]}', "filter.or[0]", "must be an object with a member at least"),
        ("[]", "filter", "must be an object"),
        ("null", "filter", "must be an object"),
        ('"name"', "filter", "must be an object"),
        ("", "filter", "must be JSON: expecting value at character 1"),
        ('{"name": "a"', "filter", "must be JSON: expecting ',' delimiter at character 13"),
        ('{"name": "a", "name": "b"}', "filter", "the name 'name' stands twice in one object"),
        ('{"name": {"eq": "a", "eq": "b"}}', "filter", "the name 'eq' stands twice"),
        ('{"count": NaN}', "filter", "NaN is no number of JSON"),
        ('{"count": -Infinity}', "filter", "-Infinity is no number of JSON"),
        ('{"count": ' + "9" * 5_000 + "}", "filter", "exceeds the limit"),
        ("[" * 8_000, "filter", "it nests too deep"),
        ('{"and":[' * 1_000, "filter", "must be JSON"),
        ("{" * 10_240, "filter", "must be at most 8192 characters"),
        ('{"\\ud800": 1}', "filter.?", "is not a field to filter by"),
    ],
)  # fmt: skip
def test_what_is_no_filter(expression: str, place: str, rule: str) -> None:
    found = faults(expression)
    assert list(found) == [place]
    assert rule.lower() in found[place].lower()


def test_all_faults_are_told_at_once() -> None:
    found = faults('{"or": [{"name": 1}, {"x": 1}, {"count": {"gt": "a", "in": 1}}], "open": null}')
    assert list(found) == ["filter.or[0].name", "filter.or[1].x", "filter.or[2].count.gt", "filter.or[2].count.in",
                           "filter.open"]  # fmt: skip


def _nested(depth: int) -> str:
    return '{"or": [' * depth + '{"name": "a"}' + "]}" * depth


def test_depth_and_size_are_bounded() -> None:
    """Three deep and twenty comparisons are taken, one more is not; `in` is one comparison."""
    assert checked_tree(read_filter(_nested(3), NAMES), FIELDS)
    assert faults(_nested(4)) == {"filter.or[0].or[0].or[0].or": "`and` and `or` nest at most 3 deep"}
    twenty = {"or": [{"count": number} for number in range(18)], "name": {"ne": "a", "in": ["b"] * 100}}
    assert checked_tree(read_filter(json.dumps(twenty), NAMES), FIELDS)
    assert faults(json.dumps({**twenty, "open": True})) == {"filter": "must have at most 20 comparisons"}
    # A wide one is refused before its faults are gathered.
    assert faults(json.dumps({"or": [{"count": "x"}] * 400})) == {"filter": "must have at most 20 comparisons"}


def test_nothing_asked_is_no_filter() -> None:
    assert read_filter(None, NAMES) is None
    assert checked_tree(read_filter("{}", NAMES), FIELDS) is None


def test_a_tree_has_typed_values() -> None:
    where = read_filter(
        '{"at": {"gte": "2026-11-21t10:30:00.5000+01:00"}, "or": [{"count": 1}, {"error": null}]}', NAMES
    )
    alternatives = (Comparison("count", "eq", 1), Comparison("error", "eq", None))
    assert checked_tree(where, FIELDS) == Group(
        "and", (Comparison("at", "gte", 1_795_253_400_500), Group("or", alternatives))
    )


@given(value=ANY_JSON)
def test_whatever_is_sent_is_read_or_refused(value: Any) -> None:
    """No JSON breaks it, and each fault has a place in the expression."""
    try:
        checked_tree(read_filter(json.dumps(value), NAMES), FIELDS)
    except ValidationFailed as refused:
        assert all(place.startswith("filter") and rule for place, rule in refused.details.items())
