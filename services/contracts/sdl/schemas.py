"""Reads SDL into a schema that can be compared; says of what cannot be read why, and never crashes on it."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from graphql import (
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_ast_schema,
    is_input_type,
    is_output_type,
    print_ast,
)
from graphql.language import DirectiveNode, DocumentNode, TypeSystemDefinitionNode, TypeSystemExtensionNode, parse
from graphql.validation.specified_rules import specified_sdl_rules
from graphql.validation.validate import validate_sdl

from services.contracts.reading import UnreadableDocument

#: A schema of 10,000 types has about 300,000; reading ends where no schema is.
MAX_TOKENS = 2_000_000
MAX_CHARACTERS = 20_000_000
#: Schemas in the field use directives that their server defines and their file does not.
_LENIENT = {"KnownDirectivesRule", "KnownArgumentNamesOnDirectivesRule", "ProvidedRequiredArgumentsOnDirectivesRule"}
_RULES = [rule for rule in specified_sdl_rules if rule.__name__ not in _LENIENT]
#: Said by attributes of the schema's elements.
_STANDARD = frozenset({"deprecated", "specifiedBy"})


class Applied(NamedTuple):
    """A directive as it stands on an element: its name, and its whole text with sorted arguments."""

    name: str
    text: str
    arguments: tuple[tuple[str, Any], ...]


class Sdl(NamedTuple):
    """A schema, and what graphql-core drops from it: the directives that stand on its elements, by coordinate."""

    schema: GraphQLSchema
    applied: dict[str, "Counter[Applied]"]


def read(text: str, name: str = "the schema") -> Sdl:
    """The schema that SDL says. Raises `UnreadableDocument`; `name` is what the sentence calls it."""
    try:
        document = parse(text, no_location=True, max_lexical_tokens=MAX_TOKENS, max_source_length=MAX_CHARACTERS)
        _refuse(name, [*_executable_in(document), *validate_sdl(document, rules=_RULES)])
        schema = build_ast_schema(document, assume_valid=True, assume_valid_sdl=True)
        _touch(schema)
    except GraphQLError as error:
        raise UnreadableDocument(f"{name} is not SDL: {error.message}") from error
    except RecursionError as error:
        raise UnreadableDocument(f"{name} is nested too deeply to be read.") from error
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        if isinstance(error, UnreadableDocument):
            raise
        # graphql-core says by these what it does not find, while it builds lazily.
        raise UnreadableDocument(f"{name} is not a schema: {error}") from error
    _refuse_kinds(schema, name)
    _refuse_cycles(schema, name)
    return Sdl(schema, _applied_in(document))


def _refuse(name: str, errors: Iterable[GraphQLError]) -> None:
    for error in errors:
        raise UnreadableDocument(f"{name} is not SDL: {error.message}")


def _executable_in(document: DocumentNode) -> list[GraphQLError]:
    defines = (TypeSystemDefinitionNode, TypeSystemExtensionNode)
    others = [node for node in document.definitions if not isinstance(node, defines)]
    return [GraphQLError("it holds operations or fragments.")] if others else []


def _touch(schema: GraphQLSchema) -> None:
    """Makes every lazy part now, so that what is wrong is found here."""
    for type_ in schema.type_map.values():
        for part in ("fields", "interfaces", "types", "values"):
            getattr(type_, part, None)


def _refuse_kinds(schema: GraphQLSchema, name: str) -> None:
    """A field answers with an output type, takes input types, and a union is of objects."""
    for owner, type_ in schema.type_map.items():
        for member in getattr(type_, "types", None) or ():
            if not isinstance(member, GraphQLObjectType):
                raise UnreadableDocument(f"{name} is not a schema: {owner} is a union of {member}, no object.")
        for field_name, field in (getattr(type_, "fields", None) or {}).items():
            arguments = getattr(field, "args", None)
            if arguments is None:
                _refuse_unless(is_input_type(field.type), name, f"{owner}.{field_name}", field.type)
                continue
            _refuse_unless(is_output_type(field.type), name, f"{owner}.{field_name}", field.type)
            for argument_name, argument in arguments.items():
                said = f"{owner}.{field_name}({argument_name}:)"
                _refuse_unless(is_input_type(argument.type), name, said, argument.type)


def _refuse_unless(fits: bool, name: str, where: str, type_: object) -> None:
    if not fits:
        raise UnreadableDocument(f"{name} is not a schema: {where} cannot be {type_}.")


def _refuse_cycles(schema: GraphQLSchema, name: str) -> None:
    """An interface that implements itself, also by way of others, stands for nothing."""
    implementing = [t for t in schema.type_map.values() if isinstance(t, GraphQLInterfaceType | GraphQLObjectType)]
    for type_ in implementing:
        seen, waiting = set(), [interface.name for interface in type_.interfaces]
        while waiting:
            found = waiting.pop()
            if found == type_.name:
                raise UnreadableDocument(f"{name} is not a schema: {found} implements itself.")
            if found in seen:
                continue
            seen.add(found)
            interface: Any = schema.type_map[found]
            if not isinstance(interface, GraphQLInterfaceType):
                raise UnreadableDocument(f"{name} is not a schema: {type_.name} implements {found}, no interface.")
            waiting += [above.name for above in interface.interfaces]


def _applied_in(document: DocumentNode) -> dict[str, Counter[Applied]]:
    found: dict[str, Counter[Applied]] = {}
    for node in document.definitions:
        kind = type(node).__name__
        name: Any = getattr(node, "name", None)
        if "Schema" in kind:
            _note(found, "schema", node)
        elif "Directive" in kind:
            _note_members(found, f"@{name.value}", node)
        elif name is not None:
            _note(found, name.value, node)
            _note_members(found, name.value, node)
    return found


def _note_members(found: dict[str, Counter[Applied]], owner: str, node: Any) -> None:
    for member in (*(getattr(node, "fields", None) or ()), *(getattr(node, "values", None) or ())):
        _note(found, f"{owner}.{member.name.value}", member)
        _note_members(found, f"{owner}.{member.name.value}", member)
    for argument in getattr(node, "arguments", None) or ():
        _note(found, f"{owner}({argument.name.value}:)", argument)


def _note(found: dict[str, Counter[Applied]], coordinate: str, node: Any) -> None:
    used = [_read_use(use) for use in getattr(node, "directives", None) or () if use.name.value not in _STANDARD]
    if used:
        found.setdefault(coordinate, Counter()).update(used)


def _read_use(use: DirectiveNode) -> Applied:
    arguments = tuple(sorted((a.name.value, print_ast(a.value)) for a in use.arguments or ()))
    inside = f"({', '.join(f'{name}: {value}' for name, value in arguments)})" if arguments else ""
    return Applied(use.name.value, f"@{use.name.value}{inside}", arguments)
