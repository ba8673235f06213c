"""Types and roots: gone, new, of another kind, or looked into."""

from functools import partial
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    is_composite_type,
    is_specified_scalar_type,
)

from services.contracts.sdl.comparison import Comparison
from services.contracts.sdl.fields import compare_fields, compare_input_object
from services.contracts.sdl.members import compare_enum, compare_interfaces, compare_scalar, compare_union
from services.contracts.sdl.reaching import roots


def compare_roots(found: Comparison) -> None:
    """The three kinds of operations: served, and by which type."""
    old, new = (roots(schema) for schema in found.schemas)
    for kind, root in old.items():
        if kind not in new:
            said = f"The schema serves no {kind} any more."
            found.add(
                "root-type-removed",
                root.name,
                said,
                before=root.name,
                proof=_serving(found, root),
            )
        elif new[kind].name != root.name:
            said = f"The root of {kind} is {new[kind].name}; it was {root.name}."
            proof = partial(found.witnesses.selecting, root.name, f"... on {root.name} {{ __typename }}")
            found.add("root-type-changed", root.name, said, before=root.name, after=new[kind].name, proof=proof)
    for kind, root in new.items():
        if kind not in old:
            found.add("root-type-added", root.name, f"The schema serves {kind} now.", after=root.name)


def _serving(found: Comparison, root: GraphQLObjectType) -> Any:
    """A document with the root's first field; a subscription to `__typename` is none."""
    return partial(found.witnesses.calling, root.name, next(iter(root.fields))) if root.fields else None


def compare_types(found: Comparison) -> None:
    """Every type that is not of introspection."""
    old, new = (schema.type_map for schema in found.schemas)
    for name in sorted(old.keys() | new.keys()):
        if name.startswith("__"):
            continue
        if name not in new:
            _note_removed(found, old[name])
        elif name not in old:
            if not is_specified_scalar_type(new[name]):
                found.add("type-added", name, f"{name} is new.", after=_kind(new[name]))
        else:
            _compare_type(found, old[name], new[name])


def _note_removed(found: Comparison, type_: GraphQLNamedType) -> None:
    name = type_.name
    if is_specified_scalar_type(type_):
        found.add("standard-scalar-unused", name, f"{name} is not referenced any more.", before=_kind(type_))
        return
    sanction = None
    if found.only_sunset_reaches(name):
        sanction = "Only what was past its sunset led to it."
    found.add(
        "type-removed",
        name,
        f"{name} is gone.",
        before=_kind(type_),
        proof=partial(_existing, found, type_),
        sanction=sanction,
    )


def _existing(found: Comparison, type_: GraphQLNamedType) -> Any:
    """A document that only needs the type to exist as it is."""
    if is_composite_type(type_):
        return found.witnesses.selecting(type_.name, f"... on {type_.name} {{ __typename }}", "__typename")
    if isinstance(type_, GraphQLInputObjectType):
        return found.witnesses.giving(type_)
    return found.witnesses.given(type_.name, "1")


def _kind(type_: GraphQLNamedType) -> str:
    return type(type_).__name__.removeprefix("GraphQL").removesuffix("Type").lower()


def _compare_type(found: Comparison, old: Any, new: Any) -> None:
    name = old.name
    if type(old) is not type(new):
        said = f"{name} is {_kind(new)}; it was {_kind(old)}."
        kinds: dict[str, Any] = {"before": _kind(old), "after": _kind(new)}
        found.add("type-kind-changed", name, said, **kinds, proof=partial(_existing, found, old))
        return
    found.compare_description(name, old, new)
    match old:
        case GraphQLObjectType() | GraphQLInterfaceType():
            compare_interfaces(found, old, new)
            compare_fields(found, old, new)
        case GraphQLUnionType():
            compare_union(found, old, new)
        case GraphQLEnumType():
            compare_enum(found, old, new)
        case GraphQLInputObjectType():
            compare_input_object(found, old, new)
        case GraphQLScalarType():
            compare_scalar(found, old, new)
