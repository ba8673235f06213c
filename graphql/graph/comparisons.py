"""Typed expressions: what `where` of a list says, as the filter that REST takes as JSON.

Operators are one for one those of `services.filters`; so are their meaning, their bounds and their refusals.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from enum import Enum
from typing import Any, Generic, TypeVar

import strawberry
from strawberry import UNSET
from strawberry.utils.str_converters import to_camel_case

from app.clock import iso
from graph.relay import from_global_id
from graph.scalars import DateTime
from services.filters.expression import Filter

T = TypeVar("T")
PLACE = "where"
_EQ, _NE = "Is this; null: there is none.", "Is another; also where there is none."
_IN = "Is one of these, 1 to 100."
_GT, _GTE, _LT, _LTE = "Is greater.", "Is greater, or this.", "Is less.", "Is less, or this."
AND, OR = "All of these hold; at most three deep.", "One of these holds; at most three deep."


def member(description: str, name: str | None = None) -> Any:
    """A member of an input that can be left out; null is a value of its own."""
    return strawberry.field(default=UNSET, description=description, name=name)


@strawberry.input(description="A text against others, letter by letter; greater and less go by code point.")
class TextComparison:
    eq: str | None = member(_EQ)
    ne: str | None = member(_NE)
    in_: list[str | None] | None = member(_IN, "in")
    gt: str | None = member(_GT)
    gte: str | None = member(_GTE)
    lt: str | None = member(_LT)
    lte: str | None = member(_LTE)
    like: str | None = member(r"Has this form: `%` is any run of characters, `_` is one, `\` takes the next as it is.")


@strawberry.input(description="A whole number against others.")
class IntComparison:
    eq: int | None = member(_EQ)
    ne: int | None = member(_NE)
    in_: list[int | None] | None = member(_IN, "in")
    gt: int | None = member(_GT)
    gte: int | None = member(_GTE)
    lt: int | None = member(_LT)
    lte: int | None = member(_LTE)


@strawberry.input(description="An instant against others.")
class InstantComparison:
    eq: DateTime | None = member(_EQ)
    ne: DateTime | None = member(_NE)
    in_: list[DateTime | None] | None = member(_IN, "in")
    gt: DateTime | None = member("Is later.")
    gte: DateTime | None = member("Is later, or this.")
    lt: DateTime | None = member("Is earlier.")
    lte: DateTime | None = member("Is earlier, or this.")


@strawberry.input(description="Yes or no.")
class BooleanComparison:
    eq: bool | None = member(_EQ)
    ne: bool | None = member(_NE)
    in_: list[bool | None] | None = member(_IN, "in")


@strawberry.input(description="An id against others.")
class IdComparison:
    eq: strawberry.ID | None = member(_EQ)
    ne: strawberry.ID | None = member(_NE)
    in_: list[strawberry.ID | None] | None = member(_IN, "in")


@strawberry.input(description="One of a closed set of words against others.")
class Comparison(Generic[T]):
    eq: T | None = member(_EQ)
    ne: T | None = member(_NE)
    in_: list[T | None] | None = member(_IN, "in")


def filter_of(given: Any, ids: Mapping[str, str] | None = None) -> Filter | None:
    """A `where` as its operation takes it; `ids` are the types of fields that are ids. Raises ValidationFailed."""
    if given is None:
        return None
    names = [each.name for each in fields(given) if each.name not in ("and_", "or_")]
    return Filter(
        expression=_group(given, ids or {}, PLACE), fields={to_camel_case(name): name for name in names}, place=PLACE
    )


def _group(given: Any, ids: Mapping[str, str], place: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in _members(given):
        if name in ("and", "or"):
            parts = enumerate(value or ())
            found[name] = [_group(part, ids, f"{place}.{name}[{number}]") for number, part in parts]
        elif value is None:
            found[to_camel_case(name)] = {}
        else:
            kind, at = ids.get(name), f"{place}.{to_camel_case(name)}"
            found[to_camel_case(name)] = {
                operator: _plain(operand, value, kind, f"{at}.{operator}") for operator, operand in _members(value)
            }
    return found


def _members(given: Any) -> Iterator[tuple[str, Any]]:
    """What was given, by its name on the wire where that is a word of Python."""
    for each in fields(given):
        value = getattr(given, each.name)
        if value is not UNSET:
            yield each.name.rstrip("_"), value


def _plain(operand: Any, comparison: Any, kind: str | None, place: str) -> Any:
    """A value as JSON has it."""
    if isinstance(operand, list):
        return [_plain(each, comparison, kind, place) for each in operand]
    if operand is None:
        return None
    if kind is not None:
        return str(from_global_id(operand, kind, place))
    if isinstance(operand, Enum):
        return operand.value
    return iso(operand) if isinstance(comparison, InstantComparison) else operand
