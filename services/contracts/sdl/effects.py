"""What another type does to the values of a place, by list and null alone; another name is another set."""

from typing import Any

from graphql import GraphQLList, GraphQLNonNull

from services.contracts.findings import Effect


def effect_of(old: Any, new: Any) -> Effect:
    """How the set of values moves from one type reference to another."""
    outer = Effect.NONE
    if isinstance(old, GraphQLNonNull) and not isinstance(new, GraphQLNonNull):
        outer = Effect.WIDENS
    elif isinstance(new, GraphQLNonNull) and not isinstance(old, GraphQLNonNull):
        outer = Effect.NARROWS
    old, new = _nullable(old), _nullable(new)
    if isinstance(old, GraphQLList) and isinstance(new, GraphQLList):
        return _both(outer, effect_of(old.of_type, new.of_type))
    if isinstance(old, GraphQLList) or isinstance(new, GraphQLList) or old.name != new.name:
        return Effect.INCOMPARABLE
    return outer


def _nullable(type_: Any) -> Any:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def _both(one: Effect, other: Effect) -> Effect:
    if Effect.NONE in (one, other):
        return other if one is Effect.NONE else one
    return one if one is other else Effect.INCOMPARABLE
