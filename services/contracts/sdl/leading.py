"""What leads to a type or a field of a schema: the coordinates that a document may have used instead."""

from collections.abc import Iterator

from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
)

from services.contracts.sdl.schemas import read


class Leads:
    """Of one schema. Raises UnreadableDocument."""

    def __init__(self, sdl: str) -> None:
        self._schema: GraphQLSchema = read(sdl, "the base").schema

    def has(self, coordinate: str) -> bool:
        """Whether the schema has a type, field, argument, input field or value of that coordinate."""
        name, _, rest = coordinate.partition(".")
        kind = self._schema.type_map.get(name)
        member, _, argument = rest.partition("(")
        if kind is None or not rest:
            return kind is not None
        found = getattr(kind, "fields", None) or getattr(kind, "values", {})
        if member not in found:
            return False
        return not argument or argument.rstrip(":)") in found[member].args

    def through_interfaces(self, coordinate: str) -> list[str]:
        """The same field (and argument) of the interfaces that its type implements."""
        name, _, rest = coordinate.partition(".")
        kind = self._schema.type_map.get(name)
        interfaces = kind.interfaces if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) else ()
        return [found for each in interfaces if self.has(found := f"{each.name}.{rest}")]

    def to_type(self, name: str) -> list[str]:
        """Every field, argument and input field of that type, or of a union or an interface that it belongs to."""
        wanted = {name, *self._wider(name)}
        return [coordinate for coordinate, kind in self._typed() if kind in wanted]

    def _wider(self, name: str) -> Iterator[str]:
        for kind in self._schema.type_map.values():
            if isinstance(kind, GraphQLUnionType) and name in {member.name for member in kind.types}:
                yield kind.name
        found = self._schema.type_map.get(name)
        if isinstance(found, GraphQLObjectType | GraphQLInterfaceType):
            yield from (each.name for each in found.interfaces)

    def _typed(self) -> Iterator[tuple[str, str]]:
        for owner in self._schema.type_map.values():
            if isinstance(owner, GraphQLInputObjectType):
                for name, field in owner.fields.items():
                    yield f"{owner.name}.{name}", get_named_type(field.type).name
            elif isinstance(owner, GraphQLObjectType | GraphQLInterfaceType):
                for name, answered in owner.fields.items():
                    yield f"{owner.name}.{name}", get_named_type(answered.type).name
                    for word, argument in answered.args.items():
                        yield f"{owner.name}.{name}({word}:)", get_named_type(argument.type).name
