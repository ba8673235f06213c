"""Schemas of OpenAPI 3.0 and 3.1 into JSON Schema 2020-12: never stricter than they were, and without references out.

Three things are taken away on purpose. Defaults: they say what the upstream does where nothing is sent, and filled in
here they would be sent with every change. In results, formats and `additionalProperties: false`: an upstream that adds
a member is not broken. `oneOf` becomes `anyOf`, because descriptions in use are seldom as exclusive as they claim.
"""

import re
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import msgspec

from services.integrations.definitions.faults import Fault
from services.integrations.definitions.schemas import compile_schema
from services.integrations.importing.documents import Numbered, Source, Unresolved, members
from services.integrations.importing.reports import Notes

Direction: TypeAlias = Literal["request", "result"]
#: Levels of JSON that a translated schema has at most; the rest of MOST_SCHEMA_LEVELS is for what it is put into.
_MOST_LEVELS = 48
_TYPES = ("null", "boolean", "object", "array", "number", "integer", "string")
_COUNTS = ("maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties")
_LISTS = {"allOf": "allOf", "anyOf": "anyOf", "oneOf": "anyOf"}
_INNER = ("items", "additionalProperties", "propertyNames", "contains")
#: They would become stricter where something within them becomes weaker.
_OPPOSED = (
    "not", "if", "then", "else", "unevaluatedProperties", "unevaluatedItems", "dependentSchemas", "dependentRequired",
    "$dynamicRef", "$recursiveRef", "maxContains",
)  # fmt: skip
_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST_DESCRIPTION = 500


class Translated(msgspec.Struct, frozen=True):
    """A schema with `#/$defs/` references; `uses` are the pointers behind them, `size` its bytes of JSON."""

    schema: Any
    uses: tuple[str, ...]
    size: int
    open: bool


class Translator:
    """Schemas by pointer and direction, each translated once."""

    def __init__(self, source: Source, notes: Notes) -> None:
        self.source, self.notes = source, notes
        self._known: dict[tuple[str, Direction], Translated] = {}
        self._names: dict[str, str] = {}
        self._given = Numbered()
        self._patterns: dict[str, bool] = {}

    def named(self, pointer: str, direction: Direction) -> Translated:
        """What a reference names; its faults are told once, under the pointer."""
        found = self._known.get((pointer, direction))
        if found is None:
            found = self.inline(self.source.at(pointer), direction, pointer, self.notes)
            self._known[pointer, direction] = found
        return found

    def inline(self, value: Any, direction: Direction, where: str, notes: Notes) -> Translated:
        """A schema where it stands; its faults are told under `where`."""
        walk = _Walk(self, direction, where, notes)
        schema = walk.schema(value, 0)
        return Translated(schema, tuple(walk.uses), len(msgspec.json.encode(schema)), walk.open)

    def name(self, pointer: str) -> str:
        """The name in `$defs` of what a pointer leads to."""
        found = self._names.get(pointer)
        if found is None:
            found = self._given.free(_NAME.sub("_", pointer.rpartition("/")[2])[:80] or "root")
            self._names[pointer] = found
        return found

    def matches(self, pattern: Any) -> bool:
        """Whether a pattern can be used: one that matches in linear time."""
        if not isinstance(pattern, str):
            return False
        if pattern not in self._patterns:
            try:
                compile_schema({"pattern": pattern})
            except Fault:
                self._patterns[pattern] = False
            else:
                self._patterns[pattern] = True
        return self._patterns[pattern]


class _Walk:
    """One schema on its way; `open` is set where a part of it allows more than the document says."""

    def __init__(self, translator: Translator, direction: Direction, where: str, notes: Notes) -> None:
        self.translator, self.direction = translator, direction
        self.where, self.notes = where, notes
        self.uses: dict[str, None] = {}
        self.open = False

    def untyped(self, reason: str) -> dict[str, Any]:
        self.open = True
        self.notes.untyped(self.where, reason)
        return {}

    def schema(self, value: Any, level: int) -> Any:
        if isinstance(value, bool):
            return {} if value else False
        if not isinstance(value, dict):
            return self.untyped("is no schema: an object or a boolean")
        if level > _MOST_LEVELS:
            return self.untyped(f"nests deeper than {_MOST_LEVELS} levels")
        if "$ref" in value:
            return self._reference(value, level)
        return self._keywords(value, level)

    def _reference(self, value: dict[str, Any], level: int) -> Any:
        pointer = value["$ref"]
        try:
            if not isinstance(pointer, str):
                raise Unresolved("has a $ref that is no text")
            self.translator.source.at(pointer)
        except Unresolved as error:
            return self.untyped(str(error))
        self.uses[pointer] = None
        made: dict[str, Any] = {"$ref": f"#/$defs/{self.translator.name(pointer)}"}
        if not self.translator.source.dated:
            beside = self._keywords({name: each for name, each in value.items() if name != "$ref"}, level)
            return beside | made
        return {"anyOf": [made, {"type": "null"}]} if value.get("nullable") is True else made

    def _keywords(self, value: dict[str, Any], level: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, each in value.items():
            handler = _HANDLERS.get(name)
            if handler is not None:
                handler(self, made, name, each, level)
        self._required(value, made)
        self._bounds(value, made)
        return _nullable(made) if value.get("nullable") is True else made

    def _type(self, made: dict[str, Any], _: str, value: Any, __: int) -> None:
        given = value if isinstance(value, list) else [value]
        known = [each for each in given if each in _TYPES]
        if known and len(known) == len(given):
            made["type"] = list(dict.fromkeys(known)) if isinstance(value, list) else value
        elif value != "any":
            self.untyped(f"has the type {str(value)[:40]}, which JSON does not have")

    def _count(self, made: dict[str, Any], name: str, value: Any, _: int) -> None:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 and value == int(value):
            made[name] = int(value)
        else:
            self.untyped(f"has a {name} that is no count")

    def _enum(self, made: dict[str, Any], _: str, value: Any, __: int) -> None:
        if isinstance(value, list) and value:
            made["enum"] = value
        else:
            self.untyped("has an enum without values")

    def _const(self, made: dict[str, Any], _: str, value: Any, __: int) -> None:
        made["const"] = value

    def _unique(self, made: dict[str, Any], name: str, value: Any, _: int) -> None:
        if value is True:
            made[name] = True

    def _multiple(self, made: dict[str, Any], name: str, value: Any, _: int) -> None:
        if _is_number(value) and value > 0:
            made[name] = value

    def _format(self, made: dict[str, Any], name: str, value: Any, _: int) -> None:
        if self.direction == "request" and isinstance(value, str):
            made[name] = value

    def _description(self, made: dict[str, Any], name: str, value: Any, _: int) -> None:
        if self.direction == "request" and isinstance(value, str) and value.strip():
            made[name] = value.strip()[:_LONGEST_DESCRIPTION]

    def _pattern(self, made: dict[str, Any], name: str, value: Any, _: int) -> None:
        if self.translator.matches(value):
            made[name] = value
        else:
            self.untyped(f"has the pattern {str(value)[:80]}, which needs more than linear time, or is none")

    def _properties(self, made: dict[str, Any], name: str, value: Any, level: int) -> None:
        if not isinstance(value, dict):
            self.untyped(f"has {name} that are no object")
            return
        usable = {key: each for key, each in value.items() if name == "properties" or self.translator.matches(key)}
        if len(usable) < len(value):
            self.untyped("has a property pattern that needs more than linear time, or is none")
        made[name] = {key: self.schema(each, level + 2) for key, each in usable.items()}

    def _inner(self, made: dict[str, Any], name: str, value: Any, level: int) -> None:
        if name == "items" and isinstance(value, list):
            self.untyped("has a list of items, which is prefixItems")
        elif name == "additionalProperties" and value is False and self.direction == "result":
            return
        else:
            made[name] = self.schema(value, level + 1)

    def _list(self, made: dict[str, Any], name: str, value: Any, level: int) -> None:
        if not isinstance(value, list) or not value:
            self.untyped(f"has an empty {name}")
            return
        found = [self.schema(each, level + 2) for each in value]
        wanted = _LISTS.get(name, name)
        if wanted in made:
            # anyOf and oneOf side by side: both hold.
            made["allOf"] = [*made.get("allOf", ()), {wanted: found}]
        else:
            made[wanted] = [*found] if wanted != "allOf" else [*made.get("allOf", ()), *found]

    def _opposed(self, _: dict[str, Any], name: str, __: Any, ___: int) -> None:
        self.untyped(f"uses {name}, which is left out")

    def _required(self, value: dict[str, Any], made: dict[str, Any]) -> None:
        names = value.get("required")
        if not isinstance(names, list):
            return
        properties, mark = members(value.get("properties")), _MARKS[self.direction]
        kept = [name for name in names if isinstance(name, str) and not self._marked(properties.get(name), mark)]
        if kept:
            made["required"] = list(dict.fromkeys(kept))

    def _marked(self, schema: Any, mark: str) -> bool:
        try:
            return self.translator.source.resolved(schema).get(mark) is True or members(schema).get(mark) is True
        except Unresolved:
            return False

    def _bounds(self, value: dict[str, Any], made: dict[str, Any]) -> None:
        """`exclusiveMinimum` is a boolean beside `minimum` in 3.0, and a number in 3.1."""
        for name, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            bound, sharp = value.get(name), value.get(exclusive)
            if _is_number(bound):
                made[exclusive if sharp is True else name] = bound
            if _is_number(sharp):
                made[exclusive] = sharp


_MARKS: dict[Direction, str] = {"request": "readOnly", "result": "writeOnly"}
_HANDLERS: dict[str, Callable[[_Walk, dict[str, Any], str, Any, int], None]] = {
    "type": _Walk._type,
    "enum": _Walk._enum,
    "const": _Walk._const,
    "format": _Walk._format,
    "description": _Walk._description,
    "pattern": _Walk._pattern,
    "uniqueItems": _Walk._unique,
    "multipleOf": _Walk._multiple,
    "properties": _Walk._properties,
    "patternProperties": _Walk._properties,
    "prefixItems": _Walk._list,
    **dict.fromkeys(_COUNTS, _Walk._count),
    **dict.fromkeys(_LISTS, _Walk._list),
    **dict.fromkeys(_INNER, _Walk._inner),
    **dict.fromkeys(_OPPOSED, _Walk._opposed),
}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _nullable(made: dict[str, Any]) -> dict[str, Any]:
    """The same schema, or null; without a type or an alternative everything is allowed already."""
    if "enum" in made and None not in made["enum"]:
        made = made | {"enum": [*made["enum"], None]}
    if any(name in made for name in ("allOf", "anyOf", "const")):
        return {"anyOf": [made, {"type": "null"}]}
    if isinstance(made.get("type"), str):
        return made | {"type": [made["type"], "null"]}
    return made
