"""A value that a schema accepts, as GraphQL text."""

from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    is_required_argument,
    is_required_input_field,
)

_SCALARS = {"Int": "1", "Float": "1.5", "Boolean": "true", "ID": '"x"'}


def literal(type_: Any, other: GraphQLSchema, seen: tuple[str, ...] = ()) -> str | None:
    """Text of a value of an input type; enum values are those that `other` knows too, where there is one.

    None where a type needs itself, or an enum has no value.
    """
    if isinstance(type_, GraphQLNonNull):
        return literal(type_.of_type, other, seen)
    if isinstance(type_, GraphQLList):
        inner = literal(type_.of_type, other, seen)
        return None if inner is None else f"[{inner}]"
    if isinstance(type_, GraphQLEnumType):
        known = getattr(other.get_type(type_.name), "values", None) or {}
        return next((name for name in type_.values if name in known), next(iter(type_.values), None))
    if isinstance(type_, GraphQLInputObjectType):
        return input_object(type_, other, {}, seen)
    return _SCALARS.get(type_.name, '"x"')


def input_object(
    type_: GraphQLInputObjectType, other: GraphQLSchema, given: dict[str, str], seen: tuple[str, ...] = ()
) -> str | None:
    """An input object with what is given and what is required beside it."""
    if type_.name in seen:
        return None
    fields = dict(given)
    if type_.is_one_of:
        wanted = {} if given else dict(list(type_.fields.items())[:1])
    else:
        wanted = {n: f for n, f in type_.fields.items() if is_required_input_field(f) and n not in given}
    for name, field in wanted.items():
        text = literal(field.type, other, (*seen, type_.name))
        if text is None:
            return None
        fields[name] = text
    return "{" + ", ".join(f"{name}: {text}" for name, text in fields.items()) + "}"


def arguments(field: Any, other: GraphQLSchema, given: dict[str, str]) -> str | None:
    """`(a: 1, b: "x")` with what is given and what is required beside it; empty where there is nothing to say."""
    texts = dict(given)
    for name, argument in field.args.items():
        if name not in texts and is_required_argument(argument):
            text = literal(argument.type, other)
            if text is None:
                return None
            texts[name] = text
    return f"({', '.join(f'{name}: {text}' for name, text in texts.items())})" if texts else ""
