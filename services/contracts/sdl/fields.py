"""Fields of objects and interfaces, and of input objects."""

from functools import partial
from typing import Any

from graphql import GraphQLInputObjectType

from services.contracts.findings import Effect
from services.contracts.sdl.comparison import Comparison
from services.contracts.sdl.effects import effect_of
from services.contracts.sdl.inputs import Place, compare_inputs


def compare_input_object(found: Comparison, old: GraphQLInputObjectType, new: GraphQLInputObjectType) -> None:
    witnesses = found.witnesses
    place = Place(
        "input-field",
        lambda name: f"{old.name}.{name}",
        lambda name, type_: witnesses.giving(old, name, type_),
        lambda: witnesses.giving(old),
    )
    compare_inputs(found, place, dict(old.fields), dict(new.fields))


def compare_fields(found: Comparison, old: Any, new: Any) -> None:
    for name, field in old.fields.items():
        where = f"{old.name}.{name}"
        if name not in new.fields:
            found.add(
                "field-removed",
                where,
                f"{where} is gone.",
                before=str(field.type),
                proof=partial(found.witnesses.calling, old.name, name),
                sanction=found.sanction(field, where),
            )
        else:
            _compare_field(found, old.name, name, field, new.fields[name])
    for name, field in new.fields.items():
        if name not in old.fields:
            where = f"{old.name}.{name}"
            found.add("field-added", where, f"{where} is new.", after=str(field.type))


def _compare_field(found: Comparison, owner: str, name: str, old: Any, new: Any) -> None:
    where, witnesses = f"{owner}.{name}", found.witnesses
    types: dict[str, Any] = {"before": str(old.type), "after": str(new.type)}
    said = f"{where} is {new.type}; it was {old.type}."
    match effect_of(old.type, new.type):
        case Effect.INCOMPARABLE:
            proof = partial(witnesses.other_type, owner, name, old.type, new.type)
            found.add("field-type-changed", where, said, **types, proof=proof)
        case Effect.WIDENS:
            proof = partial(witnesses.null, owner, name, old.type, new.type)
            found.add("field-became-nullable", where, said, **types, proof=proof)
        case Effect.NARROWS:
            found.add("field-became-non-null", where, said, **types)
    place = Place(
        "argument",
        lambda argument: f"{where}({argument}:)",
        lambda argument, type_: witnesses.calling(owner, name, argument, type_),
        lambda: witnesses.calling(owner, name),
    )
    compare_inputs(found, place, old.args, new.args)
    found.compare_deprecation(where, old, new)
    found.compare_description(where, old, new)
