"""How a document reaches a type from a root, and which argument takes a type: the frame of every witness."""

from collections import deque
from functools import cached_property
from typing import Any, NamedTuple

from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
    is_required_argument,
)

from services.contracts.sdl.literals import arguments, input_object

#: A longer way to a type is none that anybody writes, and a parser may refuse it.
DEEPEST = 100
_OPERATIONS = ("query", "mutation", "subscription")


class Step(NamedTuple):
    """From a type to the next: a field's text and name, or a fragment on a type with no name."""

    source: str
    text: str
    key: str | None
    listed: int


class Use(NamedTuple):
    """The argument, and the chain of input fields below it, where a value of an input type may be given."""

    owner: str
    field: str
    argument: str
    chain: tuple[tuple[str, str], ...]


def roots(schema: GraphQLSchema) -> dict[str, GraphQLObjectType]:
    """Operation to its root type, for those that the schema serves."""
    found = {kind: getattr(schema, f"{kind}_type") for kind in _OPERATIONS}
    return {kind: root for kind, root in found.items() if root is not None}


class Reach:
    """Shortest ways through `schema`; first those that `other` has too, so that nothing else makes a document fail."""

    def __init__(self, schema: GraphQLSchema, other: GraphQLSchema) -> None:
        self.schema, self.other = schema, other

    @cached_property
    def _shared(self) -> dict[str, Step | None]:
        return self._search(only_shared=True)

    @cached_property
    def _any(self) -> dict[str, Step | None]:
        return self._search(only_shared=False)

    def _search(self, *, only_shared: bool) -> dict[str, Step | None]:
        found: dict[str, Step | None] = {root.name: None for root in roots(self.schema).values()}
        waiting = deque(found)
        while waiting:
            name = waiting.popleft()
            for target, step in self._steps(name, only_shared=only_shared):
                if target not in found:
                    found[target] = step
                    waiting.append(target)
        return found

    def _steps(self, name: str, *, only_shared: bool) -> list[tuple[str, Step]]:
        type_ = self.schema.type_map[name]
        steps = []
        for field_name, field in (getattr(type_, "fields", None) or {}).items():
            target = get_named_type(field.type)
            if not is_composite_type(target) or (only_shared and not self._stays(name, field_name, field)):
                continue
            given = arguments(field, self.other, {})
            if given is not None:
                listed = str(field.type).count("[")
                steps.append((target.name, Step(name, f"{field_name}{given}", field_name, listed)))
        for target_name in self._overlapping(type_):
            steps.append((target_name, Step(name, f"... on {target_name}", None, 0)))
        return steps

    def _stays(self, owner: str, name: str, field: Any) -> bool:
        there = (getattr(self.other.get_type(owner), "fields", None) or {}).get(name)
        if there is None or str(there.type) != str(field.type):
            return False
        required = {n for n, a in there.args.items() if is_required_argument(a)}
        return required <= {n for n, a in field.args.items() if is_required_argument(a)}

    def _overlapping(self, type_: Any) -> list[str]:
        if isinstance(type_, GraphQLUnionType):
            return [member.name for member in type_.types]
        above = [interface.name for interface in getattr(type_, "interfaces", ())]
        if isinstance(type_, GraphQLInterfaceType):
            above += [found.name for found in self.schema.get_possible_types(type_)]
        return above

    def steps_to(self, name: str) -> tuple[str, list[Step]] | None:
        """The operation and the steps from its root to a type; None where no root reaches it."""
        for found in (self._shared, self._any):
            if name in found:
                return self._walk_back(found, name)
        return None

    def _walk_back(self, found: dict[str, Step | None], name: str) -> tuple[str, list[Step]]:
        steps: list[Step] = []
        step = found[name]
        while step is not None:
            steps.append(step)
            name = step.source
            step = found[name]
        operation = next(kind for kind, root in roots(self.schema).items() if root.name == name)
        return operation, steps[::-1]

    def document(self, name: str, selection: str, variables: str = "") -> str | None:
        """A document that selects on a type; None where no root reaches it soon enough."""
        way = self.steps_to(name)
        if way is None or len(way[1]) > DEEPEST:
            return None
        operation, steps = way
        return " { ".join([operation + variables, *(step.text for step in steps), selection]) + " }" * (len(steps) + 1)

    def answer(self, name: str, value: dict[str, Any]) -> dict[str, Any] | None:
        """An answer in which an object of a type has `value`; None where no root reaches it."""
        way = self.steps_to(name)
        if way is None:
            return None
        inner: Any = value
        for step in reversed(way[1]):
            for _ in range(step.listed):
                inner = [inner]
            inner = inner if step.key is None else {step.key: inner}
        return {"data": inner}

    @cached_property
    def outputs(self) -> dict[str, list[tuple[str, str, int]]]:
        """Output type to the reachable fields that answer with it: owner, field, depth of lists."""
        found: dict[str, list[tuple[str, str, int]]] = {}
        for owner in self._any:
            for name, field in (getattr(self.schema.type_map[owner], "fields", None) or {}).items():
                target = get_named_type(field.type).name
                found.setdefault(target, []).append((owner, name, str(field.type).count("[")))
        return found

    @cached_property
    def uses(self) -> dict[str, Use]:
        """Input type to the nearest place where one may be given."""
        found: dict[str, Use] = {}
        waiting: deque[str] = deque()
        for owner in self._any:
            for field_name, field in (getattr(self.schema.type_map[owner], "fields", None) or {}).items():
                for argument_name, argument in field.args.items():
                    self._add(
                        found, waiting, get_named_type(argument.type).name, Use(owner, field_name, argument_name, ())
                    )
        while waiting:
            name = waiting.popleft()
            type_ = self.schema.type_map[name]
            if isinstance(type_, GraphQLInputObjectType):
                for field_name, input_field in type_.fields.items():
                    use = found[name]
                    longer = use._replace(chain=(*use.chain, (name, field_name)))
                    self._add(found, waiting, get_named_type(input_field.type).name, longer)
        return found

    @staticmethod
    def _add(found: dict[str, Use], waiting: deque[str], name: str, use: Use) -> None:
        if name not in found:
            found[name] = use
            waiting.append(name)

    def giving(self, name: str, text: str) -> str | None:
        """A document that gives `text` where a value of an input type is taken."""
        use = self.uses.get(name)
        if use is None:
            return None
        for owner, field_name in reversed(use.chain):
            type_: Any = self.schema.type_map[owner]
            wrapped = input_object(type_, self.other, {field_name: text})
            if wrapped is None:
                return None
            text = wrapped
        return self.calling(use.owner, use.field, {use.argument: text})

    def calling(self, owner: str, name: str, given: dict[str, str], variables: str = "") -> str | None:
        """A document that selects a field with arguments."""
        type_: Any = self.schema.type_map[owner]
        field = type_.fields[name]
        said = arguments(field, self.other, given)
        if said is None:
            return None
        below = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
        return self.document(owner, f"{name}{said}{below}", variables)
