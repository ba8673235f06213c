"""The keywords of one schema node, read into the normal form."""

from collections.abc import Callable
from typing import Any

from services.contracts.openapi.documents import Node
from services.contracts.openapi.shapes import Parts, Shape
from services.contracts.openapi.values import ALL_TYPES, closed_types, is_number, value_key

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
_EVERY_STRING = {"", ".*", "^.*$", "^.*", ".*$", "^", "$", "[\\s\\S]*", "^[\\s\\S]*$"}


def listed(node: Node, name: str) -> list[Node]:
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
    shape = Shape()
    for name in node.value:
        reader = _READERS.get(name)
        if reader is not None:
            reader(shape, node, node.value[name])
        elif name in NOTES or (isinstance(name, str) and name.startswith("x-")):
            shape.notes[name] = node.value[name]
    return shape


def _read_bounds(shape: Shape, node: Node, value: Any) -> None:
    shape.lower, shape.upper = _bound(node.value, "inimum", max), _bound(node.value, "aximum", min)


def _read_enum(shape: Shape, node: Node, value: Any) -> None:
    shape.enum = _enum(node.value)


def _read_count(shape: Shape, node: Node, value: Any) -> None:
    shape.counts = _counts(node.value)


def _read_content(shape: Shape, node: Node, value: Any) -> None:
    shape.contents = {name: node.value[name] for name in CONTENTS if isinstance(node.value.get(name), str)}


def _read_contains(shape: Shape, node: Node, value: Any) -> None:
    shape.contains = (_sub(node, "contains"),) if value is not None else ()


def _read_not(shape: Shape, node: Node, value: Any) -> None:
    shape.excluded = (_sub(node, "not"),) if value is not None else ()


def _read_discriminator(shape: Shape, node: Node, value: Any) -> None:
    shape.discriminator = value if isinstance(value, dict) else None


def _read_extensible(shape: Shape, node: Node, value: Any) -> None:
    """True: more values may come. As a list, it is an enum of which the same is known."""
    shape.extensible = value is True
    if isinstance(value, list):
        shape.notes["x-extensible-enum"] = value


def _setter(field: str, read: Callable[[Node, Any], Any]) -> Callable[[Shape, Node, Any], None]:
    def reader(shape: Shape, node: Node, value: Any) -> None:
        setattr(shape, field, read(node, value))

    return reader


def _below(read: Callable[[Node, str], Any], name: str) -> Callable[[Node, Any], Any]:
    return lambda node, _: read(node, name)


def _readers() -> dict[str, Callable[[Shape, Node, Any], None]]:
    """What reads each keyword; several keywords that make one value share a reader."""
    found: dict[str, Callable[[Shape, Node, Any], None]] = {
        "type": _setter("types", lambda _, value: _types(value)),
        "multipleOf": _setter("multiples", lambda _, value: frozenset({value} if _positive(value) else ())),
        "pattern": _setter("patterns", lambda _, value: _texts(value) - _EVERY_STRING),
        "format": _setter("formats", lambda _, value: _texts(value)),
        "required": _setter("required", lambda _, value: _names(value)),
        "dependentRequired": _setter("dependent_required", lambda node, _: _dependent(node)),
        "if": _setter("conditions", lambda node, _: _conditions(node)),
        "contains": _read_contains,
        "not": _read_not,
        "discriminator": _read_discriminator,
        "x-extensible-enum": _read_extensible,
        "prefixItems": lambda shape, node, _: _arrays(shape, node),
        "items": lambda shape, node, _: _arrays(shape, node),
    }
    found |= dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _read_bounds)
    found |= dict.fromkeys(("enum", "const"), _read_enum)
    found |= dict.fromkeys(COUNTS, _read_count)
    found |= dict.fromkeys(CONTENTS, _read_content)
    for name, field in _FLAGS.items():
        found[name] = _setter(field, lambda _, value: value is True)
    for name, field in _SUBSCHEMAS.items():
        found[name] = _setter(field, _below(_sub, name))
    for name, field in _MAPS.items():
        found[name] = _setter(field, _below(_map, name))
    return found


_FLAGS = {"uniqueItems": "unique", "readOnly": "read_only", "writeOnly": "write_only", "deprecated": "deprecated"}
_SUBSCHEMAS = {
    "contentSchema": "content_schema",
    "additionalProperties": "additional",
    "propertyNames": "property_names",
    "unevaluatedProperties": "unevaluated",
    "unevaluatedItems": "unevaluated_items",
}
_MAPS = {
    "properties": "properties",
    "patternProperties": "pattern_properties",
    "dependentSchemas": "dependent_schemas",
}


def _arrays(shape: Shape, node: Node) -> None:
    """`prefixItems` and `items`; the array form of `items` is `prefixItems` with `additionalItems`."""
    if isinstance(node.value.get("items"), list):
        shape.prefix = tuple((each,) for each in listed(node, "items"))
        shape.items = _sub(node, "additionalItems")
        return
    shape.prefix = tuple((each,) for each in listed(node, "prefixItems"))
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


_READERS = _readers()
