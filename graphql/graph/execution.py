"""The executor: graphql-core's own, with a short way for plain fields.

For each selection set a plan is made once per request; what a Reader gives and needs no work is put into the
answer at once. Whatever is unusual (a resolver, an argument, null where none may be, a value of the wrong type, an
exception) goes the long way, so that answers and errors are graphql-core's to the letter.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from graphql import GraphQLField, GraphQLNonNull, GraphQLObjectType, Undefined
from graphql.pyutils import Path, gather_with_cancel
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graph.compiled import RowPlan
from graph.compiling import compile_list
from graph.leaves import ODD, bare, finish_of
from graph.rows import Reader, Shape, shape_of


class Step(NamedTuple):
    """One field of a plan; without a reader it goes the long way.

    `finish` makes the answer's value of a leaf, or ODD where it must go the long way; `nested` is the type of an
    object whose own fields come next. `nullable` says whether null may stand as it is.
    """

    name: str
    details: Any
    reader: Reader | None = None
    finish: Callable[[Any], Any] | None = None
    nested: GraphQLObjectType | None = None
    kind: Any = None
    nullable: bool = False
    typename: bool = False


def _step(name: str, details: Any, field: GraphQLField | None) -> Step:
    node = details[0].node
    if field is None or field.args or node.arguments:
        return Step(name, details)
    if node.name.value == "__typename":
        return Step(name, details, typename=True)
    if not isinstance(field.resolve, Reader):
        return Step(name, details)
    kind, nullable = bare(field.type), not isinstance(field.type, GraphQLNonNull)
    if isinstance(kind, GraphQLObjectType):
        return Step(name, details, field.resolve, nested=kind, kind=field.type, nullable=nullable)
    finish = finish_of(field)
    return Step(name, details) if finish is None else Step(name, details, field.resolve, finish, nullable=nullable)


def _short(step: Step, source: Any, shape: Shape) -> Any:
    """The value of a plain field, finished where it is a leaf; ODD where it must go the long way."""
    reader = step.reader
    if reader is None:
        return ODD
    try:
        if shape == "instance":
            value = getattr(source, reader.name)
        else:
            value = source[reader.key] if shape == "row" else getattr(source, reader.key)
            if value is not None and reader.convert is not None:
                value = reader.convert(value)
        if value is None:
            return None if step.nullable else ODD
        return value if step.finish is None else step.finish(value)
    except Exception:  # noqa: BLE001 - the long way raises it again, with its place
        return ODD


class PlannedExecutor(StrawberryGraphQLCoreExecutionContext):
    """`execution_context_class` of the schema, and the executor of subscriptions."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The field set is kept beside its plan: its id is the key and must not be given to another one.
        self._plans: dict[int, tuple[Any, list[Step]]] = {}

    def _plan(self, parent_type: GraphQLObjectType, field_set: Any) -> list[Step]:
        known = self._plans.get(id(field_set))
        if known is not None:
            return known[1]
        get_field = self.schema.get_field
        steps = [
            _step(name, details, get_field(parent_type, details[0].node.name.value))
            for name, details in field_set.items()
        ]
        self._plans[id(field_set)] = field_set, steps
        return steps

    def execute_fields(
        self, parent_type: GraphQLObjectType, source_value: Any, path: Path | None, grouped_field_set: Any, context: Any
    ) -> Any:
        if self.middleware_manager and self.middleware_manager.middlewares:
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, context)
        results: dict[str, Any] = {}
        waiting: list[str] = []
        shape, type_name = shape_of(type(source_value)), parent_type.name
        try:
            for step in self._plan(parent_type, grouped_field_set):
                if step.typename:
                    results[step.name] = type_name
                    continue
                value = _short(step, source_value, shape)
                if value is not ODD and (step.nested is None or value is None):
                    results[step.name] = value
                    continue
                field_path = Path(path, step.name, type_name)
                if value is ODD or step.nested is None or not self._fits(step.nested, value):
                    value = self.execute_field(parent_type, source_value, step.details, field_path, context)
                    if value is Undefined:
                        continue
                else:
                    value = self._nested(step, step.nested, value, field_path, context)
                results[step.name] = value
                if self.is_awaitable(value):
                    waiting.append(step.name)
        except Exception:
            if waiting:
                self.settle_in_background([results[name] for name in waiting])
            raise
        return _gathered(results, waiting) if waiting else results

    def _fits(self, kind: GraphQLObjectType, value: Any) -> bool:
        """Whether the value is an object of the type beyond doubt; what is in doubt goes the long way."""
        if isinstance(value, Exception) or value is Undefined or self.is_awaitable(value):
            return False
        if kind.is_type_of is None:
            return True
        try:
            return kind.is_type_of(value, None) is True  # type: ignore[arg-type]
        except Exception:  # noqa: BLE001 - the long way asks again
            return False

    def complete_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Path, result: Any, position_context: Any
    ) -> Any:
        """graphql-core's, with the question first that is most often answered yes: is it an object?"""
        kind = return_type.of_type if type(return_type) is GraphQLNonNull else return_type
        if type(kind) is GraphQLObjectType and result is not None and self._fits(kind, result):
            return self.collect_and_execute_subfields(kind, field_details_list, path, result, position_context)
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)

    def complete_iterable_value(
        self, item_type: Any, field_details_list: Any, info: Any, path: Path, items: Any, position_context: Any
    ) -> Any:
        """A list of rows by generated code where that is known to say the same."""
        plain = position_context is None and type(items) is list and len(items) > 0 and len(field_details_list) == 1
        plan = self._row_plan(item_type, field_details_list[0].node, info) if plain else None

        def walk() -> Any:
            walked = super(PlannedExecutor, self).complete_iterable_value
            return walked(item_type, field_details_list, info, path, items, position_context)

        if plan is None:
            return walk()
        if plan.loads:
            return self._loaded(plan, info.context, items, walk)
        try:
            return plan.answer(items)
        except Exception:  # noqa: BLE001 - the walk raises it again, with its place
            return walk()

    async def _loaded(self, plan: RowPlan, graph: Any, items: Any, walk: Callable[[], Any]) -> Any:
        try:
            return await plan.load_and_answer(graph, items)
        except Exception:  # noqa: BLE001 - as above
            walked = walk()
            return await walked if self.is_awaitable(walked) else walked

    def _row_plan(self, item_type: Any, node: Any, info: Any) -> RowPlan | None:
        plans = getattr(info.context, "row_plans", None)
        if plans is None:
            return None
        # The document, which the plans are kept with, keeps the node: its id is nobody else's.
        key = id(node), id(item_type)
        if key not in plans:
            plans[key] = compile_list(bare(item_type), node.selection_set)
        found: RowPlan | None = plans[key]
        return found

    def _nested(self, step: Step, kind: GraphQLObjectType, value: Any, path: Path, context: Any) -> Any:
        try:
            completed = self.collect_and_execute_subfields(kind, step.details, path, value, context)
        except Exception as error:  # noqa: BLE001 - whatever a field raises has its place in the answer
            return self.handle_field_error(error, step.kind, step.details, path)
        return self._awaited(step, completed, path) if self.is_awaitable(completed) else completed

    async def _awaited(self, step: Step, completed: Any, path: Path) -> Any:
        try:
            return await completed
        except Exception as error:  # noqa: BLE001 - as above
            return self.handle_field_error(error, step.kind, step.details, path)


async def _gathered(results: dict[str, Any], waiting: list[str]) -> dict[str, Any]:
    if len(waiting) == 1:
        results[waiting[0]] = await results[waiting[0]]
        return results
    values = await gather_with_cancel(*(results[name] for name in waiting))
    results.update(zip(waiting, values, strict=True))
    return results
