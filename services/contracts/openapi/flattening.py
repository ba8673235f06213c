"""Schema nodes into their normal form (`shapes.Shape`), each once."""

from copy import copy
from math import ceil, floor
from typing import Any

from services.contracts.openapi.documents import Node
from services.contracts.openapi.keywords import keywords, listed
from services.contracts.openapi.shapes import Group, Parts, Shape, key_of, met
from services.contracts.openapi.values import ALL_TYPES, closed_types, type_of

#: Levels of `allOf`, `$ref` and single alternatives inside each other; deeper ones are taken as unknown.
MAX_NESTING = 60
NEVER = Shape(never=True, types=frozenset())


class Flattener:
    """Flattens places of one or several documents; keeps what it made, so that a place is looked at once."""

    def __init__(self) -> None:
        self._places: dict[tuple[int, ...], Shape] = {}
        #: Keeps every part alive: places are known by identity.
        self._kept: list[Parts] = []
        self._listings: dict[tuple[int, int, str], _Listing] = {}

    def shape(self, parts: Parts) -> Shape:
        """The normal form of a place."""
        key = key_of(parts)
        if key not in self._places:
            self._places[key] = _finished(self._met(parts))
            self._kept.append(parts)
        return self._places[key]

    def _met(self, parts: Parts) -> Shape:
        seen: set[int] = set()
        whole: Shape | None = None
        for part in parts:
            each = part if isinstance(part, Shape) else self._node(part, seen, 0)
            whole = each if whole is None else met(whole, each)
        return Shape() if whole is None else whole

    def _node(self, node: Node, seen: set[int], depth: int) -> Shape:
        """A node with its references, `allOf` and lone alternatives put into one shape.

        All that is met on the way applies at once, so what was `seen` adds nothing a second time.
        """
        if not isinstance(node.value, dict):
            return NEVER if node.value is False else Shape()
        if node.key in seen:
            return Shape()
        if depth > MAX_NESTING:
            return Shape(dangling=frozenset({node.pointer}))
        seen.add(node.key)
        reference = node.value.get("$ref", node.value.get("$dynamicRef"))
        if not isinstance(reference, str):
            return self._inner(node, seen, depth)
        target = node.document.find(reference)
        referred = Shape(dangling=frozenset({reference})) if target is None else self._node(target, seen, depth + 1)
        if not node.document.modern or len(node.value) == 1:
            return referred
        return met(self._inner(node, seen, depth), referred)

    def _inner(self, node: Node, seen: set[int], depth: int) -> Shape:
        whole = keywords(node)
        for part in listed(node, "allOf"):
            whole = met(whole, self._node(part, seen, depth + 1))
        for kind in ("oneOf", "anyOf"):
            if kind in node.value:
                whole = self._with_group(whole, kind, self._listing(node, kind), seen, depth)
        return _nullable(whole, node)

    def _listing(self, node: Node, kind: str) -> "_Listing":
        """What a group lists, looked at once: schemas that refer to each other meet the same groups again and again."""
        name = id(node.document), node.key, kind
        if name not in self._listings:
            # A schema that is an alternative of itself takes what its other alternatives take.
            alternatives = [each for each in listed(node, kind) if each.resolved().key != node.key]
            self._listings[name] = _Listing(alternatives)
            # A key is an identity, and holds while the node does.
            self._kept.append((node,))
        return self._listings[name]

    def _with_group(self, whole: Shape, kind: str, group: "_Listing", seen: set[int], depth: int) -> Shape:
        """`oneOf`/`anyOf` as a group; one alternative, with or without null, is no alternative.

        Where a schema is an alternative of what it extends (`Cat` of `Pet`, and `Pet` one of `Cat` or `Dog`), it
        meets that choice by being what it is.
        """
        if not group.keys or not group.keys.isdisjoint(seen):
            return whole
        if not group.others:
            return met(whole, Shape(types=frozenset({"null"})))
        if len(group.others) == 1:
            only = self._node(group.others[0], seen, depth + 1)
            return met(whole, _or_null(only) if group.null else only)
        if group.united is not None:
            return met(whole, group.united)
        listing = Group(kind, tuple((each,) for each in group.others), group.null)
        return met(whole, Shape(groups=(listing,), types=group.types))


class _Listing:
    """The alternatives of one `oneOf` or `anyOf`, as they are by themselves."""

    def __init__(self, alternatives: list[Node]) -> None:
        resolved = [each.resolved() for each in alternatives]
        shapes = [_surface(each) for each in resolved]
        self.keys = frozenset(each.key for each in resolved)
        self.null = any(_only_null(shape) for shape in shapes)
        self.others = [each for each, shape in zip(alternatives, shapes, strict=True) if not _only_null(shape)]
        self.united = _united(shapes) if len(self.others) > 1 else None
        self.types: frozenset[str] = frozenset().union(*(shape.types for shape in shapes))


def _surface(node: Node) -> Shape:
    """What a node says itself; one that combines others may be anything."""
    if not isinstance(node.value, dict):
        return NEVER if node.value is False else Shape()
    combined = node.value.keys() & {"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf"}
    return Shape(groups=(Group("anyOf", ()),)) if combined else _nullable(keywords(node), node)


def _only_null(shape: Shape) -> bool:
    if shape.enum is not None:
        return set(shape.enum) == {"null"}
    return shape.types == {"null"}


def _or_null(shape: Shape) -> Shape:
    """The same, or null."""
    whole = met(shape, Shape())
    whole.types = shape.types | {"null"}
    if shape.enum is not None:
        whole.enum = {**shape.enum, "null": None}
    whole.groups = tuple(Group(group.kind, group.alternatives, True) for group in shape.groups)
    return whole


def _united(shapes: list[Shape]) -> Shape | None:
    """Alternatives that only list values, as one list; alternatives that only name types, as one list of types."""
    if all(shape.enum is not None and _bare(shape) for shape in shapes):
        values: dict[str, Any] = {}
        for shape in shapes:
            values |= _finished(shape).enum or {}
        return Shape(enum=values, types=closed_types(frozenset(type_of(value) for value in values.values())))
    if all(shape.enum is None and _bare(shape) for shape in shapes):
        return Shape(types=frozenset().union(*(shape.types for shape in shapes)))
    return None


def _bare(shape: Shape) -> bool:
    """Whether nothing but types and values is said."""
    return not (
        shape.lower or shape.upper or shape.multiples or shape.counts or shape.patterns or shape.formats
        or shape.contents or shape.unique or shape.required or shape.properties or shape.pattern_properties
        or shape.additional or shape.property_names or shape.unevaluated or shape.unevaluated_items
        or shape.prefix or shape.items or shape.contains or shape.dependent_required or shape.dependent_schemas
        or shape.excluded or shape.conditions or shape.groups or shape.never or shape.dangling
        or shape.content_schema or shape.read_only or shape.write_only
    )  # fmt: skip


def _nullable(shape: Shape, node: Node) -> Shape:
    """3.0's `nullable` counts where the same schema names its type, and then also opens its enum."""
    value = node.value
    if node.document.modern and "type" in value and isinstance(value["type"], list):
        return shape
    if value.get("nullable") is not True or shape.types == ALL_TYPES:
        return shape
    return _or_null(shape)


def _finished(shape: Shape) -> Shape:
    """What follows from the keywords together: types of listed values, whole-number bounds, closed objects."""
    whole = copy(shape)
    whole.counts = dict(shape.counts)
    if whole.enum is not None:
        whole.enum = {key: each for key, each in whole.enum.items() if _typed(each, whole.types)}
        whole.types = closed_types(frozenset(type_of(each) for each in whole.enum.values()))
        whole.never = whole.never or not whole.enum
    if whole.types & {"number", "integer"} == {"integer"}:
        whole.lower, whole.upper = _whole(whole.lower, ceil, 1), _whole(whole.upper, floor, -1)
        whole.multiples = frozenset(each for each in whole.multiples if 1 % each)
    if whole.counts.get("minProperties", 0) <= len(whole.required):
        whole.counts.pop("minProperties", None)
    if whole.unevaluated and not (whole.groups or whole.conditions or whole.dependent_schemas):
        whole.additional = whole.additional or whole.unevaluated
        whole.unevaluated = ()
    if whole.unevaluated_items and not (whole.groups or whole.conditions or whole.contains):
        whole.items = whole.items or whole.unevaluated_items
        whole.unevaluated_items = ()
    if not whole.types:
        whole.never = True
    return whole


def _typed(value: Any, types: frozenset[str]) -> bool:
    return type_of(value) in types


def _whole(bound: tuple[float, bool] | None, rounded: Any, step: int) -> tuple[float, bool] | None:
    """The bound that a whole number meets: x > 0 is x >= 1."""
    if bound is None or bound[0] in (float("inf"), float("-inf")):
        return bound
    number = rounded(bound[0])
    return (number + step if bound[1] and number == bound[0] else number, False)
