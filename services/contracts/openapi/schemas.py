"""Schemas of two documents: which checks look at a pair, and what needs no look because it is the same."""

from collections.abc import Iterator
from typing import Any

from services.contracts.findings import Effect
from services.contracts.openapi.alternatives import check_alternatives
from services.contracts.openapi.arrays import check_arrays
from services.contracts.openapi.combinations import check_conditions, check_excluded
from services.contracts.openapi.documents import Document, Node
from services.contracts.openapi.effects import of_sets
from services.contracts.openapi.flattening import Flattener
from services.contracts.openapi.lifecycles import Lifecycle, Stage
from services.contracts.openapi.objects import check_objects, sub
from services.contracts.openapi.pairs import Child, Comparison, Delta, Pair
from services.contracts.openapi.scalars import (
    check_enum,
    check_extensible,
    check_never,
    check_numbers,
    check_text,
    check_types,
)
from services.contracts.openapi.shapes import Shape


def check_content_schema(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Iterator[Delta | Child]:
    if "string" in base.types & revision.types:
        yield from sub(
            comparison, pair, "schema-content", ".contentSchema", base.content_schema, revision.content_schema
        )


def check_null(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Iterator[Delta]:
    """Null beside alternatives; elsewhere it is one of the types."""
    before, after = "null" in base.types, "null" in revision.types
    if (base.groups or revision.groups) and before != after and not (base.never or revision.never):
        yield Delta("schema-null", of_sets(before, after), before, after)


def check_notes(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Iterator[Delta]:
    """What changes no value: deprecation and its dates, the default, the discriminator."""
    before, after = base.notes.get("default"), revision.notes.get("default")
    if before != after:
        yield Delta("schema-default", Effect.NONE, before, after)
    if base.discriminator != revision.discriminator:
        named = [each.get("propertyName") if each else None for each in (base.discriminator, revision.discriminator)]
        yield Delta("schema-discriminator", Effect.NONE, named[0], named[1])
    if pair.mode.xml and base.notes.get("xml") != revision.notes.get("xml"):
        yield Delta("xml-name", Effect.INCOMPARABLE, base.notes.get("xml"), revision.notes.get("xml"))
    if base.deprecated != revision.deprecated:
        yield Delta("schema-deprecated", Effect.NONE, base.deprecated, revision.deprecated)
    stages = [Stage.of({**shape.notes, "deprecated": shape.deprecated}) for shape in (base, revision)]
    for breach in comparison.lifecycle.breaches(*stages):
        yield Delta(breach.rule, breach.effect, breach.before, breach.after)


#: What a keyword beside alternatives is asked.
_PLAIN = (
    check_types,
    check_enum,
    check_extensible,
    check_numbers,
    check_text,
    check_content_schema,
    check_objects,
    check_arrays,
    check_excluded,
    check_conditions,
)


def check_schema(comparison: Comparison, base: Shape, revision: Shape, pair: Pair) -> Iterator[Delta | Child]:
    """Everything about one pair. Where only one side has alternatives, they say it all."""
    yield from check_never(comparison, base, revision, pair)
    yield from check_null(comparison, base, revision, pair)
    yield from check_notes(comparison, base, revision, pair)
    yield from check_alternatives(comparison, base, revision, pair)
    if len(base.groups) != len(revision.groups):
        return
    for check in _PLAIN:
        if check is check_types and base.groups:
            continue
        yield from check(comparison, base, revision, pair)


class Sameness:
    """Whether two nodes are the same text, and all that they refer to is the same as well."""

    def __init__(self, base: Document, revision: Document) -> None:
        self._alike = base.modern == revision.modern
        self._base, self._revision = base, revision
        self._clean: dict[int, bool] = {}
        self._changed = self._changed_targets() if self._alike else set()

    def __call__(self, left: Node, right: Node) -> bool:
        if not self._alike or left.value != right.value:
            return False
        return self._is_clean(left.value)

    def _changed_targets(self) -> set[str]:
        """References whose target differs, or leads to one that does."""
        names = _references(self._base.root.value) | _references(self._revision.root.value)
        users: dict[str, set[str]] = {name: set() for name in names}
        changed: set[str] = set()
        for name in names:
            before, after = self._base.find(name), self._revision.find(name)
            values = [None if node is None else node.value for node in (before, after)]
            if values[0] != values[1]:
                changed.add(name)
            for used in _references(values[1]):
                users[used].add(name)
        waiting = list(changed)
        while waiting:
            for user in users[waiting.pop()] - changed:
                changed.add(user)
                waiting.append(user)
        return changed

    def _is_clean(self, value: Any) -> bool:
        """Whether nothing below refers to what changed."""
        if not self._changed:
            return True
        key = id(value)
        if key not in self._clean:
            self._clean[key] = not (_references(value) & self._changed)
        return self._clean[key]


def _references(value: Any) -> set[str]:
    found: set[str] = set()
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, dict):
            for name in ("$ref", "$dynamicRef"):
                if isinstance(each.get(name), str):
                    found.add(each[name])
            stack.extend(child for child in each.values() if isinstance(child, (dict, list)))
        elif isinstance(each, list):
            stack.extend(child for child in each if isinstance(child, (dict, list)))
    return found


def schema_comparison(base: Document, revision: Document, lifecycle: Lifecycle) -> Comparison:
    """A comparison of the schemas of two documents."""
    return Comparison(Flattener(), (check_schema,), Sameness(base, revision), lifecycle)
