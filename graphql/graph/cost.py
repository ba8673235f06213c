"""What an operation costs: about the number of objects that it may read.

An object costs 1, a plain field nothing, a field with a resolver of its own 1, a mutation 10. What stands in a list
counts as often as the list may be long: by `first`, `last` or `ids`, else 10 times, or 5 along an edge. A plan
is made once per document; the variables of a request are put in afterwards, in time linear to the plan. What was
charged and not used, because lists were shorter, is given back after the answer.
"""

from collections.abc import Mapping
from itertools import chain
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
    type_from_ast,
    value_from_ast_untyped,
)

from graph.edges import EDGE
from graph.rows import COST, Reader, metadata_of

MOST_PER_PAGE = 100
UNPAGED = 10
#: What belongs to one parent and is not paged: origins, keys, memberships.
OF_ONE_PARENT = 5
_ITEMS = ("edges", "nodes")


class Sizes(NamedTuple):
    """How long a list may be: a number that is known, and variables that say it in each request."""

    known: int
    variables: tuple[str, ...]

    def value(self, variables: Mapping[str, Any]) -> int:
        sizes = [_size(variables.get(name)) for name in self.variables]
        return max(self.known, *sizes) or MOST_PER_PAGE


class Plan(NamedTuple):
    """`own + size * (each + what is below)`."""

    own: int
    sizes: Sizes
    each: int
    below: tuple["Plan", ...]

    def cost(self, variables: Mapping[str, Any]) -> int:
        inner = self.each + sum(plan.cost(variables) for plan in self.below)
        return self.own + (self.sizes.value(variables) if self.sizes.variables else self.sizes.known) * inner


class Measure(NamedTuple):
    """The same sum over what an answer holds: `own + rows * (each + leaves + what is below)`."""

    own: int
    each: int
    leaves: int
    below: tuple[tuple[str, "Measure"], ...]

    def used(self, value: Any) -> int:
        """What the value cost to make; a list counts its rows, and what is null only itself."""
        return self._used([value])

    def _used(self, values: list[Any]) -> int:
        """What values of one place in the answer cost, level by level: a page has many lists of few rows."""
        rows = _rows(values)
        total = len(values) * self.own + len(rows) * (self.each + self.leaves)
        for key, measure in self.below:
            total += measure._used([row[key] for row in rows if key in row])
        return total


def _rows(values: list[Any]) -> list[Any]:
    if set(map(type, values)) == {list}:
        found = list(chain.from_iterable(values))
        return [row for row in found if row is not None] if None in found else found
    rows: list[Any] = []
    for value in values:
        if isinstance(value, list):
            rows += [row for row in value if row is not None]
        elif value:
            rows.append(value)
    return rows


ONCE = Sizes(1, ())


def _size(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, list)):
        return 0
    return max(1, min(len(value) if isinstance(value, list) else value, MOST_PER_PAGE))


class _Item:
    """Selections of one response key, merged."""

    def __init__(self, own: int, sizes: Sizes, each: int) -> None:
        self.own, self.sizes, self.each = own, sizes, each
        self.below: dict[tuple[str, str], _Item] = {}
        self.names: set[str] = set()

    def plan(self) -> Plan:
        below = [item.plan() for item in self.below.values()]
        # What no variable can change is a number already.
        known = sum(plan.cost({}) for plan in below if not _varies(plan))
        return Plan(self.own, self.sizes, self.each + known, tuple(plan for plan in below if _varies(plan)))

    def measure(self) -> Measure:
        parts = [(key, item) for (_, key), item in self.below.items()]
        leaves = sum(item.own for _, item in parts if not item.below)
        below = tuple((key, item.measure()) for key, item in parts if item.below)
        return Measure(self.own, self.each, leaves, below)


def _varies(plan: Plan) -> bool:
    return bool(plan.sizes.variables or plan.below)


class CostPlanner:
    """Makes the plans of a valid document's operations."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}

    def plan(self, operation: OperationDefinitionNode) -> tuple[Plan, Measure, bool]:
        """The plan, its measure of an answer, and whether the operation asks for nothing but the schema."""
        top = _Item(0, ONCE, 0)
        self._selections(operation.selection_set, self._schema.get_root_type(operation.operation), top, None)
        return top.plan(), top.measure(), bool(top.names) and all(name.startswith("__") for name in top.names)

    def defaults(self, operation: OperationDefinitionNode) -> dict[str, Any]:
        """The variables' own values, where they have one."""
        return {
            given.variable.name.value: value_from_ast_untyped(given.default_value)
            for given in operation.variable_definitions or ()
            if given.default_value is not None
        }

    def _selections(self, selection_set: SelectionSetNode, kind: Any, item: _Item, page: Sizes | None) -> None:
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                self._field(selection, kind, item, page)
                continue
            inner: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                inner = self._fragments[selection.name.value]
            condition = inner.type_condition
            narrowed = kind if condition is None else type_from_ast(self._schema, condition)
            self._selections(inner.selection_set, narrowed, item, page)

    def _field(self, node: FieldNode, kind: Any, item: _Item, page: Sizes | None) -> None:
        field = self._schema.get_field(kind, node.name.value)
        key = kind.name, node.alias.value if node.alias else node.name.value
        if field is None or node.name.value == "__typename":
            return
        item.names.add(node.name.value)
        found = item.below.get(key)
        sizes = _asked(node, field)
        if found is None:
            found = item.below[key] = _new_item(node, field, page, sizes, kind)
        if node.selection_set:
            paged = sizes if sizes is not None and not _is_list(field) else None
            self._selections(node.selection_set, get_named_type(field.type), found, paged)


def _is_list(field: GraphQLField) -> bool:
    kind = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    return isinstance(kind, GraphQLList)


def _asked(node: FieldNode, field: GraphQLField) -> Sizes | None:
    """What the arguments say of the length, None for a field without such arguments."""
    names = [name for name in ("first", "last", "ids") if name in field.args]
    if not names:
        return None
    known, variables = 0, []
    for argument in node.arguments or ():
        if argument.name.value not in names:
            continue
        value = argument.value
        if isinstance(value, VariableNode):
            variables.append(value.name.value)
        elif isinstance(value, (IntValueNode, ListValueNode)):
            known = max(
                known, _size(value_from_ast_untyped(value) if isinstance(value, IntValueNode) else _items(value))
            )
    return Sizes(known if known or variables else MOST_PER_PAGE, tuple(variables))


def _items(value: ListValueNode) -> list[None]:
    return [None] * len(value.values)


def _new_item(node: FieldNode, field: GraphQLField, page: Sizes | None, sizes: Sizes | None, kind: Any) -> _Item:
    name, own = node.name.value, metadata_of(field).get(COST)
    # The fields of an interface have no reader; those of its types do.
    plain = isinstance(field.resolve, Reader) or getattr(field.resolve, "_is_default", False)
    if name.startswith("__") or kind.name.startswith("__"):
        return _Item(1, ONCE, 0)
    if is_leaf_type(get_named_type(field.type)):
        return _Item(own if own is not None else 0 if plain else 1, ONCE, 0)
    if page is not None and name in _ITEMS:
        return _Item(0, page, int(name == "nodes"))
    if _is_list(field):
        length = OF_ONE_PARENT if EDGE in metadata_of(field) else UNPAGED
        return _Item(own or 0, sizes or Sizes(length, ()), 1)
    return _Item(own if own is not None else 0 if name == "pageInfo" else 1, ONCE, 0)
