"""The normal form of a schema: one flat conjunction of keywords, the same for every way of writing it down.

A subschema stays a tuple of parts that all apply, and is looked at when a comparison reaches it; so a cyclic
document costs what its nodes cost. `allOf` and `$ref` are dissolved, `nullable` and `oneOf` with null are types,
`const` is an enum of one, a bound knows whether it excludes itself.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Union

from services.contracts.openapi.documents import Node
from services.contracts.openapi.values import ALL_TYPES

#: What applies at one place: schema nodes and normal forms, all of them at once. Empty: anything goes.
Parts = tuple[Union[Node, "Shape"], ...]
Bound = tuple[float, bool]


@dataclass(slots=True)
class Group:
    """One `oneOf` or `anyOf`: at least one of `alternatives` applies."""

    kind: str
    alternatives: tuple[Parts, ...]
    null: bool = False


@dataclass(slots=True, eq=False)
class Shape:
    """All keywords that apply at one place. None, empty or ALL_TYPES: the keyword is not there."""

    types: frozenset[str] = ALL_TYPES
    enum: dict[str, Any] | None = None
    lower: Bound | None = None
    upper: Bound | None = None
    multiples: frozenset[float] = frozenset()
    #: minLength, maxItems and the like, as `{keyword: number}`; maxima are upper bounds, minima lower ones.
    counts: dict[str, int] = field(default_factory=dict)
    patterns: frozenset[str] = frozenset()
    formats: frozenset[str] = frozenset()
    contents: dict[str, str] = field(default_factory=dict)
    content_schema: Parts = ()
    unique: bool = False
    required: frozenset[str] = frozenset()
    properties: dict[str, Parts] = field(default_factory=dict)
    pattern_properties: dict[str, Parts] = field(default_factory=dict)
    #: What undeclared properties must be; empty where they may be anything.
    additional: Parts = ()
    #: Said by the document, also where it says what holds anyway.
    property_names: Parts = ()
    unevaluated: Parts = ()
    unevaluated_items: Parts = ()
    prefix: tuple[Parts, ...] = ()
    items: Parts = ()
    contains: tuple[Parts, ...] = ()
    dependent_required: dict[str, frozenset[str]] = field(default_factory=dict)
    dependent_schemas: dict[str, Parts] = field(default_factory=dict)
    excluded: tuple[Parts, ...] = ()
    conditions: tuple[tuple[Parts, Parts, Parts], ...] = ()
    groups: tuple[Group, ...] = ()
    discriminator: dict[str, Any] | None = None
    read_only: bool = False
    write_only: bool = False
    deprecated: bool = False
    extensible: bool = False
    notes: dict[str, Any] = field(default_factory=dict)
    never: bool = False
    #: A reference that leads nowhere: what it stands for cannot be known.
    dangling: frozenset[str] = frozenset()
    #: How often alternatives were unfolded to come here.
    unfolded: int = 0

    @property
    def key(self) -> int:
        return id(self)


def key_of(parts: Parts) -> tuple[int, ...]:
    """What makes two tuples of parts the same place; the order does not count."""
    return tuple(sorted({part.key for part in parts}))


def met(left: Shape, right: Shape) -> Shape:
    """Both at once: the intersection of two normal forms."""
    return Shape(
        types=left.types & right.types,
        enum=_both_enums(left.enum, right.enum),
        lower=_tighter(left.lower, right.lower, lower=True),
        upper=_tighter(left.upper, right.upper, lower=False),
        multiples=left.multiples | right.multiples,
        counts=_both_counts(left.counts, right.counts),
        patterns=left.patterns | right.patterns,
        formats=left.formats | right.formats,
        contents={**left.contents, **right.contents},
        content_schema=left.content_schema + right.content_schema,
        unique=left.unique or right.unique,
        required=left.required | right.required,
        properties=_both_properties(left, right),
        pattern_properties=_both_patterns(left, right),
        additional=left.additional + right.additional,
        property_names=left.property_names + right.property_names,
        unevaluated=left.unevaluated + right.unevaluated,
        unevaluated_items=left.unevaluated_items + right.unevaluated_items,
        prefix=_both_prefixes(left, right),
        items=left.items + right.items,
        contains=left.contains + right.contains,
        dependent_required=_both_required(left.dependent_required, right.dependent_required),
        dependent_schemas=_both_schemas(left.dependent_schemas, right.dependent_schemas),
        excluded=left.excluded + right.excluded,
        conditions=left.conditions + right.conditions,
        groups=left.groups + right.groups,
        discriminator=left.discriminator or right.discriminator,
        read_only=left.read_only or right.read_only,
        write_only=left.write_only or right.write_only,
        deprecated=left.deprecated or right.deprecated,
        extensible=left.extensible or right.extensible,
        notes={**right.notes, **left.notes},
        never=left.never or right.never,
        dangling=left.dangling | right.dangling,
        unfolded=max(left.unfolded, right.unfolded),
    )


def without_groups(shape: Shape) -> Shape:
    """The conjunction that stands beside the alternatives."""
    return replace(shape, groups=(), discriminator=None)


def _both_enums(left: dict[str, Any] | None, right: dict[str, Any] | None) -> dict[str, Any] | None:
    if left is None or right is None:
        return right if left is None else left
    return {key: value for key, value in left.items() if key in right}


def _tighter(left: Bound | None, right: Bound | None, *, lower: bool) -> Bound | None:
    if left is None or right is None:
        return right if left is None else left
    if left[0] == right[0]:
        return (left[0], left[1] or right[1])
    return max(left, right) if lower else min(left, right)


def _both_counts(left: dict[str, int], right: dict[str, int]) -> dict[str, int]:
    both = {**left, **right}
    for name in left.keys() & right.keys():
        both[name] = (min if name.startswith("max") else max)(left[name], right[name])
    return both


def lookup(shape: Shape, name: str) -> Parts:
    """What a shape says of a property: its own schema, or what undeclared ones must be."""
    return shape.properties.get(name, shape.additional)


def _both_properties(left: Shape, right: Shape) -> dict[str, Parts]:
    names = {**left.properties, **right.properties}
    return {name: lookup(left, name) + lookup(right, name) for name in names}


def _both_patterns(left: Shape, right: Shape) -> dict[str, Parts]:
    names = {**left.pattern_properties, **right.pattern_properties}
    return {
        name: left.pattern_properties.get(name, left.additional) + right.pattern_properties.get(name, right.additional)
        for name in names
    }


def _both_prefixes(left: Shape, right: Shape) -> tuple[Parts, ...]:
    length = max(len(left.prefix), len(right.prefix))
    return tuple(_at(left, index) + _at(right, index) for index in range(length))


def _at(shape: Shape, index: int) -> Parts:
    return shape.prefix[index] if index < len(shape.prefix) else shape.items


def _both_required(left: dict[str, frozenset[str]], right: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    return {name: left.get(name, frozenset()) | right.get(name, frozenset()) for name in {**left, **right}}


def _both_schemas(left: dict[str, Parts], right: dict[str, Parts]) -> dict[str, Parts]:
    return {name: left.get(name, ()) + right.get(name, ()) for name in {**left, **right}}
