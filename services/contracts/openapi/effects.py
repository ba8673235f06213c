"""The algebra of effects: what a change does to a set of accepted values, and how effects add up along a path."""

from collections.abc import Iterable

from services.contracts.findings import Direction, Effect

_FLIPPED = {Effect.WIDENS: Effect.NARROWS, Effect.NARROWS: Effect.WIDENS}
_BREAKS = {
    Direction.REQUEST: {Effect.NARROWS, Effect.INCOMPARABLE},
    Direction.RESPONSE: {Effect.WIDENS, Effect.INCOMPARABLE},
}


def flipped(effect: Effect) -> Effect:
    """The effect under a negation: what a subschema of `not` gains, the whole loses."""
    return _FLIPPED.get(effect, effect)


def joined(effects: Iterable[Effect]) -> Effect:
    """Several effects at once: one that widens and one that narrows cannot be compared; unknown outweighs all."""
    seen = set(effects) - {Effect.NONE}
    if Effect.UNKNOWN in seen:
        return Effect.UNKNOWN
    if len(seen) > 1:
        return Effect.INCOMPARABLE
    return seen.pop() if seen else Effect.NONE


def breaks(effect: Effect, direction: Direction) -> bool:
    """Whether the effect hurts the side that does not choose the value."""
    return effect in _BREAKS.get(direction, set())


def of_sets(narrows: bool, widens: bool) -> Effect:
    """The effect of losing some values, gaining some, or both."""
    if narrows and widens:
        return Effect.INCOMPARABLE
    if narrows:
        return Effect.NARROWS
    return Effect.WIDENS if widens else Effect.NONE
