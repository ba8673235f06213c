"""A schema with everything in it that an executor may get wrong, and the queries that look for it."""

import asyncio
import datetime
import decimal
import enum
import uuid
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import strawberry


@strawberry.enum
class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@strawberry.interface
class Thing:
    number: int


@strawberry.type
class Leaf:
    text: str = "leaf"


@strawberry.type
class Other(Thing):
    other: str = "other"


@strawberry.type
class Item(Thing):
    text: str
    share: float
    flag: bool
    colour: Colour
    colours: list[Colour]
    maybe: str | None
    at: datetime.datetime
    price: decimal.Decimal
    key: uuid.UUID
    numbers: list[int]
    texts: list[str]
    holes: list[str | None]
    grid: list[list[int]]
    leaf: Leaf
    no_leaf: Leaf | None
    leaves: list[Leaf]
    thing: Thing | None = None
    bad_number: int | None = 0
    bad_required: int = 0
    bad_text: str | None = ""
    bad_list: list[int] | None = None

    @strawberry.field
    async def slow(self) -> int:
        await asyncio.sleep(0)
        return self.number

    @strawberry.field
    async def slow_leaf(self) -> Leaf:
        await asyncio.sleep(0)
        return Leaf()

    @strawberry.field
    async def fails_slowly(self) -> int | None:
        await asyncio.sleep(0)
        raise ValueError("slow")

    @strawberry.field
    def fails(self) -> int | None:
        raise ValueError("fast")

    @strawberry.field
    def fails_hard(self) -> int:
        raise ValueError("hard")

    @strawberry.field
    async def fails_hard_slowly(self) -> int:
        raise ValueError("hard and slow")

    @strawberry.field
    def child(self) -> "Item":
        return item(self.number + 1)

    @strawberry.field
    def told(self, x: int = 3, y: str | None = None) -> str:
        return f"{x}{y}"


def item(number: int, **changes: Any) -> Item:
    given: dict[str, Any] = {
        "number": number,
        "text": f"text {number}",
        "share": number / 2,
        "flag": bool(number % 2),
        "colour": Colour.RED,
        "colours": [Colour.RED, Colour.BLUE],
        "maybe": None if number % 2 else "there",
        "at": datetime.datetime(2025, 11, 2, tzinfo=datetime.UTC),
        "price": decimal.Decimal("1.50"),
        "key": uuid.UUID(int=number),
        "numbers": [1, 2],
        "texts": ["a", "b"],
        "holes": ["a", None],
        "grid": [[1], [2, 3], []],
        "leaf": Leaf(),
        "no_leaf": None,
        "leaves": [Leaf(), Leaf(text="second")],
        "thing": Other(number=number),
    }
    return Item(**given | changes)


async def later(value: Any) -> Any:
    return value


BAD: dict[str, dict[str, Any]] = {
    "big": {"bad_number": 2**40, "bad_required": 2**40},
    "text_for_int": {"bad_number": "x", "bad_required": "x"},
    "whole_float": {"number": 3.0, "share": 2, "bad_required": 2.0},
    "int_for_text": {"text": 5, "bad_text": 5, "texts": [1, "b"]},
    "bool_for_int": {"bad_number": True, "number": True, "text": True},
    "int_for_bool": {"flag": 1},
    "nan": {"share": float("nan")},
    "infinite": {"share": float("inf")},
    "null_text": {"text": None},
    "null_leaf": {"leaf": None},
    "null_list": {"texts": None, "leaves": None},
    "null_in_list": {"texts": ["a", None], "leaves": [Leaf(), None], "numbers": [1, None]},
    "no_list": {"bad_list": 5, "texts": "ab", "leaves": 3},
    "colour": {"colour": "green", "colours": [Colour.RED, "green"]},
    "exception": {"text": ValueError("value"), "maybe": ValueError("value"), "leaf": ValueError("value")},
    "exception_in_list": {"texts": ["a", ValueError("in list")], "leaves": [ValueError("in list")]},
    "tuples": {"texts": ("a", "b"), "numbers": (1, 2), "leaves": (Leaf(),)},
    "sets_and_generators": {"texts": {"a"}, "numbers": range(3)},
    "leaf_of_wrong_type": {"leaf": 5, "thing": Leaf()},
    "object_for_text": {"text": object, "maybe": {"a": 1}},
    "text_for_uuid": {"key": "abc", "price": "12", "at": "2025"},
}


@strawberry.type
class Query:
    @strawberry.field
    async def items(self, count: int = 3) -> list[Item]:
        return [item(number) for number in range(count)]

    @strawberry.field
    def sparse(self) -> list[Item | None]:
        return [item(1), None, item(2, text=None)]

    @strawberry.field
    def bad(self, how: str) -> Item | None:
        return item(1, **BAD[how])

    @strawberry.field
    def bad_hard(self, how: str) -> Item:
        return item(1, **BAD[how])

    @strawberry.field
    def awaitable(self) -> Item:
        return item(1, text=later("awaited"), leaf=later(Leaf(text="awaited")), maybe=later(None))

    @strawberry.field
    def things(self) -> list[Thing]:
        return [item(1), Other(number=2)]

    @strawberry.field
    def either(self) -> list[Annotated[Item | Other, strawberry.union("Either")]]:
        return [item(1), Other(number=2)]

    @strawberry.field
    def grid(self) -> list[list[Item]]:
        return [[item(1)], [], [item(2), item(3)]]

    @strawberry.field
    async def stream(self) -> AsyncGenerator[int, None]:
        for number in range(3):
            yield number

    leaf: Leaf | None = None


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def first(self) -> Item:
        return item(1)

    @strawberry.mutation
    def second(self) -> Item | None:
        raise ValueError("second")


_ALL = "number text share flag colour colours maybe at price key numbers texts holes grid"
_OBJECTS = "leaf { text } noLeaf { text } leaves { text __typename } thing { number __typename ... on Other { other } }"
_QUERIES = [
    f"{{ items {{ {_ALL} }} }}",
    f"{{ items {{ {_ALL} {_OBJECTS} }} }}",
    "{ items { __typename alias: __typename number } __typename }",
    "{ items { a: number b: number number text2: text } }",
    "{ items { ...F ... on Item { share } ... { flag } } } fragment F on Item { text child { slow child { text } } }",
    "{ items { ...F } } fragment F on Thing { number ... on Item { text } ... on Other { other } }",
    "{ items { number slow failsSlowly } }",
    "{ items { number fails } }",
    "{ items { number failsHard } }",
    "{ items { failsHardSlowly number } }",
    "{ items { slow fails failsHard failsSlowly failsHardSlowly } }",
    "{ items { leaf { text } slowLeaf { text } child { failsHard } } }",
    "{ items { child { slow leaf { text } child { failsSlowly } } } }",
    "{ sparse { number text } }",
    "{ sparse { number maybe } }",
    "{ awaitable { text leaf { text } maybe number } }",
    "{ things { number __typename ... on Item { text } ... on Other { other } } }",
    "{ either { __typename ... on Item { text leaf { text } } ... on Other { other number } } }",
    "{ grid { number leaf { text } } }",
    '{ items { told b: told(x: 5) c: told(y: null) d: told(x: 1, y: "z") } }',
    "query($x: Int) { items { told(x: $x) } }",
    "query($x: Int = 9) { items { told(x: $x) } }",
    "query($x: Int!) { items { told(x: $x) } }",
    "query($s: Boolean!) { items { number @skip(if: $s) text @include(if: $s) leaf @include(if: $s) { text } } }",
    "query($s: Boolean!) { items { ...F @skip(if: $s) ... @include(if: $s) { flag } } } fragment F on Item { text }",
    "query($s: Boolean!) { items @skip(if: $s) { number } __typename @include(if: $s) }",
    "{ items { leaf { text } leaf { t: text } leaf { __typename } } }",
    "{ items { ...A ...B } } fragment A on Item { leaf { text } } fragment B on Item { leaf { b: text } number }",
    "{ items(count: 0) { number } }",
    "{ leaf { text } }",
    "mutation { first { number leaf { text } } second { number } again: first { text } }",
    "mutation { second { number } first { slow failsHard } }",
    "{ __schema { queryType { name fields { name args { name defaultValue } type { kind ofType { name } } } } } }",
    '{ __type(name: "Item") { name kind interfaces { name } fields { name } possibleTypes { name } } }',
    '{ __type(name: "Colour") { enumValues { name isDeprecated } } nothing: __type(name: "Nothing") { name } }',
    "query A { items { number } }",
    '{ bad(how: "unknown") { number } }',
    "query @experimental_disableErrorPropagation { items { failsHard number } }",
]
_BAD_FIELDS = {
    "big": "badNumber badRequired",
    "text_for_int": "badNumber badRequired",
    "whole_float": "number share badRequired",
    "int_for_text": "text badText texts",
    "bool_for_int": "badNumber number text",
    "int_for_bool": "flag",
    "nan": "share",
    "infinite": "share",
    "null_text": "text",
    "null_leaf": "leaf { text }",
    "null_list": "texts leaves { text }",
    "null_in_list": "texts numbers leaves { text }",
    "no_list": "badList texts leaves { text }",
    "colour": "colour colours",
    "exception": "text maybe leaf { text }",
    "exception_in_list": "texts leaves { text }",
    "tuples": "texts numbers leaves { text }",
    "sets_and_generators": "texts numbers",
    "leaf_of_wrong_type": "leaf { text } thing { number }",
    "object_for_text": "text maybe",
    "text_for_uuid": "key price at",
}


def _bad_queries() -> list[str]:
    queries = []
    for how, fields in _BAD_FIELDS.items():
        queries.append(f'{{ bad(how: "{how}") {{ {fields} }} }}')
        queries.append(f'{{ badHard(how: "{how}") {{ slow {fields} failsSlowly }} items {{ number }} }}')
        first = fields.partition(" ")[0] if "{" not in fields else fields
        queries.append(f'{{ bad(how: "{how}") {{ x: {first} }} }}')
    return queries


VARIABLES: list[dict[str, Any]] = [{}, {"s": True, "x": 7}, {"s": False, "x": None}]
QUERIES = _QUERIES + _bad_queries()
