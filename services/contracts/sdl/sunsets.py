"""Deprecation in SDL: the reason, and the day from which on the element may be gone.

The day is in the reason, `(sunset 2027-03-31)`, or in a directive beside it, `@sunset(date: "2027-03-31")`.
"""

import re
from datetime import date
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLNamedType, GraphQLSchema, get_named_type

from services.contracts.sdl.schemas import Sdl

_IN_REASON = re.compile(r"\(sunset (\d{4}-\d{2}-\d{2})\)")


def reason_of(element: Any) -> str | None:
    """Why a field, argument, input field or enum value is deprecated; None where it is not."""
    reason: str | None = getattr(element, "deprecation_reason", None)
    return reason


def sunset_of(element: Any, coordinate: str, sdl: Sdl) -> date | None:
    """The day that the deprecation names; None where the element is not deprecated, or names none that is one."""
    reason = reason_of(element)
    if reason is None:
        return None
    texts = [match.group(1) for match in [_IN_REASON.search(reason)] if match]
    for applied in sdl.applied.get(coordinate, ()):
        if applied.name == "sunset":
            texts += [value.strip('"') for name, value in applied.arguments if name == "date"]
    days = [day for day in map(_day, texts) if day is not None]
    # Where two are said, the later one was promised too.
    return max(days, default=None)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def is_past(sunset: date | None, today: date) -> bool:
    """From the beginning of the day on (UTC), as the header `Sunset` says it and as OpenAPI is judged."""
    return sunset is not None and sunset <= today


def kept_types(sdl: Sdl, today: date) -> tuple[set[str], set[str]]:
    """The types that the roots reach, and of those the ones reached without what is deprecated and past its sunset."""
    return _reached(sdl, None), _reached(sdl, today)


def _reached(sdl: Sdl, today: date | None) -> set[str]:
    schema = sdl.schema
    waiting = [root.name for root in (schema.query_type, schema.mutation_type, schema.subscription_type) if root]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += _named_by(schema.type_map[name], sdl, today)
    return seen


def _named_by(type_: GraphQLNamedType, sdl: Sdl, today: date | None) -> list[str]:
    def gone(element: Any, coordinate: str) -> bool:
        return today is not None and is_past(sunset_of(element, coordinate, sdl), today)

    named = [member.name for member in getattr(type_, "types", ())] + [i.name for i in getattr(type_, "interfaces", ())]
    for field_name, field in (getattr(type_, "fields", None) or {}).items():
        coordinate = f"{type_.name}.{field_name}"
        if gone(field, coordinate):
            continue
        named.append(get_named_type(field.type).name)
        for argument_name, argument in (getattr(field, "args", None) or {}).items():
            if not gone(argument, f"{coordinate}({argument_name}:)"):
                named.append(get_named_type(argument.type).name)
    return named + _implementing(type_, sdl.schema)


def _implementing(type_: GraphQLNamedType, schema: GraphQLSchema) -> list[str]:
    if not isinstance(type_, GraphQLInterfaceType):
        return []
    found = schema.get_implementations(type_)
    return [implementation.name for implementation in (*found.objects, *found.interfaces)]
