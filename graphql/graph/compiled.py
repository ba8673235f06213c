"""Lists of rows answered by generated code: one loop for a list, one load for each edge below it.

A selection is compiled once for each document, where it asks for nothing but plain fields, objects read from the row,
and edges, without arguments or directives. The code takes only what is beyond doubt; at the first odd value (a
null where none may be, another type, an exception) it gives up, and graphql-core walks the same rows again, so
that answers and errors are graphql-core's to the letter. Loads are memoised: nothing is read twice.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    SelectionSetNode,
)

from graph.edges import EDGE, Edge
from graph.leaves import ODD, bare, finish_of
from graph.request import GraphContext
from graph.rows import Reader, Shape, metadata_of, shape_of


class Odd(Exception):
    """A value that graphql-core must judge."""


class Below(NamedTuple):
    """An edge or an object inside of a compiled list. `edge` None: the object is read from the row itself."""

    plan: "RowPlan"
    edge: Edge | None
    key: str
    nullable: bool


class RowPlan:
    """How a list of one type is answered; `code` is made for each shape of row when it is first met."""

    __slots__ = ("_code", "_lines", "below", "kind", "loads")

    def __init__(self, kind: GraphQLObjectType, fields: list["_Field"], below: list[Below]) -> None:
        self.kind, self.below = kind, below
        self.loads: bool = any(item.edge is not None or item.plan.loads for item in below)
        self._lines = fields
        self._code: dict[Shape, Callable[..., list[dict[str, Any]]]] = {}

    def answer(self, rows: Sequence[Any]) -> list[Any]:
        """Where nothing must be loaded. Raises Odd."""
        return self._encode(rows, [self._inner(item, rows) for item in self.below])

    async def load_and_answer(self, graph: GraphContext, rows: Sequence[Any]) -> list[Any]:
        """Where edges are loaded, all of a level at once. Raises Odd, or what a loader raises."""
        futures = [self._asked(graph, item, rows) for item in self.below]
        inner = [
            await self._followed(graph, item, rows, asked) for item, asked in zip(self.below, futures, strict=True)
        ]
        return self._encode(rows, inner)

    def _encode(self, rows: Sequence[Any], inner: list[list[Any]]) -> list[Any]:
        shape = self._shape(rows)
        code = self._code.get(shape)
        if code is None:
            code = self._code[shape] = _generate(self._lines, len(self.below), shape)
        return code(rows, *inner)

    def _shape(self, rows: Sequence[Any]) -> Shape:
        kinds = set(map(type, rows))
        if len(kinds) != 1:
            raise Odd
        shape = shape_of(kinds.pop())
        if shape == "instance" or not _is_of(self.kind, rows[0]):
            raise Odd
        return shape

    def _inner(self, item: Below, rows: Sequence[Any]) -> list[Any]:
        values = _read_all(rows, item.key)
        if not values or None in values:
            raise Odd
        return item.plan.answer(values)

    def _asked(self, graph: GraphContext, item: Below, rows: Sequence[Any]) -> list[asyncio.Future[Any] | None]:
        if item.edge is None:
            return []
        load = item.edge.loader.load
        return [None if key is None else load(graph, key) for key in _read_all(rows, item.key)]

    async def _followed(
        self, graph: GraphContext, item: Below, rows: Sequence[Any], asked: list[asyncio.Future[Any] | None]
    ) -> list[Any]:
        if item.edge is None:
            values = _read_all(rows, item.key)
            if None in values:
                raise Odd
            return await _answered(graph, item.plan, values)
        found = [None if future is None else await future for future in asked]
        if item.edge.many:
            return await _many(graph, item.plan, found)
        return await _one_each(graph, item, found)


async def _answered(graph: GraphContext, plan: RowPlan, rows: list[Any]) -> list[Any]:
    if not rows:
        return []
    return await plan.load_and_answer(graph, rows) if plan.loads else plan.answer(rows)


async def _many(graph: GraphContext, plan: RowPlan, lists: list[Any]) -> list[Any]:
    """All children in one loop, then given back to their parents."""
    flat = [row for rows in lists if rows for row in rows]
    done = await _answered(graph, plan, flat)
    parted, start = [], 0
    for rows in lists:
        end = start + (len(rows) if rows else 0)
        parted.append(done[start:end])
        start = end
    return parted


async def _one_each(graph: GraphContext, item: Below, found: list[Any]) -> list[Any]:
    present = [row for row in found if row is not None]
    if len(present) < len(found) and not item.nullable:
        raise Odd
    done = iter(await _answered(graph, item.plan, present))
    return [None if row is None else next(done) for row in found]


def _is_of(kind: GraphQLObjectType, row: Any) -> bool:
    return kind.is_type_of is None or kind.is_type_of(row, None) is True  # type: ignore[arg-type]


def _read_all(rows: Sequence[Any], key: str) -> list[Any]:
    if shape_of(type(rows[0])) == "row":
        return [row[key] for row in rows]
    return [getattr(row, key) for row in rows]


# --- from a selection to a plan ------------------------------------------------------------------------


class _Field(NamedTuple):
    """One member of the answer: a constant, a leaf (`finish`), or what stands at `place` in the lists below."""

    name: str
    key: str = ""
    finish: Callable[[Any], Any] | None = None
    text: bool = False
    nullable: bool = False
    constant: str | None = None
    place: int = -1


class Compiler:
    """Compiles the selections of one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    def compile(self, kind: Any, selection: SelectionSetNode | None) -> RowPlan | None:
        """The plan of a list of `kind`, or None where the selection is not of the plain sort."""
        if not isinstance(kind, GraphQLObjectType) or selection is None:
            return None
        fields: list[_Field] = []
        below: list[Below] = []
        for node in selection.selections:
            made = self._field(kind, node, below) if isinstance(node, FieldNode) and _is_bare(node) else None
            if made is None:
                return None
            fields.append(made)
        return RowPlan(kind, fields, below) if len({field.name for field in fields}) == len(fields) else None

    def _field(self, kind: GraphQLObjectType, node: FieldNode, below: list[Below]) -> _Field | None:
        name = node.alias.value if node.alias else node.name.value
        if node.name.value == "__typename":
            return _Field(name, constant=kind.name)
        field = kind.fields.get(node.name.value)
        if field is None:
            return None
        edge: Edge | None = metadata_of(field).get(EDGE)
        if edge is not None or (isinstance(field.resolve, Reader) and node.selection_set is not None):
            return self._below(name, field, node, edge, below)
        return _leaf(name, field)

    def _below(
        self, name: str, field: GraphQLField, node: FieldNode, edge: Edge | None, below: list[Below]
    ) -> _Field | None:
        inner = bare(field.type)
        if isinstance(inner, GraphQLList):
            if edge is None or not edge.many:
                return None
            inner = bare(inner.of_type)
        plan = self.compile(inner, node.selection_set)
        if plan is None or (edge is None and field.resolve.convert is not None):  # type: ignore[union-attr]
            return None
        key = edge.key if edge is not None else field.resolve.key  # type: ignore[union-attr]
        below.append(Below(plan, edge, key, not isinstance(field.type, GraphQLNonNull)))
        return _Field(name, place=len(below) - 1)


def _is_bare(node: FieldNode) -> bool:
    return not node.arguments and not node.directives


def _leaf(name: str, field: GraphQLField) -> _Field | None:
    reader, finish = field.resolve, finish_of(field)
    if not isinstance(reader, Reader) or finish is None:
        return None
    nullable = not isinstance(field.type, GraphQLNonNull)
    text = reader.convert is None and bare(field.type) is GraphQLString
    return _Field(name, reader.key, _composed(reader.convert, finish), text, nullable)


def _composed(convert: Callable[[Any], Any] | None, finish: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """From a column's value to the answer's, or ODD."""
    if convert is None or getattr(convert, "finished", False):
        return convert or finish
    return lambda value: finish(convert(value))


# --- from a plan to code -------------------------------------------------------------------------------


def _odd() -> Any:
    raise Odd


def _generate(fields: list[_Field], lists: int, shape: Shape) -> Callable[..., list[dict[str, Any]]]:
    """A function of the rows and of the finished lists below them. Names from outside enter as values only."""
    known: dict[str, Any] = {"odd": _odd, "ODD": ODD}
    body: list[str] = []
    members: list[str] = []
    for number, field in enumerate(fields):
        known[f"n{number}"] = field.name
        members.append(f"n{number}: {_member(field, number, shape, known, body)}")
    inner = "".join(f", b{place}" for place in range(lists))
    over = f"zip(rows{inner})" if lists else "rows"
    target = "r" + "".join(f", i{place}" for place in range(lists))
    lines = [f"def encode(rows{inner}):", " out = []", f" for {target} in {over}:", *body]
    source = "\n".join([*lines, f"  out.append({{{', '.join(members)}}})", " return out"])
    exec(compile(source, "<compiled selection>", "exec"), known)  # noqa: S102 - made of numbers and our own words
    made: Callable[..., list[dict[str, Any]]] = known["encode"]
    return made


def _member(field: _Field, number: int, shape: Shape, known: dict[str, Any], body: list[str]) -> str:
    if field.constant is not None:
        known[f"c{number}"] = field.constant
        return f"c{number}"
    if field.place >= 0:
        return f"i{field.place}"
    known[f"k{number}"], known[f"f{number}"] = field.key, field.finish
    read = f"r[k{number}]" if shape == "row" else f"getattr(r, k{number})"
    body.append(f"  v{number} = {read}")
    value = f"v{number}"
    absent = "None" if field.nullable else "odd()"
    if field.text:
        return f"{value} if type({value}) is str else {absent} if {value} is None else odd()"
    done = f"(d{number} if (d{number} := f{number}({value})) is not ODD else odd())"
    return f"{done} if {value} is not None else {absent}"
