"""Checks on arrays: entries by position and by kind, their number, their difference."""

from collections.abc import Iterator

from services.contracts.openapi.combinations import matched
from services.contracts.openapi.effects import of_sets
from services.contracts.openapi.objects import sub
from services.contracts.openapi.pairs import Child, Comparison, Delta, Pair
from services.contracts.openapi.scalars import common_types, counts
from services.contracts.openapi.shapes import Parts, Shape


def check_arrays(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Iterator[Delta | Child]:
    if base.never or revision.never or "array" not in common_types(base, revision, pair):
        return
    yield from counts(base, revision, "schema-min-items", "minItems")
    yield from counts(base, revision, "schema-max-items", "maxItems")
    if base.unique != revision.unique:
        yield Delta("schema-unique-items", of_sets(revision.unique, base.unique), base.unique, revision.unique)
    for index in range(max(len(base.prefix), len(revision.prefix))):
        before, after = _entry(base, index), _entry(revision, index)
        yield from sub(comparison, pair, "schema-prefix-items", f"[{index}]", before, after)
    yield from sub(comparison, pair, "schema-items", "[]", base.items, revision.items)
    yield from sub(
        comparison, pair, "schema-unevaluated-items", "[*]", base.unevaluated_items, revision.unevaluated_items
    )
    yield from _contains(comparison, base, revision, pair)


def _entry(shape: Shape, index: int) -> Parts:
    return shape.prefix[index] if index < len(shape.prefix) else shape.items


def _contains(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Iterator[Delta | Child]:
    if base.contains and revision.contains:
        yield from counts(base, revision, "schema-min-contains", "minContains")
        yield from counts(base, revision, "schema-max-contains", "maxContains")
    yield from matched(comparison, pair, "schema-contains", "[?]", base.contains, revision.contains)
