"""A schema of a document as one that stands alone: references are bundled, 3.0's own keywords turned into 3.1's."""

from typing import Any

from services.contracts.openapi.documents import Node

MAX_BUNDLED = 60
_SINGLE = ("not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames", "contentSchema")
_SINGLE_TOO = ("unevaluatedItems", "unevaluatedProperties")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS = ("properties", "patternProperties", "dependentSchemas", "$defs")


def standalone(nodes: list[Node], budget: list[int]) -> Any:
    """All nodes at once, as one JSON Schema 2020-12; what they refer to stands under `$defs`.

    `budget` holds the number of objects that may still be copied, and is lowered by what is; what comes after is a
    reference to nowhere.
    """
    bundle = _Bundle(budget)
    parts = [bundle.schema(node) for node in nodes] or [True]
    while bundle.waiting:
        name, node = bundle.waiting.pop()
        bundle.defined[name] = bundle.schema(node)
    return {"allOf": parts, "$defs": bundle.defined}


class _Bundle:
    def __init__(self, budget: list[int]) -> None:
        self.budget = budget
        self.names: dict[int, str] = {}
        self.defined: dict[str, Any] = {}
        self.waiting: list[tuple[str, Node]] = []

    def schema(self, node: Node) -> Any:
        value = node.value
        if not isinstance(value, dict):
            return value if isinstance(value, bool) else True
        self.budget[0] -= 1
        if self.budget[0] < 0:
            return {"$ref": "urn:unknown"}
        if isinstance(value.get("$ref"), str):
            referred = self._reference(node)
            if not node.document.modern or len(value) == 1:
                return referred
            return {"allOf": [referred, self._keywords(node)]}
        return self._keywords(node)

    def _reference(self, node: Node) -> Any:
        target = node.target()
        if target is None or len(self.names) >= MAX_BUNDLED:
            return {"$ref": "urn:unknown"}
        if target.key not in self.names:
            self.names[target.key] = f"d{len(self.names)}"
            self.waiting.append((self.names[target.key], target))
        return {"$ref": f"#/$defs/{self.names[target.key]}"}

    def _keywords(self, node: Node) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in node.value.items():
            if name in ("$ref", "$id", "$schema", "$anchor", "$dynamicRef", "$dynamicAnchor", "nullable", "$defs"):
                continue
            if name in _SINGLE + _SINGLE_TOO and isinstance(value, (dict, bool)):
                found[name] = self.schema(node.child(name))
            elif name in _LISTS and isinstance(value, list):
                found[name] = [self.schema(node.child(name, index)) for index in range(len(value))]
            elif name in _MAPS and isinstance(value, dict):
                found[name] = {key: self.schema(child) for key, child in node.items(name)}
            elif name in _PLAIN:
                found[name] = value
        _older(found)
        if node.value.get("nullable") is True and isinstance(found.get("type"), str):
            return {"anyOf": [{"type": "null"}, found]}
        return found


#: Keywords that assert and are no subschemas; everything else is for people or for other tools.
_PLAIN = {
    "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength",
    "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxContains", "minContains", "maxProperties",
    "minProperties", "required", "dependentRequired", "format",
}  # fmt: skip


def _older(schema: dict[str, Any]) -> None:
    """3.0's exclusive bounds are true or false beside the bound."""
    for plain, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(exclusive), bool):
            strict = schema.pop(exclusive)
            if strict and plain in schema:
                schema[exclusive] = schema.pop(plain)
