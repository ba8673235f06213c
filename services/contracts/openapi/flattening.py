"""Schema nodes into their normal form (`shapes.Shape`), each once."""

from math import ceil, floor
from typing import Any

from services.contracts.openapi.documents import Node
from services.contracts.openapi.shapes import Group, Parts, Shape, key_of, met
from services.contracts.openapi.values import ALL_TYPES, closed_types, is_number, type_of, value_key

#: Levels of `allOf`, `$ref` and single alternatives inside each other; deeper ones are taken as unknown.
MAX_NESTING = 60
COUNTS = (
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minContains",
    "maxContains",
)
CONTENTS = ("contentEncoding", "contentMediaType")
NOTES = ("title", "description", "default", "example", "examples", "externalDocs", "xml", "$comment")
NEVER = Shape(never=True, types=frozenset())
_EVERY_STRING = {"", ".*", "^.*$", "^.*", ".*$", "^", "$", "[\\s\\S]*", "^[\\s\\S]*$"}


class Flattener:
    """Flattens places of one or several documents; keeps what it made, so that a place is looked at once."""

    def __init__(self) -> None:
        self._places: dict[tuple[int, ...], Shape] = {}
        #: Keeps every part alive: places are known by identity.
        self._kept: list[Parts] = []

    def shape(self, parts: Parts) -> Shape:
        """The normal form of a place."""
        key = key_of(parts)
        if key not in self._places:
            self._places[key] = _finished(self._met(parts))
            self._kept.append(parts)
        return self._places[key]

    def _met(self, parts: Parts) -> Shape:
        seen: set[int] = set()
        whole = Shape()
        for part in parts:
            whole = met(whole, part if isinstance(part, Shape) else self._node(part, seen, 0))
        return whole

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
        referred = (
            Shape(dangling=frozenset({reference})) if target is None else self._node(target, seen, depth + 1)
        )
        if not node.document.modern or len(node.value) == 1:
            return referred
        return met(self._inner(node, seen, depth), referred)

    def _inner(self, node: Node, seen: set[int], depth: int) -> Shape:
        whole = keywords(node)
        for part in _list(node, "allOf"):
            whole = met(whole, self._node(part, seen, depth + 1))
        for kind in ("oneOf", "anyOf"):
            alternatives = _list(node, kind)
            if alternatives:
                whole = self._with_group(whole, kind, alternatives, seen, depth)
        return _nullable(whole, node)

    def _with_group(
        self, whole: Shape, kind: str, alternatives: list[Node], seen: set[int], depth: int
    ) -> Shape:
        """`oneOf`/`anyOf` as a group; one alternative, with or without null, is no alternative.

        Where a schema is an alternative of what it extends (`Cat` of `Pet`, and `Pet` one of `Cat` or `Dog`), it
        meets that choice by being what it is.
        """
        resolved = [each.resolved() for each in alternatives]
        if any(each.key in seen for each in resolved):
            return whole
        shapes = [_surface(each) for each in resolved]
        null = any(_only_null(shape) for shape in shapes)
        others = [each for each, shape in zip(alternatives, shapes, strict=True) if not _only_null(shape)]
        if not others:
            return met(whole, Shape(types=frozenset({"null"})))
        if len(others) == 1:
            only = self._node(others[0], seen, depth + 1)
            return met(whole, _or_null(only) if null else only)
        united = _united(shapes)
        if united is not None:
            return met(whole, united)
        types = frozenset().union(*(shape.types for shape in shapes))
        return met(whole, Shape(groups=(Group(kind, tuple((each,) for each in others), null),), types=types))


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


def _list(node: Node, name: str) -> list[Node]:
    value = node.value.get(name)
    if not isinstance(value, list):
        return []
    return [node.child(name, index) for index in range(len(value))]


def _sub(node: Node, name: str) -> Parts:
    """A subschema as parts; nothing where it is absent or accepts everything."""
    value = node.value.get(name)
    if value is None or value is True or value == {} or not isinstance(value, (dict, bool)):
        return ()
    return (node.child(name),)


def _map(node: Node, name: str) -> dict[str, Parts]:
    return {
        key: (child,) if isinstance(child.value, (dict, bool)) and child.value != {} and child.value is not True else ()
        for key, child in node.items(name)
    }


def keywords(node: Node) -> Shape:
    """The keywords of one node, without its references and combinations."""
    value = node.value
    lower, upper = _bounds(value)
    shape = Shape(
        types=_types(value.get("type")),
        enum=_enum(value),
        lower=lower,
        upper=upper,
        multiples=frozenset({value["multipleOf"]}) if _positive(value.get("multipleOf")) else frozenset(),
        counts=_counts(value),
        patterns=_texts(value.get("pattern")) - _EVERY_STRING,
        formats=_texts(value.get("format")),
        contents={name: value[name] for name in CONTENTS if isinstance(value.get(name), str)},
        content_schema=_sub(node, "contentSchema"),
        unique=value.get("uniqueItems") is True,
        required=_names(value.get("required")),
        properties=_map(node, "properties"),
        pattern_properties=_map(node, "patternProperties"),
        additional=_sub(node, "additionalProperties"),
        property_names=_sub(node, "propertyNames"),
        unevaluated=_sub(node, "unevaluatedProperties"),
        unevaluated_items=_sub(node, "unevaluatedItems"),
        contains=(_sub(node, "contains"),) if value.get("contains") is not None else (),
        dependent_required=_dependent(node),
        dependent_schemas=_map(node, "dependentSchemas"),
        excluded=(_sub(node, "not"),) if value.get("not") is not None else (),
        conditions=_conditions(node),
        read_only=value.get("readOnly") is True,
        write_only=value.get("writeOnly") is True,
        deprecated=value.get("deprecated") is True,
        extensible=value.get("x-extensible-enum") is True,
        notes={name: each for name, each in value.items() if name in NOTES or name.startswith("x-")},
    )
    _arrays(shape, node)
    extensible = value.get("x-extensible-enum")
    if isinstance(extensible, list) and shape.enum is None:
        shape.notes["x-extensible-enum"] = extensible
    if isinstance(value.get("discriminator"), dict):
        shape.discriminator = value["discriminator"]
    return shape


def _arrays(shape: Shape, node: Node) -> None:
    """`prefixItems` and `items`; the array form of `items` is `prefixItems` with `additionalItems`."""
    if isinstance(node.value.get("items"), list):
        shape.prefix = tuple((each,) for each in _list(node, "items"))
        shape.items = _sub(node, "additionalItems")
        return
    shape.prefix = tuple((each,) for each in _list(node, "prefixItems"))
    shape.items = _sub(node, "items")


def _types(value: Any) -> frozenset[str]:
    named = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    known = frozenset(name for name in named if isinstance(name, str) and name in ALL_TYPES)
    return closed_types(known) if known else ALL_TYPES


def _enum(value: dict[str, Any]) -> dict[str, Any] | None:
    listed = value.get("enum")
    found = {value_key(each): each for each in listed} if isinstance(listed, list) else None
    if "const" in value:
        return _const(found, value["const"])
    return found


def _const(listed: dict[str, Any] | None, const: Any) -> dict[str, Any]:
    key = value_key(const)
    return {key: const} if listed is None or key in listed else {}


def _bounds(value: dict[str, Any]) -> tuple[tuple[float, bool] | None, tuple[float, bool] | None]:
    return _bound(value, "inimum", max), _bound(value, "aximum", min)


def _bound(value: dict[str, Any], tail: str, tighter: Any) -> tuple[float, bool] | None:
    """A bound of 3.0 (`exclusiveMinimum: true` beside it) or of 3.1 (a number of its own)."""
    exclusive = value.get("exclusiveM" + tail)
    plain = _number(value.get("m" + tail))
    other = _number(exclusive)
    if other is not None:
        loose = plain is not None and tighter(plain, other) != other
        return (plain, False) if loose and plain is not None else (other, True)
    return None if plain is None else (plain, exclusive is True)


def _number(value: Any) -> float | None:
    return value if is_number(value) else None


def _positive(value: Any) -> bool:
    return is_number(value) and value > 0


def _counts(value: dict[str, Any]) -> dict[str, int]:
    """Bounds on lengths; a minimum of zero says nothing."""
    found = {name: value[name] for name in COUNTS if is_number(value.get(name)) and value[name] >= 0}
    return {
        name: number for name, number in found.items() if number > 0 or name.startswith("max") or name == "minContains"
    }


def _texts(value: Any) -> frozenset[str]:
    return frozenset({value}) if isinstance(value, str) and value else frozenset()


def _names(value: Any) -> frozenset[str]:
    return frozenset(each for each in value if isinstance(each, str)) if isinstance(value, list) else frozenset()


def _dependent(node: Node) -> dict[str, frozenset[str]]:
    return {key: names for key, child in node.items("dependentRequired") if (names := _names(child.value) - {key})}


def _conditions(node: Node) -> tuple[tuple[Parts, Parts, Parts], ...]:
    if node.value.get("if") is None:
        return ()
    then, otherwise = _sub(node, "then"), _sub(node, "else")
    if not then and not otherwise:
        return ()
    return ((_sub(node, "if"), then, otherwise),)


def _finished(shape: Shape) -> Shape:
    """What follows from the keywords together: types of listed values, whole-number bounds, closed objects."""
    whole = met(shape, Shape())
    if whole.enum is not None:
        whole.enum = {key: each for key, each in whole.enum.items() if _typed(each, whole.types)}
        whole.types = closed_types(frozenset(type_of(each) for each in whole.enum.values()))
        whole.never = whole.never or not whole.enum
    if whole.types & {"number", "integer"} == {"integer"}:
        whole.lower, whole.upper = _whole(whole.lower, ceil, 1), _whole(whole.upper, floor, -1)
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

