"""A filter finds on SQLite and PostgreSQL the rows that it finds in memory, whatever the expression."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from app.database import bind
from app.errors import ValidationFailed
from app.ids import new_id
from models.integrations import IntegrationExecution
from models.piccolo_app import TABLES
from services.filters.expression import read_filter
from services.filters.fields import BOOLEAN, TEXT, Field
from services.integrations.execution.reading import EXECUTIONS
from services.offset_lists import list_page
from services.paging import OffsetRequest
from tests.runtime.platform import Platform
from tests.services.filters.oracle import passes
from tests.world import World

LISTING = EXECUTIONS._replace(fields={**EXECUTIONS.fields, "failed": Field("(code IS NOT NULL)", BOOLEAN)})
#: A database may sort its texts by a language, as ICU does for English here.
ENGLISH = LISTING._replace(fields={**LISTING.fields, "method": Field('(method COLLATE "en-x-icu")', TEXT)})
NAMES = {name: name for name in LISTING.fields}
#: Letters of two cases, wildcards of LIKE, GLOB and regular expressions, two forms of é, and characters whose order
#: differs by UTF-16, by UTF-8 and by the collations of most languages.
TEXTS = [
    "", "a", "A", "b", "ab", "a b", "ä", "Ä", "é", "e\u0301", "ß", "ss", "%", "_", "\\", "a%b", "a\\b", "*", "?",
    "[a]", "]", "^", "-", ".", "a\nb", "1", "01", "null", "true", "\ufffd", "\uff5e", "\U00010000", "😀",
    "{tenant}", "' OR 1=1",
]  # fmt: skip
NUMBERS = [0, 1, -1, 9, 200, 2**31 - 1, -(2**31)]
INSTANTS = [0, -1, 999, 1_762_050_000_000, 1_762_050_000_001, -62_135_596_800_000 + 14 * 3_600_000, 253_402_214_400_000]
SIDE_EFFECTS = ["read", "write", "delete", "send"]


async def rows_of(world: World) -> list[dict[str, Any]]:
    """A row for each text and more, stored and as the expressions name their columns."""
    instance = (await Platform(world).instance())["id"]
    rows = []
    for number, (text, other) in enumerate(product(TEXTS, (None, "a", "b%"))):
        rows.append({
            "id": new_id(), "instance": instance, "method": text, "side_effect": SIDE_EFFECTS[number % 4],
            "outcome": "success", "code": other, "error": None if number % 3 else text, "host": TEXTS[-number % 7],
            "status_code": None if number % 5 == 0 else NUMBERS[number % 7], "latency_ms": NUMBERS[number % 6],
            "attempts": number, "request_id": str(number), "actor_kind": "user", "actor_id": text, "surface": "rest",
            "at": INSTANTS[number % 7],
        })  # fmt: skip
    await IntegrationExecution.of(world.tenant).insert(*rows)
    return [{**row, "id": str(row["id"]), "failed": row["code"] is not None} for row in rows]


def _written(ms: int, offset: int) -> str:
    zone = timezone(timedelta(minutes=offset))
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    text = at.astimezone(zone).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _comparisons(value: st.SearchStrategy[Any], operators: list[str], *, nullable: bool = False) -> Any:
    maybe = st.one_of(st.none(), value) if nullable else value
    operands = {"eq": maybe, "ne": maybe, "in": st.lists(maybe, min_size=1, max_size=4), "like": PATTERNS}
    operands |= dict.fromkeys(["gt", "gte", "lt", "lte"], value)
    one = st.sampled_from(operators).flatmap(lambda name: st.fixed_dictionaries({name: operands[name]}))
    two = st.lists(st.sampled_from(operators), min_size=2, max_size=2, unique=True)
    both = two.flatmap(lambda names: st.fixed_dictionaries({name: operands[name] for name in names}))
    return st.one_of(maybe, one, one, both)


EQUAL, ORDERED = ["eq", "ne", "in"], ["gt", "gte", "lt", "lte"]
_PIECES = ["%", "_", "a", "A", "ä", "\\%", "\\_", "\\\\", "*", "?", "[", "]", "😀"]
PATTERNS = st.lists(st.sampled_from(_PIECES), max_size=5).map("".join)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3)
SOME_TEXT = st.one_of(st.sampled_from(TEXTS), ANY_TEXT)
NUMBER = st.one_of(st.sampled_from(NUMBERS), st.sampled_from([2**63 - 1, -(2**63), 2**31]))
AT = st.builds(_written, st.sampled_from(INSTANTS), st.sampled_from([0, 0, 330, -480]))
FIELDS = {
    "method": _comparisons(SOME_TEXT, [*EQUAL, *ORDERED, "like"]),
    "error": _comparisons(SOME_TEXT, [*EQUAL, *ORDERED, "like"], nullable=True),
    "code": _comparisons(SOME_TEXT, [*EQUAL, *ORDERED, "like"], nullable=True),
    "status_code": _comparisons(NUMBER, [*EQUAL, *ORDERED], nullable=True),
    "latency_ms": _comparisons(NUMBER, [*EQUAL, *ORDERED]),
    "at": _comparisons(AT, [*EQUAL, *ORDERED]),
    "side_effect": _comparisons(st.sampled_from(SIDE_EFFECTS), EQUAL),
    "failed": _comparisons(st.booleans(), EQUAL),
}
NAMED = st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=3, unique=True)
PLAIN = NAMED.flatmap(lambda names: st.fixed_dictionaries({name: FIELDS[name] for name in names}))


def _deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    group = st.lists(inner, min_size=1, max_size=3)
    one = st.one_of(st.fixed_dictionaries({"or": group}), st.fixed_dictionaries({"and": group}))
    return st.one_of(inner, one, st.builds(lambda a, b: a | b, one, PLAIN))


def _leaves(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(_leaves, value))
    members = value.items()
    return sum(_leaves(v) if name in ("and", "or") else len(v) if isinstance(v, dict) else 1 for name, v in members)


def _trimmed(value: Any) -> Any:
    """The same with as many of its comparisons as an expression may have."""
    while _leaves(value) > 20:
        name = next(name for name in value if name in ("and", "or"))
        value = {name: value[name][1:]} if len(value[name]) > 1 else value[name][0]
    return value


EXPRESSIONS = _deeper(_deeper(_deeper(PLAIN))).map(_trimmed)


class Kept(NamedTuple):
    """The rows of one engine, made once for all examples."""

    world: World
    rows: list[dict[str, Any]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kept(application: Any) -> Kept:
    app, client = application
    bind(app.runtime.database, TABLES)
    world = await World(app, client).open()
    return Kept(world, await rows_of(world))


async def found_of(kept: Kept, expression: Any) -> set[str]:
    where = read_filter(json.dumps(expression), NAMES)
    listing = ENGLISH if kept.world.runtime.database.dialect == "postgres" else LISTING
    page = await list_page(kept.world.context(), listing, OffsetRequest(per_page=1_000, where=where))
    assert page.total == len(page.rows)
    return {str(row["id"]) for row in page.rows}


@given(expression=EXPRESSIONS)
@settings(max_examples=250)
async def test_it_finds_what_it_means(kept: Kept, expression: Any) -> None:
    """Every expression finds the rows for which it is true in memory; its complement is never half of them."""
    assert await found_of(kept, expression) == {row["id"] for row in kept.rows if passes(expression, row)}


async def test_each_text_against_each(kept: Kept) -> None:
    """Equality, order and patterns of every pair of awkward texts, one statement for each text."""
    for text in TEXTS:
        literal = "".join(f"\\{char}" if char in "%_\\" else char for char in text)
        for asked in ({"eq": text}, {"gt": text}, {"lte": text}, {"like": literal}, {"like": f"%{literal}%"}):
            expression = {"method": asked}
            assert await found_of(kept, expression) == {row["id"] for row in kept.rows if passes(expression, row)}


async def test_not_equal_is_the_complement_of_equal(kept: Kept) -> None:
    """A row without a value is another than any value: no row is lost between the two."""
    for name, value in (("error", "a"), ("status_code", 200), ("code", None), ("at", "1970-01-01T00:00:00Z")):
        equal, other = await found_of(kept, {name: value}), await found_of(kept, {name: {"ne": value}})
        assert not equal & other and len(equal | other) == len(kept.rows) and equal and other


async def test_ids(kept: Kept) -> None:
    some = [row["id"] for row in kept.rows[:3]]
    assert await found_of(kept, {"id": {"in": [some[0].upper(), *some[1:]]}}) == set(some)
    assert await found_of(kept, {"id": some[0]}) == {some[0]}
    assert len(await found_of(kept, {"id": {"ne": some[0]}})) == len(kept.rows) - 1


@pytest.mark.parametrize("sort", ["--name", "-", "name,name", "-name,name", "name,"])
async def test_each_name_of_a_sort_stands_once_with_one_minus(kept: Kept, sort: str) -> None:
    """Also below the surfaces, which check it first."""
    with pytest.raises(ValidationFailed) as refused:
        await list_page(kept.world.context(), LISTING, OffsetRequest(sort=sort))
    assert "sort" in str(refused.value.details)
