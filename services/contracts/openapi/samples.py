"""Values at the edges of a normal form: what lies just inside one schema and just outside another."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from services.contracts.openapi.shapes import Shape

MAX_LENGTH = 5000
_TEXTS = (
    "a", "", "A", "0", "1", "a b", "2026-01-31", "2026-01-31T00:00:00Z", "a@example.org", "https://example.org/a",
    "/a", "123e4567-e89b-42d3-a456-426614174000", "example.org", "192.0.2.1", "2001:db8::1", "YQ==", "12:00:00Z", "P1D",
)  # fmt: skip
_VALUES: dict[str, tuple[Any, ...]] = {
    "null": (None,),
    "boolean": (True, False),
    "integer": (0, 1, -1, 7, 2**31, 2**63),
    "number": (0.5, 1.5, -0.5),
    "string": _TEXTS,
    "array": ([], [0], ["a"], [0, 0], [{}], [None]),
    "object": ({}, {"x-undeclared": "a"}, {"x-undeclared": 0}),
}


def samples(accepting: Shape, refusing: Shape) -> Iterator[Any]:
    """Candidates in a fixed order: listed values, both shapes' edges, then plain values of each accepted type."""
    yield from (accepting.enum or {}).values()
    yield from (refusing.enum or {}).values()
    for name in ("integer", "number"):
        if name in accepting.types:
            yield from _numbers(accepting, refusing)
    if "string" in accepting.types:
        yield from _texts(accepting, refusing)
    if "array" in accepting.types:
        yield from _arrays(accepting, refusing)
    if "object" in accepting.types:
        yield from _objects(accepting, refusing)
    for name in sorted(accepting.types):
        yield from _VALUES[name]


def _numbers(accepting: Shape, refusing: Shape) -> Iterator[Any]:
    for shape in (accepting, refusing):
        for bound in (shape.lower, shape.upper):
            if bound is not None:
                yield from (bound[0] + step for step in (0, -1, 1, 0.5, -0.5))
        for multiple in sorted(shape.multiples):
            yield from (multiple, multiple * 3, multiple + 1, -multiple)


def _lengths(accepting: Shape, refusing: Shape, tail: str) -> list[int]:
    found = {
        number + step
        for shape in (accepting, refusing)
        for name, number in shape.counts.items()
        if name.endswith(tail)
        for step in (-1, 0, 1)
    }
    return sorted(int(each) for each in found if 0 <= each <= MAX_LENGTH)


def _texts(accepting: Shape, refusing: Shape) -> Iterator[str]:
    yield from _TEXTS
    for length in _lengths(accepting, refusing, "Length"):
        yield "a" * length


def _arrays(accepting: Shape, refusing: Shape) -> Iterator[list[Any]]:
    for length in [*_lengths(accepting, refusing, "Items"), *_lengths(accepting, refusing, "Contains")]:
        for entry in ("a", 0):
            yield [f"{entry}{index}" if isinstance(entry, str) else index for index in range(length)]
            yield [entry] * length
    for text in _TEXTS:
        yield [text, text]


def _objects(accepting: Shape, refusing: Shape) -> Iterator[dict[str, Any]]:
    """What is required, with one property more or less; properties take a value that a plain schema takes."""
    required = sorted(accepting.required)
    declared = sorted({*accepting.properties, *refusing.properties})
    fillers: tuple[Any, ...] = ("a", 0, True, {}, [])
    for filler in fillers:
        full = dict.fromkeys(required, filler)
        yield full
        yield {**full, "x-undeclared": filler}
        for name in islice(declared, 20):
            yield {**full, name: filler}
            yield {key: value for key, value in full.items() if key != name}
        for length in _lengths(accepting, refusing, "Properties"):
            names = [*required, *(f"x{index}" for index in range(length))][:length]
            yield dict.fromkeys(names, filler)
        for name in sorted({*accepting.dependent_required, *refusing.dependent_required}):
            yield {**full, name: filler}
