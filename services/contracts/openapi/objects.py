"""Checks on objects: declared and undeclared properties, what is required, what depends on what."""

from collections.abc import Iterator
from typing import Any

from services.contracts.findings import Direction, Effect
from services.contracts.openapi.documents import Node
from services.contracts.openapi.effects import of_sets
from services.contracts.openapi.pairs import Child, Comparison, Delta, Pair
from services.contracts.openapi.regexes import matches
from services.contracts.openapi.scalars import common_types, counts
from services.contracts.openapi.shapes import Parts, Shape

_COMBINING = {"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf"}

Found = Iterator[Delta | Child]


def check_objects(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Found:
    if base.never or revision.never or "object" not in common_types(base, revision, pair):
        return
    yield from _properties(comparison, base, revision, pair)
    yield from _required(comparison, base, revision, pair)
    yield from counts(base, revision, "schema-min-properties", "minProperties")
    yield from counts(base, revision, "schema-max-properties", "maxProperties")
    yield from _additional(comparison, base, revision, pair)
    yield from _patterns(comparison, base, revision, pair)
    yield from sub(comparison, pair, "schema-property-names", ".{name}", base.property_names, revision.property_names)
    yield from _dependent(comparison, base, revision, pair)


def sub(comparison: Comparison, pair: Pair, rule: str, step: str, base: Parts, revision: Parts) -> Found:
    """A subschema on both sides is a pair of its own; on one side it is a demand that came or went."""
    if base and revision:
        yield Child(step, comparison.pair(base, revision, pair.mode))
    elif base or revision:
        only = comparison.shape(base or revision)
        shown: Any = False if only.never else {}
        before, after = (shown, None) if base else (None, shown)
        yield Delta(rule, of_sets(bool(revision), bool(base)), before, after, step)


def _hidden(comparison: Comparison, parts: Parts, pair: Pair) -> bool:
    """Whether a property is not sent in this direction. A plain node says so itself."""
    request = pair.mode.direction is Direction.REQUEST
    part = parts[0] if len(parts) == 1 else None
    if isinstance(part, Node) and isinstance(part.value, dict) and not part.value.keys() & _COMBINING:
        return part.value.get("readOnly" if request else "writeOnly") is True
    shape = comparison.shape(parts)
    return shape.read_only if request else shape.write_only


def _properties(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Found:
    for name in sorted(base.properties.keys() | revision.properties.keys()):
        before, after = base.properties.get(name), revision.properties.get(name)
        had = before is not None and not _hidden(comparison, before, pair)
        has = after is not None and not _hidden(comparison, after, pair)
        if had and has:
            yield Child(f".{name}", comparison.pair(before or (), after or (), pair.mode))
        elif had:
            yield from _removed(comparison, name, base, revision, pair)
        elif has:
            yield from _added(comparison, name, base, revision, pair)


def _removed(comparison: Comparison, name: str, base: Shape, revision: Shape, pair: Pair) -> Found:
    """A declared property goes. In a response the promise goes with it, whatever else may stand there."""
    gone = comparison.shape(base.properties[name])
    sanctioned = comparison.lifecycle.may_go(gone.deprecated, gone.notes)
    hidden = name in revision.properties
    rule = "schema-property-hidden" if hidden else "schema-property-removed"
    if pair.mode.direction is Direction.RESPONSE:
        tolerated = name not in base.required
        yield Delta(rule, Effect.WIDENS, name, None, f".{name}", tolerated, sanctioned)
        return
    other = undeclared(revision, name)
    if hidden or not other:
        yield Delta(rule, Effect.WIDENS, name, None, f".{name}")
    elif comparison.shape(other).never:
        yield Delta(rule, Effect.NARROWS, name, None, f".{name}", sanctioned=sanctioned)
    else:
        yield Child(f".{name}", comparison.pair(base.properties[name], other, pair.mode))


def _added(comparison: Comparison, name: str, base: Shape, revision: Shape, pair: Pair) -> Found:
    """A property comes. Where anything could stand before, its name was no traffic; a closed object opens."""
    other = undeclared(base, name)
    hidden = name in base.properties
    if other and not hidden and not comparison.shape(other).never:
        yield Child(f".{name}", comparison.pair(other, revision.properties[name], pair.mode))
        return
    request = pair.mode.direction is Direction.REQUEST
    widens = request or (bool(other) and not hidden)
    effect = Effect.WIDENS if widens else Effect.NARROWS
    yield Delta("schema-property-added", effect, None, name, f".{name}", tolerated=True)


def undeclared(shape: Shape, name: str) -> Parts:
    """What a shape demands of a property that it does not declare; empty where anything goes."""
    matching = [parts for pattern, parts in shape.pattern_properties.items() if matches(pattern, name)]
    return tuple(part for parts in matching for part in parts) if matching else shape.additional


def _required(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Found:
    before, after = _demanded(comparison, base, pair), _demanded(comparison, revision, pair)
    request = pair.mode.direction is Direction.REQUEST
    for name in sorted(after - before):
        yield Delta("schema-required-added", Effect.NARROWS, None, name, f".{name}")
    for name in sorted(before - after):
        gone = name in base.properties and (
            name not in revision.properties or _hidden(comparison, revision.properties[name], pair)
        )
        if gone and not request:
            continue
        yield Delta("schema-required-removed", Effect.WIDENS, name, None, f".{name}")


def _demanded(comparison: Comparison, shape: Shape, pair: Pair) -> frozenset[str]:
    return frozenset(
        name
        for name in shape.required
        if name not in shape.properties or not _hidden(comparison, shape.properties[name], pair)
    )


def _additional(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Found:
    for rule, before, after in (
        ("schema-additional-properties", base.additional, revision.additional),
        ("schema-unevaluated-properties", base.unevaluated, revision.unevaluated),
    ):
        for found in sub(comparison, pair, rule, ".*", before, after):
            if isinstance(found, Delta):
                found.tolerated = found.before is False
            yield found


def _patterns(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Found:
    for pattern in sorted(base.pattern_properties.keys() | revision.pattern_properties.keys()):
        before = base.pattern_properties.get(pattern, base.additional)
        after = revision.pattern_properties.get(pattern, revision.additional)
        yield from sub(comparison, pair, "schema-pattern-properties", f".[{pattern}]", before, after)


def _dependent(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Found:
    nothing: frozenset[str] = frozenset()
    for name in sorted(base.dependent_required.keys() | revision.dependent_required.keys()):
        before, after = base.dependent_required.get(name, nothing), revision.dependent_required.get(name, nothing)
        narrows = bool(after - before - _always(base, name))
        widens = bool(before - after - _always(revision, name))
        if narrows or widens:
            rule = "schema-dependent-required"
            yield Delta(rule, of_sets(narrows, widens), sorted(before), sorted(after), f".{name}")
    for name in sorted(base.dependent_schemas.keys() | revision.dependent_schemas.keys()):
        yield from sub(
            comparison,
            pair,
            "schema-dependent-schemas",
            f".{name}?",
            base.dependent_schemas.get(name, ()),
            revision.dependent_schemas.get(name, ()),
        )


def _always(shape: Shape, name: str) -> frozenset[str]:
    """What is demanded in any case needs no dependency."""
    return shape.required | {name}
