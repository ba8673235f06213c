"""Deep pages and searches by the order in memory: to the row what a count, LIKE and OFFSET of the database say."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.database import Statement
from services.changes import break_off_changes
from services.paging import OffsetPage, OffsetRequest
from services.people import moves
from services.people.curating import set_person_visibility
from services.people.names import fold_query
from services.people.order_rows import ORDER
from services.people.ordering import ListedOrder, Sizes
from services.people.reading import LISTED, list_people, listed_page
from tests.runtime.records import person
from tests.world import World

SMALL = Sizes(block=3, plain=0, skipped=0)
LETTERS = "aAáâbßİıΣςşzZ -'%_!\\01字山🦀"
QUERIES = ["a", "z", "%", "_", "!", "\\", "0000", "x", "山", "🦀", "aa", "ss", "σ", "ana b", "nobody at all"]
Step = Callable[[World], Awaitable[object]]

_SOMEBODY = Statement("SELECT id FROM person WHERE tenant = {tenant} ORDER BY id LIMIT 1 OFFSET {place}")


@pytest_asyncio.fixture(loop_scope="session")
async def order(world: World) -> AsyncIterator[ListedOrder]:
    order = ListedOrder(world.runtime.database, SMALL)
    order.learn(world.tenant, 1)
    yield order
    await order.close()


async def plain(world: World, page: int, size: int, query: str) -> OffsetPage:
    asked = OffsetRequest(page=page, per_page=size, q=query)
    return await listed_page(world.context(), LISTED, "people", asked, ORDER)


async def same(world: World, order: ListedOrder, query: str, page: int, size: int) -> None:
    """One page by memory is the page by the database."""
    offset, folded = (page - 1) * size, fold_query(query)
    if folded:
        found = await order.search(world.tenant, LISTED, folded, offset, size)
    else:
        found = await order.page(world.tenant, LISTED, offset, size)
    expected = await plain(world, page, size, query)
    if found is None:  # page 1 is the database's own
        assert not folded and offset == 0
        return
    assert found.total == expected.total, query
    assert [row["orcid_id"] for row in found.rows] == [row["orcid_id"] for row in expected.rows], query


def take_in(number: int, name: str) -> Step:
    return lambda world: world.people(person(number, name))


def show(place: int, visible: bool) -> Step:
    async def run(world: World) -> None:
        rows = await world.runtime.database.fetch(_SOMEBODY, tenant=world.tenant, place=place)
        if rows:
            await set_person_visibility(world.context(), rows[0]["id"], visible)

    return run


names = st.text(LETTERS, min_size=1, max_size=9).filter(str.strip)
steps = st.lists(
    st.one_of(
        st.builds(take_in, st.integers(1, 30), names),
        st.builds(show, st.integers(0, 20), st.booleans()),
    ),
    min_size=1,
    max_size=12,
)
CALM = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@CALM
@given(steps=steps, typed=st.text(LETTERS, min_size=1, max_size=3), size=st.integers(1, 4))
async def test_pages_by_memory_are_pages_by_the_database(
    world: World, order: ListedOrder, steps: list[Step], typed: str, size: int
) -> None:
    """After every change, for queries of any letters and wildcards, and for each page."""
    for step in steps:
        await step(world)
        for query in ("", typed, random.Random(size).choice(QUERIES)):
            for page in range(1, 5):
                await same(world, order, query, page, size)


async def test_every_query_and_every_page(world: World, order: ListedOrder) -> None:
    """Wildcards are letters; a query of one letter, of an iD and of no hit are counted exactly."""
    chance = random.Random(3)
    made = [person(n, "".join(chance.choices(LETTERS, k=chance.randint(1, 9))) + "a") for n in range(1, 60)]
    await world.people(*made, person(70, {"en": "Ana", "pt": "Açaí", "ja": "山田"}))
    for query in QUERIES:
        for page in (1, 2, 7, 20, 21):
            await same(world, order, query, page, 3)
    for page in range(2, 24):
        await same(world, order, "", page, 3)


async def test_pages_stay_exact_while_people_come_and_go(world: World, order: ListedOrder) -> None:
    """Each page that was read among writers is one that was true at a moment, and at rest all agree."""
    await world.people(*(person(n, f"Ana {n:03d}") for n in range(1, 41)))

    async def write(first: int) -> None:
        for number in range(first, first + 10):
            await world.people(person(number, f"Bea {number:03d}"))

    async def read() -> None:
        for _ in range(30):
            found = await order.search(world.tenant, LISTED, "a", 20, 5)
            deep = await order.page(world.tenant, LISTED, 20, 5)
            for one in (found, deep):
                assert one is None or (40 <= one.total <= 60 and len(one.rows) == 5)
            await asyncio.sleep(0)

    await asyncio.gather(write(100), write(200), read(), read())
    for query in ("", "a", "bea"):
        await same(world, order, query, 5, 5)


async def test_a_transaction_reads_its_own_rows(world: World, order: ListedOrder) -> None:
    """What a transaction wrote and took back is never held."""
    await world.people(*(person(n, f"Ana {n}") for n in range(1, 8)))
    await same(world, order, "ana", 1, 3)
    with pytest.raises(LookupError):
        async with world.runtime.database.transaction():
            await world.people(person(20, "Ana Z"))
            assert await order.search(world.tenant, LISTED, "ana", 0, 3) is None
            assert (await plain(world, 1, 3, "ana")).total == 8
            raise LookupError
    await same(world, order, "ana", 1, 3)


async def test_forgotten_moves_make_it_begin_anew(
    world: World, order: ListedOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has read up to before the moves that are kept, or before a restored state, reads all again."""
    monkeypatch.setattr(moves, "KEPT", 3)
    await world.people(*(person(n, f"Ana {n}") for n in range(1, 8)))
    await same(world, order, "ana", 1, 3)
    for number in range(10, 22):
        await world.people(person(number, f"Ana {number}"))
    assert await moves.forget_moves(world.runtime.database) > 0
    await same(world, order, "ana", 2, 3)
    await break_off_changes(world.runtime.database, world.runtime.clock.now_ms())
    await same(world, order, "ana", 3, 3)
    monkeypatch.setattr(moves, "MOST_AT_ONCE", 2)
    await world.people(*(person(n, f"Ana {n}") for n in range(30, 36)))
    await same(world, order, "ana", 4, 3)


async def test_the_operation_reads_by_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """`list_people` answers a long list by memory and a short one by the database, with one result."""
    await world.people(*(person(n, f"Ana {n:02d}") for n in range(1, 30)))
    asked = [OffsetRequest(page=page, per_page=5, q=query) for page in (1, 3, 6, 9) for query in ("", " ANA 1", "zz")]
    short = [await list_people(world.context(), one) for one in asked]
    held = ListedOrder(world.runtime.database, SMALL)
    monkeypatch.setattr(world.runtime, "listed_order", held)
    for before, one in zip(short, asked, strict=True):
        found = await list_people(world.context(), one)
        assert isinstance(before, OffsetPage)
        assert isinstance(found, OffsetPage)
        assert found.total == before.total
        assert [tuple(row)[:6] for row in found.rows] == [tuple(row)[:6] for row in before.rows]
    await held.close()
