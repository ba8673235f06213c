"""Limits of a document. Every walk here stops after a bounded number of steps, so none can be made to take long.

What is counted is the operation as it would be executed: fragments expanded, selections of one response key
merged. Validation comes afterwards; its rule about overlapping fields is quadratic in what is repeated.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from graphql import (
    DirectiveNode,
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
)

from app.errors import QueryRefused, QueryTooComplex


class Limits(msgspec.Struct, frozen=True):
    """Most of each in one document (the first eight) or in one operation with its fragments expanded."""

    characters: int = 65_536
    tokens: int = 2_000
    operations: int = 20
    fragments: int = 50
    directives: int = 50
    directives_each: int = 5
    value_depth: int = 10
    digits: int = 40
    depth: int = 10
    nesting: int = 40
    aliases: int = 15
    repeats: int = 20
    selections: int = 2_000
    introspection_depth: int = 20
    introspection_lists: int = 2
    cost: int = 1_000


LIMITS = Limits()
_LOOKED_AT = (DirectiveNode, StringValueNode, IntValueNode, FloatValueNode, ListValueNode, ObjectValueNode)
_LISTS = frozenset({"fields", "interfaces", "possibleTypes", "inputFields"})


def is_bad_text(text: str) -> bool:
    """U+0000, which PostgreSQL cannot store, or half a surrogate pair, which is no character."""
    return "\0" in text or any("\ud800" <= character <= "\udfff" for character in text)


def check_document(document: DocumentNode, limits: Limits = LIMITS) -> None:
    """Raise QueryTooComplex or QueryRefused where a document is over a limit; one look at each node."""
    _check_definitions(document, limits)
    directives = 0
    for node, depth in _values_and_directives(document):
        if isinstance(node, DirectiveNode):
            directives += 1
        elif depth > limits.value_depth:
            raise QueryTooComplex(f"A value nests more than {limits.value_depth} levels.")
        else:
            _check_value(node, limits)
    if directives > limits.directives:
        raise QueryTooComplex(f"The document has more than {limits.directives} directives.")
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            _Expansion(fragments, limits).walk(definition.selection_set)


def _check_definitions(document: DocumentNode, limits: Limits) -> None:
    if not all(isinstance(definition, ExecutableDefinitionNode) for definition in document.definitions):
        raise QueryRefused("A document holds operations and fragments, no type definitions.")
    operations = sum(isinstance(d, OperationDefinitionNode) for d in document.definitions)
    if operations > limits.operations:
        raise QueryTooComplex(f"The document has {operations} operations; {limits.operations} is the most.")
    if len(document.definitions) - operations > limits.fragments:
        raise QueryTooComplex(f"The document has more than {limits.fragments} fragments.")


def _values_and_directives(document: DocumentNode) -> Iterator[tuple[Node, int]]:
    """Every value with its depth in lists and objects, and every directive, without recursion."""
    stack: list[tuple[Any, int]] = [(document, 0)]
    while stack:
        node, depth = stack.pop()
        if isinstance(node, (ListValueNode, ObjectValueNode)):
            depth += 1
        if isinstance(node, _LOOKED_AT):
            yield node, depth
        if len(getattr(node, "directives", None) or ()) > LIMITS.directives_each:
            raise QueryTooComplex(f"More than {LIMITS.directives_each} directives stand in one place.")
        for key in node.keys:
            child = getattr(node, key, None)
            if isinstance(child, Node):
                stack.append((child, depth))
            elif isinstance(child, (list, tuple)):
                stack.extend((item, depth) for item in child if isinstance(item, Node))


def _check_value(node: Node, limits: Limits) -> None:
    if isinstance(node, StringValueNode) and is_bad_text(node.value):
        line = node.loc.start_token.line if node.loc else 0
        raise QueryRefused(f"The text in line {line} holds U+0000 or half a surrogate pair.")
    if isinstance(node, (IntValueNode, FloatValueNode)) and len(node.value) > limits.digits:
        raise QueryTooComplex(f"A number has more than {limits.digits} digits.")


class _Place:
    """A response key under its parent's, with how often it is selected."""

    __slots__ = ("below", "count")

    def __init__(self) -> None:
        self.count = 0
        self.below: dict[str, _Place] = {}


class _Expansion:
    """One operation, its fragments expanded until a limit says stop."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode], limits: Limits) -> None:
        self.fragments, self.limits = fragments, limits
        self.selections = self.aliases = 0
        self.active: set[str] = set()

    def walk(self, selection_set: SelectionSetNode) -> None:
        self._selections(selection_set, _Place(), 1, 1, None)

    def _selections(
        self, selection_set: SelectionSetNode, place: _Place, depth: int, nesting: int, lists: tuple[str, ...] | None
    ) -> None:
        if nesting > self.limits.nesting:
            raise QueryTooComplex(f"Selections nest more than {self.limits.nesting} levels.")
        for selection in selection_set.selections:
            self.selections += 1
            if self.selections > self.limits.selections:
                raise QueryTooComplex(f"The operation selects more than {self.limits.selections} fields.")
            if isinstance(selection, FieldNode):
                self._field(selection, place, depth, nesting, lists)
            elif isinstance(selection, FragmentSpreadNode):
                self._spread(selection.name.value, place, depth, nesting, lists)
            else:
                inner: Any = selection
                self._selections(inner.selection_set, place, depth, nesting + 1, lists)

    def _spread(self, name: str, place: _Place, depth: int, nesting: int, lists: tuple[str, ...] | None) -> None:
        # An unknown fragment or a cycle is left to the standard rules, which say where it is.
        fragment = self.fragments.get(name)
        if fragment is None or name in self.active:
            return
        self.active.add(name)
        self._selections(fragment.selection_set, place, depth, nesting + 1, lists)
        self.active.discard(name)

    def _field(self, node: FieldNode, place: _Place, depth: int, nesting: int, lists: tuple[str, ...] | None) -> None:
        name = node.name.value
        if lists is None and name in ("__schema", "__type"):
            lists = ()
        elif lists is not None:
            lists = self._introspected(name, lists)
        self._count_alias(node, introspecting=lists is not None)
        here = place.below.setdefault(node.alias.value if node.alias else name, _Place())
        here.count += 1
        if here.count > self.limits.repeats:
            raise QueryTooComplex(f"The field {name} is selected more than {self.limits.repeats} times.")
        most = self.limits.depth if lists is None else self.limits.introspection_depth
        if depth > most:
            raise QueryTooComplex(f"Fields nest more than {most} levels.")
        if node.selection_set:
            self._selections(node.selection_set, here, depth + 1, nesting + 1, lists)

    def _introspected(self, name: str, lists: tuple[str, ...]) -> tuple[str, ...]:
        """A list within the same list, as `fields` of a field's type, would multiply for ever."""
        if name not in _LISTS:
            return lists
        if name in lists or len(lists) == self.limits.introspection_lists:
            raise QueryTooComplex("Introspection follows the lists of a type at most once.")
        return (*lists, name)

    def _count_alias(self, node: FieldNode, *, introspecting: bool) -> None:
        if node.alias is None or node.alias.value == node.name.value:
            return
        if introspecting:
            raise QueryTooComplex("Introspection takes no aliases.")
        self.aliases += 1
        if self.aliases > self.limits.aliases:
            raise QueryTooComplex(f"The operation has more than {self.limits.aliases} aliases.")
