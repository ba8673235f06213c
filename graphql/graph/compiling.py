"""From a selection to the plan of its list, where it asks for nothing but plain fields, objects and edges."""

from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    SelectionSetNode,
)

from graph.compiled import Below, Leaf, RowPlan
from graph.edges import EDGE, Edge
from graph.leaf_columns import finish_column_of
from graph.leaves import bare
from graph.rows import Reader, metadata_of


@dataclass
class _Level:
    """What is gathered from one selection set. `members` are the answer's names in order, each with its slot."""

    members: list[tuple[str, str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)
    below: list[Below] = field(default_factory=list)

    def place(self, key: str) -> int:
        """Where a column of the row stands among those that are read."""
        if key not in self.keys:
            self.keys.append(key)
        return self.keys.index(key)


def compile_list(kind: Any, selection: SelectionSetNode | None) -> RowPlan | None:
    """The plan of a list of `kind`, or None where the selection is not of the plain sort."""
    if not isinstance(kind, GraphQLObjectType) or selection is None:
        return None
    level = _Level()
    for node in selection.selections:
        if not isinstance(node, FieldNode) or not _is_bare(node) or not _take(level, kind, node):
            return None
    if len({name for name, _ in level.members}) < len(level.members):
        return None
    return RowPlan(kind, level.members, level.keys, level.leaves, level.below)


def _take(level: _Level, kind: GraphQLObjectType, node: FieldNode) -> bool:
    """Whether the field is of the plain sort; if so, the level has it."""
    name = node.alias.value if node.alias else node.name.value
    if node.name.value == "__typename":
        level.members.append((name, "t"))
        return True
    found = kind.fields.get(node.name.value)
    if found is None:
        return False
    edge: Edge | None = metadata_of(found).get(EDGE)
    if edge is not None or (isinstance(found.resolve, Reader) and node.selection_set is not None):
        return _take_below(level, name, found, node, edge)
    return _take_leaf(level, name, found)


def _take_below(level: _Level, name: str, found: GraphQLField, node: FieldNode, edge: Edge | None) -> bool:
    inner = bare(found.type)
    if isinstance(inner, GraphQLList):
        if edge is None or not edge.many:
            return False
        inner = bare(inner.of_type)
    plan = compile_list(inner, node.selection_set)
    if plan is None or (edge is None and found.resolve.convert is not None):  # type: ignore[union-attr]
        return False
    key = edge.key if edge is not None else found.resolve.key  # type: ignore[union-attr]
    nullable = not isinstance(found.type, GraphQLNonNull)
    level.members.append((name, f"b{len(level.below)}"))
    level.below.append(Below(plan, edge, level.place(key), nullable))
    return True


def _is_bare(node: FieldNode) -> bool:
    return not node.arguments and not node.directives


def _take_leaf(level: _Level, name: str, found: GraphQLField) -> bool:
    finish, reader = finish_column_of(found), found.resolve
    if finish is None or not isinstance(reader, Reader):
        return False
    level.members.append((name, f"l{len(level.leaves)}"))
    level.leaves.append(Leaf(level.place(reader.key), finish))
    return True
