"""Which parts of the schema an operation uses, as schema coordinates: read once for each document.

What its variables add (members of input objects, values of enums) is read in each request, and only where a variable
has such a type. A field that is skipped by a directive counts as used: its client may ask for it the next time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    type_from_ast,
)

from services.usage.elements import Elements

Intern = Callable[[Iterable[str]], tuple[Elements, ...]]
#: A value of this many members is looked at no further; what is deeper was refused before.
_MOST_MEMBERS, _MOST_DEPTH = 2_000, 20


class Coordinates:
    """What one operation uses. `varying` are its variables whose values may add to it, by their type."""

    __slots__ = ("_own", "_varying")

    def __init__(self, own: Iterable[str], varying: Mapping[str, Any]) -> None:
        self._own, self._varying = (Elements(sorted(own)),), dict(varying)

    @property
    def names(self) -> tuple[str, ...]:
        return self._own[0].names

    def elements(self, variables: Mapping[str, Any], intern: Intern) -> tuple[Elements, ...]:
        """For the ledger: the operation's own, and those of this request's variables."""
        if not self._varying:
            return self._own
        given = {
            coordinate
            for name, kind in self._varying.items()
            if variables.get(name) is not None
            for coordinate in _of_value(kind, variables[name], 0)
        }
        return self._own + intern(given) if given else self._own


def _of_value(kind: Any, value: Any, depth: int) -> Iterator[str]:
    """The coordinates in a value of JSON, as far as it fits its type."""
    kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if depth > _MOST_DEPTH:
        return
    if isinstance(kind, GraphQLList):
        for item in value[:_MOST_MEMBERS] if isinstance(value, list) else [value]:
            yield from _of_value(kind.of_type, item, depth + 1)
    elif isinstance(kind, GraphQLEnumType):
        if isinstance(value, str) and value in kind.values:
            yield f"{kind.name}.{value}"
    elif isinstance(kind, GraphQLInputObjectType) and isinstance(value, dict):
        for name, field in kind.fields.items():
            if name in value:
                yield f"{kind.name}.{name}"
                yield from _of_value(field.type, value[name], depth + 1)


class CoordinateReader:
    """Reads the operations of one valid document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}

    def read(self, operation: OperationDefinitionNode) -> Coordinates:
        found: set[str] = set()
        spread: set[str] = set()
        root = self._schema.get_root_type(operation.operation)
        self._selections(operation.selection_set, root, found, spread)
        varying = {}
        for given in operation.variable_definitions or ():
            kind = type_from_ast(self._schema, given.type)
            if isinstance(get_named_type(kind), (GraphQLEnumType, GraphQLInputObjectType)):
                varying[given.variable.name.value] = kind
            if given.default_value is not None:
                self._literal(kind, given.default_value, found)
        return Coordinates(found, varying)

    def _selections(self, selected: SelectionSetNode, kind: Any, found: set[str], spread: set[str]) -> None:
        for node in selected.selections:
            if isinstance(node, FieldNode):
                self._field(node, kind, found, spread)
                continue
            inner: Any = node
            if isinstance(node, FragmentSpreadNode):
                # A fragment's own condition says its type, so it is the same wherever it is spread.
                if node.name.value in spread:
                    continue
                spread.add(node.name.value)
                inner = self._fragments[node.name.value]
            condition = inner.type_condition
            narrowed = kind if condition is None else type_from_ast(self._schema, condition)
            self._selections(inner.selection_set, narrowed, found, spread)

    def _field(self, node: FieldNode, kind: Any, found: set[str], spread: set[str]) -> None:
        name = node.name.value
        field = self._schema.get_field(kind, name)
        if field is None or name.startswith("__") or kind.name.startswith("__"):
            return
        found.add(f"{kind.name}.{name}")
        for argument in node.arguments or ():
            self._argument(f"{kind.name}.{name}", field.args, argument, found)
        if node.selection_set:
            self._selections(node.selection_set, get_named_type(field.type), found, spread)

    def _argument(self, field: str, known: Mapping[str, GraphQLArgument], node: ArgumentNode, found: set[str]) -> None:
        found.add(f"{field}({node.name.value}:)")
        self._literal(known[node.name.value].type, node.value, found)

    def _literal(self, kind: Any, value: Any, found: set[str]) -> None:
        kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(kind, GraphQLList):
            for item in value.values if isinstance(value, ListValueNode) else [value]:
                self._literal(kind.of_type, item, found)
        elif isinstance(kind, GraphQLEnumType) and isinstance(value, EnumValueNode):
            found.add(f"{kind.name}.{value.value}")
        elif isinstance(kind, GraphQLInputObjectType) and isinstance(value, ObjectValueNode):
            for field in value.fields:
                found.add(f"{kind.name}.{field.name.value}")
                self._literal(kind.fields[field.name.value].type, field.value, found)
