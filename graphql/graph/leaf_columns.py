"""A whole column of leaves, made ready for the answer at once: values of one kind need one look at their types."""

from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLBoolean, GraphQLEnumType, GraphQLField, GraphQLID, GraphQLInt, GraphQLNonNull, GraphQLString

from graph.instants import instant
from graph.leaves import ODD, Finish, bare, finish_of
from graph.rows import Reader

Values = Sequence[Any]
#: From a column's values to the answer's. Raises Odd, or what graphql-core says of a value.
FinishColumn = Callable[[Values], Values]
#: The same for values that are all of this type, or of any one type but null.
_Quick = tuple[type | None, FinishColumn]

_LEAST, _MOST = -(2**31), 2**31 - 1
_NULL = type(None)


class Odd(Exception):
    """A value that graphql-core must judge."""


def finish_column_of(field: GraphQLField) -> FinishColumn | None:
    """What makes a leaf field's column; None for a field that is not read straight from the row."""
    reader, finish = field.resolve, finish_of(field)
    if not isinstance(reader, Reader) or finish is None:
        return None
    one, quick = _composed(reader.convert, finish), _quick_of(field, reader, finish)
    return _column(one, quick, nullable=not isinstance(field.type, GraphQLNonNull))


def _composed(convert: Finish | None, finish: Finish) -> Finish:
    """From a column's value to the answer's, or ODD."""
    if convert is None or getattr(convert, "finished", False):
        return convert or finish
    return lambda value: finish(convert(value))


def _column(one: Finish, quick: _Quick | None, *, nullable: bool) -> FinishColumn:
    def finished(values: Values) -> Values:
        kinds = set(map(type, values))
        if quick is not None and len(kinds) == 1 and (kinds == {quick[0]} or (quick[0] is None and _NULL not in kinds)):
            return quick[1](values)
        if _NULL in kinds and not nullable:
            raise Odd
        done = [None if value is None else one(value) for value in values]
        if any(value is ODD for value in done):
            raise Odd
        return done

    return finished


def _quick_of(field: GraphQLField, reader: Reader, finish: Finish) -> _Quick | None:
    kind = bare(field.type)
    if reader.convert is not None:
        convert: FinishColumn | None = getattr(reader.convert, "column", None)
        return None if convert is None else (None, convert)
    if isinstance(kind, GraphQLEnumType):
        return str, _Names(finish).column
    if kind in (GraphQLString, GraphQLID):
        return str, _as_they_are
    if kind is GraphQLBoolean:
        return bool, _as_they_are
    if kind is GraphQLInt:
        return int, _within_bounds
    return (int, _instants) if getattr(kind, "name", "") == "DateTime" else None


def _as_they_are(values: Values) -> Values:
    return values


def _within_bounds(values: Values) -> Values:
    if min(values) < _LEAST or max(values) > _MOST:
        raise Odd
    return values


def _instants(values: Values) -> Values:
    return list(map(instant, values))


class _Names(dict[str, Any]):
    """The names of an enum's values, as they are met."""

    def __init__(self, finish: Finish) -> None:
        super().__init__()
        self._finish = finish

    def __missing__(self, value: str) -> Any:
        name = self._finish(value)
        if name is ODD:
            raise Odd
        self[value] = name
        return name

    def column(self, values: Values) -> Values:
        return list(map(self.__getitem__, values))
