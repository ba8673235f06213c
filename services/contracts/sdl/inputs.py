"""Arguments and input fields: what may be given, what must be, and what is meant where nothing is."""

from collections.abc import Callable
from typing import Any, NamedTuple

from graphql import GraphQLNonNull, print_ast
from graphql.utilities.get_default_value_ast import get_default_value_ast
from graphql.utilities.sort_value_node import sort_value_node

from services.contracts.findings import Effect, Witness
from services.contracts.sdl.comparison import Comparison, Proof
from services.contracts.sdl.effects import effect_of


class Place(NamedTuple):
    """Where inputs stand: how rules call them, how one is written as a coordinate, and how a document gives one."""

    kind: str
    coordinate: Callable[[str], str]
    #: A document that gives an input of a type; None where no document can (arguments of a schema's directives).
    giving: Callable[[str, Any], Witness | None] | None
    leaving_out: Proof | None


def compare_inputs(found: Comparison, place: Place, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Removed, added, and what moved of those that stayed."""
    for name, item in old.items():
        where = place.coordinate(name)
        if name not in new:
            rule = f"{place.kind}-removed"
            sanction = found.sanction(item, where)
            proof = _giving(place, name, item)
            found.add(rule, where, f"{where} is gone.", before=str(item.type), proof=proof, sanction=sanction)
        else:
            _compare_input(found, place, name, item, new[name])
    for name, item in new.items():
        if name not in old:
            _note_added(found, place, place.coordinate(name), item)


def _giving(place: Place, name: str, item: Any) -> Proof | None:
    giving = place.giving
    return None if giving is None else lambda: giving(name, item.type)


def _note_added(found: Comparison, place: Place, where: str, item: Any) -> None:
    if is_required(item):
        said = f"{where} is new and must be given."
        found.add(f"required-{place.kind}-added", where, said, after=str(item.type), proof=place.leaving_out)
    else:
        found.add(f"optional-{place.kind}-added", where, f"{where} is new and may be left out.", after=str(item.type))


def is_required(item: Any) -> bool:
    """Non-null and without a default, for arguments and input fields alike."""
    return isinstance(item.type, GraphQLNonNull) and default_of(item) is None


def default_of(item: Any) -> str | None:
    """The default as sorted text, as a client sees it in introspection."""
    node = get_default_value_ast(item)
    return None if node is None else print_ast(sort_value_node(node))


def _compare_input(found: Comparison, place: Place, name: str, old: Any, new: Any) -> None:
    where = place.coordinate(name)
    effect = effect_of(old.type, new.type)
    types: dict[str, Any] = {"before": str(old.type), "after": str(new.type)}
    if effect in (Effect.NARROWS, Effect.INCOMPARABLE):
        said = f"{where} takes {new.type}; it took {old.type}."
        found.add(_rule(place, "type-changed"), where, said, **types, proof=_giving(place, name, old))
    elif effect is Effect.WIDENS:
        said = f"{where} takes {new.type}; it took {old.type}."
        found.add(_rule(place, "type-widened"), where, said, **types)
    _compare_default(found, place, where, old, new)
    found.compare_deprecation(where, old, new)
    found.compare_description(where, old, new)


def _rule(place: Place, what: str) -> str:
    kind = "argument" if place.kind == "directive-argument" else place.kind
    return f"{kind}-{what}"


def _compare_default(found: Comparison, place: Place, where: str, old: Any, new: Any) -> None:
    was, now = default_of(old), default_of(new)
    if was == now:
        return
    if now is None and is_required(new):
        said = f"{where} lost its default {was} and must be given."
        found.add(_rule(place, "became-required"), where, said, before=was, proof=place.leaving_out)
    elif was is None:
        found.add(_rule(place, "default-added"), where, f"{where} is {now} where it is left out.", after=now)
    else:
        said = f"{where} is {now or 'nothing'} where it is left out; it was {was}."
        found.add(_rule(place, "default-changed"), where, said, before=was, after=now)
