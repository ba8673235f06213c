"""The typed tree of a filter: every name, operator and value of the expression checked, each fault with its place."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from app.errors import ValidationFailed
from services.filters.expression import Filter
from services.filters.fields import Field, read_like

MOST_DEEP, MOST_COMPARISONS, MOST_VALUES = 3, 20, 100
_WORDS = ("and", "or")
_LONGEST_NAME = 60


class Comparison(NamedTuple):
    """A field against a value; `value` is of the field's kind, a tuple of such for `in`, a pattern for `like`."""

    field: str
    operator: str
    value: Any


class Group(NamedTuple):
    """All of these, or any of these."""

    word: Literal["and", "or"]
    parts: "tuple[Comparison | Group, ...]"


Part = Comparison | Group


def checked_tree(given: Filter, fields: Mapping[str, Field]) -> Group | None:
    """The tree of an expression; None where it asks for nothing. Raises ValidationFailed, all faults at once."""
    if given.expression == {}:
        return None
    reader = _Reader(given, fields)
    parts = tuple(reader.parts_of(given.expression, given.place, 0))
    if reader.faults:
        raise ValidationFailed(reader.faults)
    return Group("and", parts)


class _Reader:
    def __init__(self, given: Filter, fields: Mapping[str, Field]) -> None:
        self._place, self._names, self._fields = given.place, given.fields, fields
        self._comparisons = 0
        self.faults: dict[str, str] = {}

    def parts_of(self, value: Any, place: str, depth: int) -> Iterator[Part]:
        """What one object of the expression says: all of it must hold."""
        if not isinstance(value, Mapping) or not value:
            self.faults[place] = "must be an object with a member at least"
            return
        for name, given in value.items():
            at = f"{place}.{_shown(name)}"
            if name in _WORDS:
                yield from self._group(name, given, at, depth + 1)
            elif name in self._names:
                yield from self._of_field(self._names[name], given, at)
            else:
                self.faults[at] = f"is not a field to filter by, `and` or `or`; fields are {', '.join(self._names)}"

    def _group(self, word: Any, given: Any, place: str, depth: int) -> Iterator[Part]:
        if depth > MOST_DEEP:
            self.faults[place] = f"`and` and `or` nest at most {MOST_DEEP} deep"
        elif not isinstance(given, list) or not given:
            self.faults[place] = "must be a list with an object at least"
        else:
            found = (tuple(self.parts_of(each, f"{place}[{n}]", depth)) for n, each in enumerate(given))
            yield Group(word, tuple(parts[0] if len(parts) == 1 else Group("and", parts) for parts in found))

    def _of_field(self, name: str, given: Any, place: str) -> Iterator[Part]:
        if not isinstance(given, Mapping):
            yield from self._comparison(name, "eq", given, place)
        elif not given:
            self.faults[place] = f"must have one of {', '.join(self._fields[name].kind.operators)}"
        else:
            for operator, value in given.items():
                yield from self._comparison(name, operator, value, f"{place}.{_shown(operator)}")

    def _comparison(self, name: str, operator: str, given: Any, place: str) -> Iterator[Part]:
        self._comparisons += 1
        if self._comparisons > MOST_COMPARISONS:
            raise ValidationFailed({self._place: f"must have at most {MOST_COMPARISONS} comparisons"})
        field = self._fields[name]
        if operator not in field.kind.operators:
            self.faults[place] = f"is no operator of this field; there are {', '.join(field.kind.operators)}"
            return
        try:
            yield Comparison(name, operator, _value(field, operator, given))
        except ValueError as error:
            self.faults[place] = str(error)


def _value(field: Field, operator: str, given: Any) -> Any:
    if operator == "in":
        if not isinstance(given, list) or not 1 <= len(given) <= MOST_VALUES:
            raise ValueError(f"must be a list of 1 to {MOST_VALUES} values")
        return tuple(_plain(field, value) for value in given)
    if operator == "like":
        return read_like(given)
    if operator in ("eq", "ne"):
        return _plain(field, given)
    return field.kind.read(given)


def _plain(field: Field, given: Any) -> Any:
    """A value, or null where the field may be null."""
    return None if given is None and field.nullable else field.kind.read(given)


def _shown(name: str) -> str:
    """A name for the place of a fault; JSON can spell names that no UTF-8 holds."""
    return name[:_LONGEST_NAME].encode("utf-8", "replace").decode()
