"""JSON Schema as far as the contract's snapshots use it (2020-12, as OpenAPI 3.1 has it).

A keyword that is not known here is an error and not passed over: else a contract that grows would be checked
by half without a word.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
Document = Mapping[str, Any]
_MOST_FAULTS = 20
#: They say something to a reader and nothing about a value.
_ANNOTATIONS = frozenset({"description", "title", "default", "examples", "deprecated", "x-extensible-enum"})


class UnknownKeyword(Exception):
    """The schema uses a keyword that this validator does not know."""


def faults(value: Any, schema: Schema, document: Document) -> list[str]:
    """What is wrong with the value, each with its place; the first twenty. Raises UnknownKeyword."""
    return [text for _, text in zip(range(_MOST_FAULTS), _faults(value, schema, "$", document), strict=False)]


def resolved(schema: Schema, document: Document) -> Schema:
    """The schema behind a `$ref` into the same document."""
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        schema = found
    return schema


def _faults(value: Any, schema: Schema, at: str, document: Document) -> Iterator[str]:
    schema = resolved(schema, document)
    unknown = set(schema) - set(_RULES) - _ANNOTATIONS
    if unknown:
        raise UnknownKeyword(f"the schema of {at} uses {', '.join(sorted(unknown))}")
    for keyword, rule in _RULES.items():
        if keyword in schema:
            yield from rule(value, schema, at, document)


def _type(value: Any, schema: Schema, at: str, _: Document) -> Iterator[str]:
    names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if not any(_TYPES[name](value) for name in names):
        yield f"{at} is {_shown(value)} and not of type {' or '.join(names)}"


def _const(value: Any, schema: Schema, at: str, _: Document) -> Iterator[str]:
    if not _equal(value, schema["const"]):
        yield f"{at} is {_shown(value)} and not {schema['const']!r}"


def _enum(value: Any, schema: Schema, at: str, _: Document) -> Iterator[str]:
    if not any(_equal(value, allowed) for allowed in schema["enum"]):
        yield f"{at} is {_shown(value)} and none of the documented values"


def _pattern(value: Any, schema: Schema, at: str, _: Document) -> Iterator[str]:
    pattern = schema["pattern"]
    # ECMA-262, as JSON Schema has it: digits are ASCII, and `$` is the very end.
    exact = pattern[:-1] + r"\Z" if pattern.endswith("$") and not pattern.endswith("\\$") else pattern
    if isinstance(value, str) and re.search(exact, value, re.ASCII) is None:
        yield f"{at} is {_shown(value)} and does not match {schema['pattern']}"


def _required(value: Any, schema: Schema, at: str, _: Document) -> Iterator[str]:
    for name in schema["required"] if isinstance(value, dict) else ():
        if name not in value:
            yield f"{at} has no {name}"


def _properties(value: Any, schema: Schema, at: str, document: Document) -> Iterator[str]:
    for name, part in schema["properties"].items() if isinstance(value, dict) else ():
        if name in value:
            yield from _faults(value[name], part, f"{at}.{name}", document)


def _additional(value: Any, schema: Schema, at: str, document: Document) -> Iterator[str]:
    rule = schema["additionalProperties"]
    known = schema.get("properties", {})
    for name in [name for name in value if name not in known] if isinstance(value, dict) else ():
        if rule is False:
            yield f"{at} has {name}, which is not documented"
        elif rule is not True:
            yield from _faults(value[name], rule, f"{at}.{name}", document)


def _items(value: Any, schema: Schema, at: str, document: Document) -> Iterator[str]:
    for index, item in enumerate(value) if isinstance(value, list) else ():
        yield from _faults(item, schema["items"], f"{at}[{index}]", document)


def _one_of(value: Any, schema: Schema, at: str, document: Document) -> Iterator[str]:
    fitting = sum(next(_faults(value, part, at, document), None) is None for part in schema["oneOf"])
    if fitting != 1:
        yield f"{at} is {_shown(value)} and fits {fitting} of {len(schema['oneOf'])} documented forms"


_RULES: dict[str, Callable[[Any, Schema, str, Document], Iterator[str]]] = {
    "type": _type,
    "const": _const,
    "enum": _enum,
    "pattern": _pattern,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "oneOf": _one_of,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "number": _is_number,
    # 1.0 is an integer in JSON Schema.
    "integer": lambda value: _is_number(value) and value == value // 1,
}


def _equal(one: Any, other: Any) -> bool:
    """Equality of JSON values: 1 is 1.0, and true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[name], other[name]) for name in one)
    return bool(one == other)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
