"""Lists of rows answered column by column: one look at each column, one load for each edge below, one loop for a list.

A selection is compiled once for each document (graph.compiling). The plan takes only what is beyond doubt; at the
first odd value (a null where none may be, another type, an exception) it gives up, and graphql-core walks the
list, so that answers and errors are graphql-core's to the letter. What was loaded with the columns of a plan is loaded
again for that walk; what failed is not asked for twice.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from graphql import GraphQLObjectType

from graph.edges import Edge
from graph.leaf_columns import FinishColumn, Odd, Values
from graph.loaders import RowLoader
from graph.request import GraphContext
from graph.rows import shape_of

Answers = list[Any]
#: The rows' values by column, in the order of a plan's keys.
Columns = Sequence[Values]


class Leaf(NamedTuple):
    """A plain field: where its column stands among the plan's keys, and what makes its values ready."""

    place: int
    finish: FinishColumn


class Below(NamedTuple):
    """An edge or an object inside of a compiled list. `edge` None: the object is read from the row itself.

    `place` is where the column of its keys stands. `columns` are what a RowLoader is asked for: all that its loads at
    this level read.
    """

    plan: "RowPlan"
    edge: Edge | None
    place: int
    nullable: bool
    columns: tuple[str, ...] = ()


class RowPlan:
    """How a list of one type is answered. `keys` are the columns that it reads."""

    __slots__ = ("_assemble", "_leaves", "_picks", "below", "keys", "kind", "loads")

    def __init__(
        self,
        kind: GraphQLObjectType,
        members: Sequence[tuple[str, str]],
        keys: Sequence[str],
        leaves: Sequence[Leaf],
        below: Sequence[Below],
    ) -> None:
        self.kind, self.keys, self.below = kind, tuple(keys), _sharing(below)
        self.loads: bool = any(item.edge is not None or item.plan.loads for item in below)
        self._leaves = tuple(leaves)
        self._assemble = _assembler(kind.name, members, len(leaves), len(below))
        self._picks = {"row": _pick(itemgetter, self.keys), "object": _pick(attrgetter, self.keys)}

    def answer(self, rows: Sequence[Any]) -> Answers:
        """Where nothing must be loaded. Raises Odd, or what reading a row raises."""
        columns = self._read(rows)
        return self._encode(rows, columns, [self._inside(item, columns) for item in self.below])

    async def load_and_answer(self, graph: GraphContext, rows: Sequence[Any]) -> Answers:
        """Where edges are loaded, all of a level at once. Raises Odd, or what a loader raises."""
        return await self._answer_columns(graph, rows, self._read(rows))

    async def _answer_columns(self, graph: GraphContext, rows: Sequence[Any], columns: Columns) -> Answers:
        asked = [_asked(graph, item, columns[item.place]) for item in self.below]
        inner = [
            await _followed(graph, item, columns[item.place], found)
            for item, found in zip(self.below, asked, strict=True)
        ]
        return self._encode(rows, columns, inner)

    async def answer_loaded(self, graph: GraphContext, rows: Sequence[Any], columns: Mapping[str, Values]) -> Answers:
        """Rows of one statement, and their columns by name."""
        if not rows:
            return []
        self._check(rows)
        return await self._answer_columns(graph, rows, [columns[key] for key in self.keys])

    def _encode(self, rows: Sequence[Any], columns: Columns, inner: list[Answers]) -> Answers:
        return self._assemble(rows, *[leaf.finish(columns[leaf.place]) for leaf in self._leaves], *inner)

    def _check(self, rows: Sequence[Any]) -> str:
        """The shape of the rows, which are all of one kind and of the plan's type beyond doubt."""
        kinds = set(map(type, rows))
        shape = shape_of(kinds.pop())
        if kinds or shape == "instance" or not _is_of(self.kind, rows[0]):
            raise Odd
        return shape

    def _read(self, rows: Sequence[Any]) -> Columns:
        return self._picks[self._check(rows)](rows)

    def _inside(self, item: Below, columns: Columns) -> Answers:
        values = columns[item.place]
        if None in values:
            raise Odd
        return item.plan.answer(values)


def _is_of(kind: GraphQLObjectType, row: Any) -> bool:
    return kind.is_type_of is None or kind.is_type_of(row, None) is True  # type: ignore[arg-type]


def _sharing(below: Sequence[Below]) -> tuple[Below, ...]:
    """Loads of the same rows at one level ask for the columns of all of them, so that they are one load."""
    wanted: dict[Any, dict[str, None]] = {}
    for item in below:
        if item.edge is not None:
            wanted.setdefault((item.edge.loader, item.place), {}).update(dict.fromkeys(item.plan.keys))
    return tuple(
        item if item.edge is None else item._replace(columns=tuple(wanted[item.edge.loader, item.place]))
        for item in below
    )


# --- what stands below ---------------------------------------------------------------------------------


def _asked(graph: GraphContext, item: Below, keys: Values) -> Any:
    """What is awaited later, so that the loads of a level run beside each other."""
    if item.edge is None:
        return None
    loader = item.edge.loader
    if isinstance(loader, RowLoader):
        wanted = dict.fromkeys(keys)
        wanted.pop(None, None)
        return loader.rows(graph, tuple(wanted), item.columns)
    return [None if key is None else loader.load(graph, key) for key in keys]


async def _followed(graph: GraphContext, item: Below, keys: Values, asked: Any) -> Answers:
    if item.edge is None:
        if None in keys:
            raise Odd
        return await _answered(graph, item.plan, keys)
    if isinstance(item.edge.loader, RowLoader):
        return await _rows_of_each(graph, item, item.edge, keys, await asked)
    found = [None if future is None else await future for future in asked]
    return await (_many(graph, item.plan, found) if item.edge.many else _one_each(graph, item, found))


async def _answered(graph: GraphContext, plan: RowPlan, rows: Sequence[Any]) -> Answers:
    if not rows:
        return []
    return await plan.load_and_answer(graph, rows) if plan.loads else plan.answer(rows)


async def _rows_of_each(graph: GraphContext, item: Below, edge: Edge, keys: Values, rows: list[Any]) -> Answers:
    """Rows of one statement, the owner in their last column, given to their parents."""
    found = list(zip(*rows, strict=True))
    done = await item.plan.answer_loaded(graph, rows, dict(zip(item.columns, found, strict=False)))
    owners = found[-1] if rows else ()
    if not edge.many:
        return _fitting(item, list(map(dict(zip(owners, done, strict=True)).get, keys)))
    parted: dict[Any, Answers] = {key: [] for key in keys}
    for owner, one in zip(owners, done, strict=True):
        parted[owner].append(one)
    return [parted[key] for key in keys]


def _fitting(item: Below, found: Answers) -> Answers:
    if None in found and not item.nullable:
        raise Odd
    return found


async def _many(graph: GraphContext, plan: RowPlan, lists: list[Any]) -> Answers:
    """All children in one loop, then given back to their parents."""
    flat = [row for rows in lists if rows for row in rows]
    done = await _answered(graph, plan, flat)
    parted, start = [], 0
    for rows in lists:
        end = start + (len(rows) if rows else 0)
        parted.append(done[start:end])
        start = end
    return parted


async def _one_each(graph: GraphContext, item: Below, found: list[Any]) -> Answers:
    present = [row for row in found if row is not None]
    done = iter(await _answered(graph, item.plan, present))
    return _fitting(item, [None if row is None else next(done) for row in found])


# --- from a plan to code -------------------------------------------------------------------------------


def _pick(getter: Callable[..., Callable[[Any], Any]], keys: Sequence[str]) -> Callable[[Sequence[Any]], Columns]:
    """Reads the columns of rows by their names."""
    if len(keys) == 1:
        return lambda rows: [list(map(getter(*keys), rows))]
    return lambda rows: list(zip(*map(getter(*keys), rows), strict=True)) if keys else []


def _assembler(
    type_name: str, members: Sequence[tuple[str, str]], leaves: int, below: int
) -> Callable[..., list[dict[str, Any]]]:
    """A function of the rows, the columns of leaves and those of what is below. Names enter as values only."""
    slots = [*(f"l{number}" for number in range(leaves)), *(f"b{number}" for number in range(below))]
    given = ", ".join(["rows", *(f"{slot}s" for slot in slots)])
    known: dict[str, Any] = {"t": type_name, **{f"n{number}": name for number, (name, _) in enumerate(members)}}
    row = ", ".join(f"n{number}: {slot}" for number, (_, slot) in enumerate(members))
    each = "".join(f"{slot}, " for slot in ["r", *slots])
    source = f"def assemble({given}):\n return [{{{row}}} for {each}in zip({given}, strict=True)]"
    exec(compile(source, "<compiled selection>", "exec"), known)  # noqa: S102 - made of numbers and our own words
    made: Callable[..., list[dict[str, Any]]] = known["assemble"]
    return made
