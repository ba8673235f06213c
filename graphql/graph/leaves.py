"""How the executor makes the answer's value of a leaf: quickly where there is no doubt, else not at all."""

from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLString,
    Undefined,
    is_leaf_type,
)

from graph.instants import instant

EXACT: dict[Any, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool, GraphQLInt: int}
_LEAST, _MOST = -(2**31), 2**31 - 1
#: What a finisher gives where graphql-core itself must judge the value.
ODD = object()

Finish = Callable[[Any], Any]


def bare(kind: Any) -> Any:
    """The type without its non-null."""
    return kind.of_type if isinstance(kind, GraphQLNonNull) else kind


def _finish_exact(exact: type) -> Finish:
    return lambda value: value if type(value) is exact else ODD


def _finish_int(value: Any) -> Any:
    return value if type(value) is int and _LEAST <= value <= _MOST else ODD


def _finish_instant(value: Any) -> Any:
    return instant(value) if type(value) is int else ODD


def _finish_list(exact: type) -> Finish:
    def finish(value: Any) -> Any:
        if type(value) in (list, tuple) and all(type(item) is exact for item in value):
            return list(value)
        return ODD

    return finish


def _finish_coerced(coerce: Finish) -> Finish:
    def finish(value: Any) -> Any:
        if hasattr(type(value), "__await__") or isinstance(value, Exception):
            return ODD
        coerced = coerce(value)
        return ODD if coerced is None or coerced is Undefined else coerced

    return finish


def _finish_enum(coerce: Finish) -> Finish:
    known: dict[str, Any] = {}
    coerced = _finish_coerced(coerce)

    def finish(value: Any) -> Any:
        if type(value) is not str:
            return coerced(value)
        if value not in known:
            found = coerced(value)
            if found is ODD:
                return ODD
            known[value] = found
        return known[value]

    return finish


def finish_of(field: GraphQLField) -> Finish | None:
    """The finisher of a leaf field's type; None for other types."""
    kind = bare(field.type)
    if isinstance(kind, GraphQLList):
        exact = EXACT.get(bare(kind.of_type))
        return None if exact is None or exact is int else _finish_list(exact)
    if not is_leaf_type(kind):
        return None
    if kind is GraphQLInt:
        return _finish_int
    if kind in EXACT:
        return _finish_exact(EXACT[kind])
    if isinstance(kind, GraphQLEnumType):
        return _finish_enum(kind.coerce_output_value)
    return _finish_instant if kind.name == "DateTime" else _finish_coerced(kind.coerce_output_value)
