"""Checks on types, listed values, numbers and text."""

from collections.abc import Callable, Iterator
from typing import Any

from services.contracts.findings import Direction, Effect
from services.contracts.openapi.effects import of_sets
from services.contracts.openapi.pairs import Comparison, Delta, Pair
from services.contracts.openapi.regexes import pattern_implies
from services.contracts.openapi.shapes import Bound, Shape
from services.contracts.openapi.values import ALL_TYPES

SCALARS = frozenset({"boolean", "number", "integer", "string"})
#: A format on the left accepts nothing that the one on the right refuses.
_WITHIN = {
    "int8": {"int16", "int32", "int64", "uint64"},
    "int16": {"int32", "int64"},
    "uint8": {"int16", "int32", "int64", "uint16", "uint32", "uint64"},
    "uint16": {"int32", "int64", "uint32", "uint64"},
    "uint32": {"int64", "uint64"},
    "int32": {"int64", "float", "double", "decimal"},
    "int64": {"double", "decimal", "float"},
    "float": {"double", "decimal"},
    "double": {"decimal"},
    "uri": {"uri-reference", "iri", "iri-reference"},
    "iri": {"iri-reference"},
    "uri-reference": {"iri-reference"},
    "email": {"idn-email"},
    "hostname": {"idn-hostname"},
}
_NUMBER_FORMATS = {"float", "double", "decimal"}


def common_types(base: Shape, revision: Shape, pair: Pair) -> frozenset[str]:
    """The types whose keywords can be compared. As text, every scalar is a string too.

    Where the types are the same on both sides, a keyword of another type is judged as it is written: it says
    nothing, so either it or the type is a mistake, and what the server does cannot be read off.
    """
    if base.types == revision.types:
        return ALL_TYPES
    common = base.types & revision.types
    if pair.mode.text and base.types & SCALARS and revision.types & SCALARS and "string" in base.types | revision.types:
        return common | {"string"}
    return common


def check_never(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Iterator[Delta]:
    if base.dangling != revision.dangling:
        yield Delta("schema-reference", Effect.UNKNOWN, sorted(base.dangling), sorted(revision.dangling))
    if base.never != revision.never:
        yield Delta("schema-never", of_sets(revision.never, base.never), not base.never, not revision.never)


def check_types(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Iterator[Delta]:
    if base.never or revision.never or (base.enum is not None and revision.enum is not None):
        return
    lost, gained = _lost_and_gained(base, revision, pair)
    if base.enum is not None:
        gained = frozenset()
    if revision.enum is not None:
        lost = frozenset()
    if lost | gained == {"null"}:
        yield Delta("schema-null", of_sets(bool(lost), bool(gained)), "null" in base.types, "null" in revision.types)
    elif lost or gained:
        yield Delta("schema-type", of_sets(bool(lost), bool(gained)), _named(base.types), _named(revision.types))


def _lost_and_gained(base: Shape, revision: Shape, pair: Pair) -> tuple[frozenset[str], frozenset[str]]:
    lost, gained = base.types - revision.types, revision.types - base.types
    if pair.mode.text and ("string" in base.types) != ("string" in revision.types):
        lost = lost - SCALARS if "string" in revision.types else lost
        gained = gained - SCALARS if "string" in base.types else gained
    return lost, gained


def _named(types: frozenset[str]) -> Any:
    if types == ALL_TYPES:
        return None
    named = sorted(types - {"integer"} if "number" in types else types)
    return named[0] if len(named) == 1 else named


def check_enum(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Iterator[Delta]:
    if base.never or revision.never or (base.enum is None and revision.enum is None):
        return
    before, after = _listed(base, pair), _listed(revision, pair)
    if before is None or after is None:
        effect = Effect.NARROWS if before is None else Effect.WIDENS
        yield Delta("schema-enum", effect, _values(base.enum), _values(revision.enum))
        return
    for key in sorted(before.keys() - after.keys()):
        rule = "schema-null" if key == "null" else "schema-enum-value-removed"
        yield Delta(rule, Effect.NARROWS, before[key], None, sanctioned=_is_over(comparison, base, before[key]))
    for key in sorted(after.keys() - before.keys()):
        rule = "schema-null" if key == "null" else "schema-enum-value-added"
        known = base.extensible and pair.mode.direction is Direction.RESPONSE
        yield Delta(rule, Effect.NONE if known else Effect.WIDENS, None, after[key])


def _listed(shape: Shape, pair: Pair) -> dict[str, Any] | None:
    if shape.enum is None or not pair.mode.text:
        return shape.enum
    return {key.strip('"') if key.startswith('"') else key: value for key, value in shape.enum.items()}


def _values(enum: dict[str, Any] | None) -> list[Any] | None:
    return None if enum is None else [enum[key] for key in sorted(enum)]


def _is_over(comparison: Comparison, shape: Shape, value: Any) -> bool:
    """Whether a value's own sunset, in `x-enum-sunsets: {value: date}`, is past."""
    sunsets = shape.notes.get("x-enum-sunsets")
    return isinstance(sunsets, dict) and comparison.lifecycle.is_past(sunsets.get(str(value)))


def check_extensible(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Iterator[Delta]:
    """`x-extensible-enum` as a list: values known today, more may come."""
    before, after = (shape.notes.get("x-extensible-enum") for shape in (base, revision))
    if not isinstance(before, list) or not isinstance(after, list):
        return
    for value in before:
        if value not in after:
            yield Delta("schema-enum-value-removed", Effect.NARROWS, value, None)


def check_numbers(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Iterator[Delta]:
    if base.never or revision.never or not common_types(base, revision, pair) & {"number", "integer"}:
        return
    yield from _bound("schema-minimum", base.lower, revision.lower, 1)
    yield from _bound("schema-maximum", base.upper, revision.upper, -1)
    yield from _all_of(
        "schema-multiple-of", base.multiples, revision.multiples, lambda left, right: _divides(right, left)
    )


def _divides(small: float, large: float) -> bool:
    quotient = large / small
    return abs(quotient - round(quotient)) < 1e-9


def _bound(rule: str, before: Bound | None, after: Bound | None, sign: int) -> Iterator[Delta]:
    """A bound that moves inwards narrows; `sign` turns an upper bound into a lower one."""
    if before == after:
        return
    tighter = before is None or (after is not None and _reach(after, sign) > _reach(before, sign))
    yield Delta(rule, Effect.NARROWS if tighter else Effect.WIDENS, _shown(before), _shown(after))


def _reach(bound: Bound, sign: int) -> tuple[float, bool]:
    return (sign * bound[0], bound[1])


def _shown(bound: Bound | None) -> Any:
    if bound is None:
        return None
    return {"exclusive": bound[0]} if bound[1] else bound[0]


def _all_of(
    rule: str, before: frozenset[Any], after: frozenset[Any], implies: Callable[[Any, Any], bool]
) -> Iterator[Delta]:
    """Several demands that all hold: a new one narrows unless an old one implies it, and the other way round."""
    narrows = any(not any(old == new or implies(old, new) for old in before) for new in after)
    widens = any(not any(old == new or implies(new, old) for new in after) for old in before)
    if narrows or widens:
        yield Delta(rule, of_sets(narrows, widens), _one(before), _one(after))


def _one(values: frozenset[Any]) -> Any:
    listed = sorted(values)
    return listed[0] if len(listed) == 1 else listed or None


def check_text(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Iterator[Delta]:
    common = common_types(base, revision, pair)
    if base.never or revision.never:
        return
    if "string" in common:
        yield from counts(base, revision, "schema-min-length", "minLength")
        yield from counts(base, revision, "schema-max-length", "maxLength")
        yield from _all_of("schema-pattern", base.patterns, revision.patterns, pattern_implies)
        yield from _contents(base, revision)
    if common & SCALARS:
        yield from _formats(base, revision)


def counts(base: Shape, revision: Shape, rule: str, keyword: str) -> Iterator[Delta]:
    """A bound on a length or a number of entries."""
    before, after = base.counts.get(keyword), revision.counts.get(keyword)
    if before == after:
        return
    sign = -1 if keyword.startswith("max") else 1
    yield from _bound(rule, _plain(before), _plain(after), sign)


def _plain(number: int | None) -> Bound | None:
    return None if number is None else (number, False)


def _contents(base: Shape, revision: Shape) -> Iterator[Delta]:
    for name in sorted(base.contents.keys() | revision.contents.keys()):
        before, after = base.contents.get(name), revision.contents.get(name)
        if before != after:
            yield Delta("schema-content", of_sets(after is not None, before is not None), before, after, f".{name}")


def _formats(base: Shape, revision: Shape) -> Iterator[Delta]:
    """A format as a narrowing; `float` and `double` say no more of a number than that it is one, beside integers."""
    before, after = base.formats, revision.formats
    if "number" not in base.types and "number" in revision.types:
        after = after - _NUMBER_FORMATS
    if "number" in base.types and "number" not in revision.types:
        before = before - _NUMBER_FORMATS
    yield from _all_of("schema-format", before, after, lambda left, right: right in _WITHIN.get(left, set()))
