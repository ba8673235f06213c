"""Alternatives (`oneOf`, `anyOf`) as sets: one is lost when no other takes its values, won when none had them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from services.contracts.findings import Effect
from services.contracts.openapi.documents import Node
from services.contracts.openapi.effects import of_sets
from services.contracts.openapi.pairs import Child, Comparison, Delta, Pair
from services.contracts.openapi.shapes import Group, Parts, Shape
from services.contracts.openapi.values import ALL_TYPES

#: More questions than this for one pair of groups are not asked (fewer inside another question); then alternatives
#: meet by name alone.
MAX_QUESTIONS = 2500


def check_alternatives(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Iterator[Delta | Child]:
    if base.never or revision.never or not (base.groups or revision.groups):
        return
    left, right = list(base.groups), list(revision.groups)
    if len(left) == len(right):
        for before, after in zip(left, right, strict=True):
            yield from _compared(comparison, pair, before.alternatives, after.alternatives)
            yield from _exclusive(comparison, before, after)
        return
    before_all, after_all = _expanded(comparison, base), _expanded(comparison, revision)
    yield from _compared(comparison, pair, before_all, after_all)
    if right and right[0].kind == "oneOf" and _doubly_taken(comparison, pair, before_all, after_all):
        yield Delta("schema-one-of", Effect.NARROWS, None, "oneOf")


def _doubly_taken(comparison: Comparison, pair: Pair, base: tuple[Parts, ...], revision: tuple[Parts, ...]) -> bool:
    """Whether values that were valid meet two alternatives of a `oneOf`, which takes exactly one."""
    for each in base:
        takers = [other for other in revision if _effect(comparison, pair, each, other) in (Effect.NONE, Effect.WIDENS)]
        if len(takers) > 1:
            return True
    return False


def _exclusive(comparison: Comparison, base: Group, revision: Group) -> Iterator[Delta]:
    """`anyOf` and `oneOf` differ where two alternatives take the same value."""
    if base.kind != revision.kind and _overlaps(comparison, revision.alternatives):
        narrows = revision.kind == "oneOf"
        yield Delta("schema-one-of", of_sets(narrows, not narrows), base.kind, revision.kind)


def _overlaps(comparison: Comparison, alternatives: tuple[Parts, ...]) -> bool:
    shapes = [comparison.shape(parts) for parts in alternatives[:50]]
    return any(
        not _disjoint(comparison, left, right) for index, left in enumerate(shapes) for right in shapes[index + 1 :]
    )


def _disjoint(comparison: Comparison, left: Shape, right: Shape) -> bool:
    """Whether no value meets both: other types, other listed values, or another value of a property both demand."""
    if not left.types & right.types or left.never or right.never:
        return True
    if left.enum is not None and right.enum is not None:
        return not left.enum.keys() & right.enum.keys()
    if left.types & right.types != {"object"}:
        return False
    tags = [
        (comparison.shape(left.properties[name]).enum, comparison.shape(right.properties[name]).enum)
        for name in left.required & right.required & left.properties.keys() & right.properties.keys()
    ]
    return any(one is not None and other is not None and not one.keys() & other.keys() for one, other in tags)


def _expanded(comparison: Comparison, shape: Shape) -> tuple[Parts, ...]:
    """All that a shape may be, but null: its first group's alternatives, each with what stands beside it; its types."""
    if shape.groups:
        rest = comparison.rest(shape)
        return tuple((*parts, rest) for parts in shape.groups[0].alternatives)
    enum = None if shape.enum is None else {key: value for key, value in shape.enum.items() if key != "null"}
    types = shape.types - {"null"}
    kinds = [frozenset({"number", "integer"}) if "number" in types else frozenset({"integer"})]
    kinds += [frozenset({name}) for name in sorted(types - {"number", "integer"})]
    if types == ALL_TYPES - {"null"} or enum is not None:
        kinds = [types]
    return tuple(
        (replace(shape, types=each, enum=enum, unfolded=shape.unfolded + 1),) for each in kinds if each <= types
    )


def _compared(
    comparison: Comparison, pair: Pair, base: tuple[Parts, ...], revision: tuple[Parts, ...]
) -> Iterator[Delta | Child]:
    left, right = list(base), list(revision)
    for before, after in _named_alike(comparison, left, right):
        left.remove(before)
        right.remove(after)
        yield Child(f"({label(comparison, after)})", comparison.pair(before, after, pair.mode))
    comparison.spend(len(left) * len(right))
    if not comparison.exhausted and len(left) * len(right) <= MAX_QUESTIONS // (1 + 10 * comparison.asking):
        for before, after in _equal(comparison, pair, left, right):
            left.remove(before)
            right.remove(after)
    lost = [each for each in left if not _taken(comparison, pair, each, revision, right)]
    won = [each for each in right if not _had(comparison, pair, each, base, left)]
    if comparison.exhausted and (lost or won):
        yield Delta("schema-too-dense", Effect.UNKNOWN)
        return
    if len(lost) == len(won) == 1:
        yield Child(f"({label(comparison, won[0])})", comparison.pair(lost[0], won[0], pair.mode))
        return
    for each in lost:
        yield Delta("schema-alternative-removed", Effect.NARROWS, label(comparison, each), None)
    for each in won:
        yield Delta("schema-alternative-added", Effect.WIDENS, None, label(comparison, each))


def _equal(comparison: Comparison, pair: Pair, left: list[Parts], right: list[Parts]) -> list[tuple[Parts, Parts]]:
    found, free = [], list(right)
    for before in left:
        for after in free:
            if comparison.effect(comparison.pair(before, after, pair.mode)) is Effect.NONE:
                found.append((before, after))
                free.remove(after)
                break
    return found


def _taken(
    comparison: Comparison, pair: Pair, each: Parts, revision: tuple[Parts, ...], unmatched: list[Parts]
) -> bool:
    """Whether one alternative of the revision takes all values of this one.

    A kind of object is not taken by another kind that stood beside it all the time: open objects take nearly
    everything, and still each alternative was listed as a kind of its own.
    """
    asked = () if comparison.exhausted else (unmatched if _is_kind(comparison, each) else revision)[:50]
    return any(_effect(comparison, pair, each, other) in (Effect.NONE, Effect.WIDENS) for other in asked)


def _had(comparison: Comparison, pair: Pair, each: Parts, base: tuple[Parts, ...], unmatched: list[Parts]) -> bool:
    asked = () if comparison.exhausted else (unmatched if _is_kind(comparison, each) else base)[:50]
    return any(_effect(comparison, pair, other, each) in (Effect.NONE, Effect.NARROWS) for other in asked)


def _is_kind(comparison: Comparison, parts: Parts) -> bool:
    return "object" in comparison.shape(parts).types


def _effect(comparison: Comparison, pair: Pair, base: Parts, revision: Parts) -> Effect:
    return comparison.effect(comparison.pair(base, revision, pair.mode))


def _named_alike(comparison: Comparison, left: list[Parts], right: list[Parts]) -> list[tuple[Parts, Parts]]:
    names = {name: parts for parts in right if (name := _name(parts))}
    taken: set[str] = set()
    found = []
    for parts in left:
        name = _name(parts)
        if name and name in names and name not in taken:
            taken.add(name)
            found.append((parts, names[name]))
    return found


def _name(parts: Parts) -> str | None:
    """The component that an alternative refers to."""
    node = parts[0]
    if len(parts) == 1 and isinstance(node, Node):
        reference = node.get("$ref")
        return reference if isinstance(reference, str) else None
    return None


def label(comparison: Comparison, parts: Parts) -> Any:
    """What a reader calls an alternative: its component, its title, its constant, its type."""
    name = _name(parts)
    if name:
        return name.rsplit("/", 1)[-1]
    shape = comparison.shape(parts)
    if isinstance(shape.notes.get("title"), str):
        return shape.notes["title"]
    if shape.enum is not None:
        return "|".join(sorted(shape.enum))
    return "any" if shape.types == ALL_TYPES else "|".join(sorted(shape.types))
