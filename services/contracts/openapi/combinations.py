"""Checks on combinations: alternatives as sets of values, negation, conditions."""

from collections.abc import Iterator

from services.contracts.findings import Effect
from services.contracts.openapi.effects import of_sets
from services.contracts.openapi.pairs import Child, Comparison, Delta, Pair
from services.contracts.openapi.shapes import Parts, Shape

Found = Iterator[Delta | Child]


def matched(
    comparison: Comparison,
    pair: Pair,
    rule: str,
    step: str,
    base: tuple[Parts, ...],
    revision: tuple[Parts, ...],
    flip: bool = False,
) -> Found:
    """Several demands that all hold: equal ones find each other, one that is left on both sides is a pair."""
    left, right = list(base), list(revision)
    for before in base:
        same = next(
            (after for after in right if comparison.effect(comparison.pair(before, after, pair.mode)) is Effect.NONE),
            None,
        )
        if same is not None:
            left.remove(before)
            right.remove(same)
    if len(left) == len(right) == 1:
        yield Child(step, comparison.pair(left[0], right[0], pair.mode), flip)
    elif left or right:
        yield Delta(rule, of_sets(bool(right), bool(left)), len(base) or None, len(revision) or None, step)


def check_excluded(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Found:
    yield from matched(comparison, pair, "schema-not", ".not", base.excluded, revision.excluded, flip=True)


def check_conditions(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Found:
    """`if/then/else`: with the same condition the branches are pairs; another condition cannot be compared."""
    left, right = list(base.conditions), list(revision.conditions)
    for before in base.conditions:
        for after in right:
            if comparison.effect(comparison.pair(before[0], after[0], pair.mode)) is Effect.NONE:
                yield from sub_branch(comparison, pair, "then", before[1], after[1])
                yield from sub_branch(comparison, pair, "else", before[2], after[2])
                left.remove(before)
                right.remove(after)
                break
    if left or right:
        yield Delta("schema-if", of_sets(bool(right), bool(left)), len(left) or None, len(right) or None, ".if")


def sub_branch(comparison: Comparison, pair: Pair, name: str, before: Parts, after: Parts) -> Found:
    if before and after:
        yield Child(f".{name}", comparison.pair(before, after, pair.mode))
    elif before or after:
        yield Delta(f"schema-{name}", of_sets(bool(after), bool(before)), bool(before), bool(after), f".{name}")
