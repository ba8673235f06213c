"""JSON values as JSON Schema compares them: 1 is 1.0, true is not 1, and an object has no order."""

import json
from typing import Any

import msgspec

#: The primitive types; `integer` is a part of `number`.
ALL_TYPES = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})
_KEPT = 2**53


def value_key(value: Any) -> str:
    """A text that is equal for equal JSON values."""
    whole = _canonical(value)
    try:
        return msgspec.json.encode(whole, order="deterministic", enc_hook=str).decode()
    except UnicodeEncodeError:
        return json.dumps(whole, sort_keys=True)


def _canonical(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < _KEPT:
        return int(value)
    if isinstance(value, dict):
        return {str(name): _canonical(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_canonical(each) for each in value]
    return value


def type_of(value: Any) -> str:
    """The narrowest primitive type of a JSON value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def closed_types(types: frozenset[str]) -> frozenset[str]:
    """With `integer` wherever `number` is."""
    return types | {"integer"} if "number" in types else types
