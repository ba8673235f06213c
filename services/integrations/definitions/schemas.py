"""JSON Schemas: compiled within bounds, fetching nothing, with patterns that match in linear time.

What a schema is asked about may be secret, so that messages never repeat a value.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import msgspec

from services.integrations.definitions.faults import Fault, joined
from services.integrations.definitions.parts import Schema
from services.nesting import HOLDERS

MOST_SCHEMA_BYTES = 262_144
MOST_SCHEMA_LEVELS = 64
_MOST_TOLD = 50
_MASK = "the value"


def _refuse_fetching(uri: str) -> NoReturn:
    raise ValueError(f"it refers to another document, {uri[:100]}; write it into `$defs`")


def compile_schema(schema: Schema) -> Any:
    """A validator (JSON Schema 2020-12 unless `$schema` says otherwise). Raises Fault."""
    # Megabytes of code, which a server has no use for until a definition is called.
    import jsonschema_rs

    if levels_of(schema) > MOST_SCHEMA_LEVELS:
        raise Fault(f"must nest at most {MOST_SCHEMA_LEVELS} levels")
    size = len(msgspec.json.encode(schema))
    if size > MOST_SCHEMA_BYTES:
        raise Fault(f"must be at most {MOST_SCHEMA_BYTES} bytes of JSON, this has {size}")
    try:
        return jsonschema_rs.validator_for(
            schema,
            retriever=_refuse_fetching,
            pattern_options=jsonschema_rs.RegexOptions(),
            validate_formats=True,
            mask=_MASK,
        )
    except jsonschema_rs.ValidationError as error:
        place = joined(*error.instance_path)
        raise Fault(f"is no valid JSON Schema: {f'{place}: ' if place else ''}{error.message}") from None
    except (jsonschema_rs.ReferencingError, ValueError) as error:
        raise Fault(f"is no valid JSON Schema: {error}") from None


def levels_of(value: Any) -> int:
    """How deep a value nests, counted without recursion and not far beyond the bound."""
    level, number = [value], 0
    while level and number <= MOST_SCHEMA_LEVELS:
        number += 1
        holders = (each for each in level if type(each) in HOLDERS)
        level = [inner for each in holders for inner in (each.values() if type(each) is dict else each)]
    return number


def schema_faults(validator: Any, value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Each rule of the schema that the value breaks, as path and message."""
    for number, error in enumerate(validator.iter_errors(value)):
        if number >= _MOST_TOLD:
            return
        yield joined(at, *error.instance_path), error.message


def with_defaults(schema: Schema | None, value: Any) -> Any:
    """The value, with the schema's defaults where an object lacks a property; properties of properties too."""
    properties = (schema or {}).get("properties")
    if not isinstance(value, Mapping) or not isinstance(properties, Mapping):
        return value
    filled = dict(value)
    for name, inner in properties.items():
        if not isinstance(inner, Mapping):
            continue
        if name not in filled and "default" in inner:
            filled[name] = inner["default"]
        elif name in filled:
            filled[name] = with_defaults(dict(inner), filled[name])
    return filled


def property_names(schema: Schema | None) -> frozenset[str] | None:
    """The properties that a schema names; None where it names none, so that any might be there."""
    properties = (schema or {}).get("properties")
    return frozenset(properties) if isinstance(properties, Mapping) else None


def sure_names(schema: Schema | None) -> frozenset[str]:
    """The properties that every valid object has once the defaults are filled in."""
    properties = (schema or {}).get("properties")
    defaulted = [
        name for name, inner in properties.items() if isinstance(inner, Mapping) and "default" in inner
    ] if isinstance(properties, Mapping) else []  # fmt: skip
    required = (schema or {}).get("required")
    return frozenset([*defaulted, *(required if isinstance(required, list) else [])])
