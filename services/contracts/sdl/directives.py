"""Directives: what a schema defines, and where it puts them."""

from collections import Counter
from typing import Any

from graphql import GraphQLDirective, GraphQLInputObjectType

from services.contracts.findings import Witness
from services.contracts.sdl.comparison import Comparison
from services.contracts.sdl.inputs import Place, compare_inputs, is_required
from services.contracts.sdl.literals import literal
from services.contracts.sdl.schemas import Applied

#: A document with a directive where it may stand; the others are places in a schema.
_FRAMES = {
    "QUERY": "query %s { __typename }",
    "MUTATION": "mutation %s { __typename }",
    "SUBSCRIPTION": "subscription %s { __typename }",
    "FIELD": "{ __typename %s }",
    "INLINE_FRAGMENT": "{ ... %s { __typename } }",
}


def compare_definitions(found: Comparison) -> None:
    """The directives that the schema defines."""
    old, new = ({d.name: d for d in schema.directives} for schema in found.schemas)
    for name in sorted(old.keys() | new.keys()):
        where = f"@{name}"
        if name not in new:
            found.add("directive-removed", where, f"{where} is gone.", before=name, proof=_proof(found, old[name]))
        elif name not in old:
            found.add("directive-added", where, f"{where} is new.", after=name)
        else:
            _compare_definition(found, old[name], new[name])


def _compare_definition(found: Comparison, old: GraphQLDirective, new: GraphQLDirective) -> None:
    where = f"@{old.name}"
    if old.is_repeatable and not new.is_repeatable:
        said = f"{where} may stand only once in one place."
        found.add(
            "directive-repeatable-removed", where, said, before=True, after=False, proof=_proof(found, old, times=2)
        )
    elif new.is_repeatable and not old.is_repeatable:
        said = f"{where} may stand more than once in one place."
        found.add("directive-repeatable-added", where, said, before=False, after=True)
    was, now = ({location.name for location in d.locations} for d in (old, new))
    for location in sorted(was - now):
        said = f"{where} may not stand on {location} any more."
        proof = _proof(found, old, only=location)
        found.add("directive-location-removed", where, said, before=location, proof=proof)
    for location in sorted(now - was):
        found.add("directive-location-added", where, f"{where} may stand on {location}.", after=location)
    place = Place(
        "directive-argument",
        lambda name: f"{where}({name}:)",
        lambda name, type_: _given(found, old, name, type_),
        _proof(found, old),
    )
    compare_inputs(found, place, old.args, new.args)
    found.compare_description(where, old, new)


def _text(found: Comparison, directive: GraphQLDirective, given: dict[str, str]) -> str:
    texts = dict(given)
    for name, argument in directive.args.items():
        if name not in texts and is_required(argument):
            texts[name] = literal(argument.type, found.revision.schema) or "null"
    inside = f"({', '.join(f'{name}: {text}' for name, text in texts.items())})" if texts else ""
    return f"@{directive.name}{inside}"


def _frames(directive: GraphQLDirective, only: str | None = None) -> list[str]:
    names = [location.name for location in directive.locations if only in (None, location.name)]
    return [_FRAMES[name] for name in names if name in _FRAMES]


def _proof(found: Comparison, directive: GraphQLDirective, *, only: str | None = None, times: int = 1) -> Any:
    def look() -> Witness | None:
        text = " ".join([_text(found, directive, {})] * times)
        return found.witnesses.document(frame % text for frame in _frames(directive, only))

    return look


def _given(found: Comparison, directive: GraphQLDirective, name: str, type_: Any) -> Witness | None:
    texts = [text for text in (literal(type_, found.revision.schema), "null", "[]") if text is not None]
    said = [_text(found, directive, {name: text}) for text in texts]
    return found.witnesses.document(frame % text for frame in _frames(directive) for text in said)


def compare_usages(found: Comparison) -> None:
    """The directives that stand on elements which both schemas have; an element that is new or gone says it itself."""
    old, new = found.base.applied, found.revision.applied
    for where in sorted(old.keys() | new.keys()):
        if _exists(found, where):
            _compare_usage(found, where, old.get(where, Counter()), new.get(where, Counter()))


def _exists(found: Comparison, where: str) -> bool:
    """Whether both schemas have the type, field or value that a coordinate names."""
    if where == "schema" or where.startswith("@"):
        return True
    owner, _, member = where.split("(")[0].partition(".")
    types = [schema.type_map.get(owner) for schema in found.schemas]
    if None in types:
        return False
    members = [getattr(t, "fields", None) or getattr(t, "values", None) or {} for t in types]
    return not member or all(member in names for names in members)


def _compare_usage(found: Comparison, where: str, old: Counter[Applied], new: Counter[Applied]) -> None:
    if old == new:
        return
    _compare_scopes(found, where, old, new)
    for use, added in ((use, True) for use in sorted((new - old).keys())):
        _note_usage(found, where, use, added=added)
    for use in sorted((old - new).keys()):
        _note_usage(found, where, use, added=False)


def _note_usage(found: Comparison, where: str, use: Applied, *, added: bool) -> None:
    if use.name == "requires":
        return
    side: dict[str, Any] = {"after": use.text} if added else {"before": use.text}
    if use.name == "oneOf":
        _note_one_of(found, where, side, added=added)
    elif added:
        found.add("directive-usage-added", where, f"{use.text} stands on {where}.", **side)
    else:
        found.add("directive-usage-removed", where, f"{use.text} does not stand on {where} any more.", **side)


def _note_one_of(found: Comparison, where: str, side: dict[str, Any], *, added: bool) -> None:
    type_ = found.base.schema.type_map.get(where)
    if not isinstance(type_, GraphQLInputObjectType):
        if added:
            said = f"@oneOf stands on {where}, which is no input object."
            found.add("one-of-elsewhere", where, said, **side)
        else:
            found.add("directive-usage-removed", where, f"@oneOf does not stand on {where} any more.", **side)
    elif added:
        said = f"Exactly one field of {where} must be given."
        found.add("one-of-added", where, said, **side, proof=lambda: found.witnesses.giving(type_))
    else:
        found.add("one-of-removed", where, f"More than one field of {where} may be given.", **side)


def _compare_scopes(found: Comparison, where: str, old: Counter[Applied], new: Counter[Applied]) -> None:
    was, now = _scopes(old), _scopes(new)
    sides: dict[str, Any] = {"before": sorted(was), "after": sorted(now)}
    if now - was:
        said = f"{where} needs the scope {', '.join(sorted(now - was))}, which it did not."
        found.add("scope-required", where, said, **sides)
    elif was - now:
        said = f"{where} does not need the scope {', '.join(sorted(was - now))} any more."
        found.add("scope-not-required", where, said, **sides)


def _scopes(uses: Counter[Applied]) -> set[str]:
    texts = [value for use in uses if use.name == "requires" for name, value in use.arguments if name == "scopes"]
    return {scope.strip('" ') for text in texts for scope in text.strip("[]").split(",") if scope.strip('" ')}
