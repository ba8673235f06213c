"""Walks: reserved by page 1, bounded in pages, tries and time."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.clock import SECOND, SettableClock
from app.ids import new_id
from app.shared_bus import connect
from services.leases import GOOD_SECONDS
from services.shared_walks import RedisWalks, _name
from services.walks import Cover, MemoryWalks, WalkKey, Walks
from tests.databases import required_redis_url  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("patient_redis")


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
async def walks(request: pytest.FixtureRequest, clock: SettableClock) -> AsyncIterator[Walks]:
    """In memory and in Redis: one behaviour."""
    alone = MemoryWalks(clock, ceiling=10, seconds=60)
    if request.param == "memory":
        yield alone
        return
    redis = connect(request.getfixturevalue("required_redis_url"))
    yield RedisWalks(redis, alone)
    await redis.aclose()


@pytest.fixture
def key() -> WalkKey:
    return (new_id(), "integrations/v1", "/people?")


@pytest.mark.parametrize(("pages", "reserved"), [(0, 0), (1, 0), (2, 1), (10, 9), (11, 10), (12, 10), (1_000_000, 10)])
async def test_what_page_one_reserves(pages: int, reserved: int, walks: Walks, key: WalkKey) -> None:
    """The pages after the first, up to the ceiling; a list of one page begins no walk."""
    assert await walks.begin(key, pages) == reserved
    assert bool(await walks.covers(key, 2)) == (reserved > 0)


async def test_which_pages_are_covered(walks: Walks, key: WalkKey) -> None:
    """Pages 2 to the last, one of slack for a list that grows, and none beyond; never page 1."""
    await walks.begin(key, 4)
    assert [page for page in range(0, 8) if await walks.covers(key, page)] == [2, 3, 4, 5]


async def test_each_page_may_be_tried_twice(walks: Walks, key: WalkKey) -> None:
    """A page may be asked for again after a timeout, and the walk as a whole twice its length."""
    await walks.begin(key, 4)
    found = [await walks.covers(key, 2) for _ in range(50)]
    assert found == [Cover.PAID] * 3 + [Cover.UNPAID] * 3 + [Cover.NONE] * 44


async def test_a_walk_ends_in_time(clock: SettableClock, key: WalkKey) -> None:
    """After the window nothing is covered, and the next page 1 pays in full."""
    walks = MemoryWalks(clock, ceiling=10, seconds=60)
    await walks.begin(key, 4)
    clock.advance(60 * SECOND)
    assert not await walks.covers(key, 2)
    assert await walks.begin(key, 4) == 3


@pytest.mark.redis
async def test_a_shared_walk_ends_in_time(clock: SettableClock, key: WalkKey, required_redis_url: str) -> None:  # noqa: F811
    """The same in Redis, whose clock is its own."""
    redis = connect(required_redis_url)
    walks = RedisWalks(redis, MemoryWalks(clock, ceiling=10, seconds=3))
    await walks.begin(key, 4)
    assert await walks.covers(key, 2)
    async with asyncio.timeout(60):
        while await redis.exists("dovetail:walk:" + _name(key)):  # noqa: ASYNC110 - Redis tells nobody of it
            await asyncio.sleep(0.1)
    assert not await walks.covers(key, 2)
    await redis.aclose()


async def test_a_walk_goes_on_while_redis_is_away(clock: SettableClock, key: WalkKey) -> None:
    """Without Redis each process keeps its walks itself."""
    redis = connect("redis://127.0.0.1:1/0")
    walks = RedisWalks(redis, MemoryWalks(clock, ceiling=10, seconds=60))
    assert await walks.begin(key, 4) == 3
    assert await walks.covers(key, 2)
    await redis.aclose()


async def test_what_was_paid_and_not_used_is_not_paid_again(walks: Walks, key: WalkKey) -> None:
    """Who asks for page 1 over and over pays for the walk once; what was walked is paid anew."""
    assert [await walks.begin(key, 5) for _ in range(3)] == [4, 0, 0]
    assert await walks.covers(key, 2) and await walks.covers(key, 3)
    assert await walks.begin(key, 5) == 2


async def test_walks_at_the_same_time(walks: Walks, key: WalkKey) -> None:
    """Two that walk the same list at once both come to its end."""
    await walks.begin(key, 5)
    await walks.begin(key, 5)
    await walks.begin(key, 5)
    assert all([await walks.covers(key, page) for page in (2, 3, 4, 5) for _ in range(3)])


async def test_walks_at_the_same_time_are_counted_each(walks: Walks, key: WalkKey) -> None:
    """What two overlapping walks ask for beyond what the first paid is not refused, and is not paid for either."""
    paid = await walks.begin(key, 5) + await walks.begin(key, 5)
    covers = [await walks.covers(key, page) for page in (2, 3, 4, 5) for _ in range(2)]
    assert (paid, covers.count(Cover.PAID), covers.count(Cover.UNPAID)) == (4, 4, 4)


async def test_other_keys_are_not_covered(walks: Walks, key: WalkKey) -> None:
    """Another installation, surface or query has no part in it."""
    await walks.begin(key, 5)
    for other in ((new_id(), *key[1:]), (key[0], "v1", key[2]), (*key[:2], "/people?q=a")):
        assert not await walks.covers(other, 2)


async def test_any_order_of_events_keeps_the_bounds(clock: SettableClock) -> None:
    """Over random histories: covered pages never exceed twice what was begun, and paid never what was reserved."""
    for seed in range(50):
        r, walks = random.Random(seed), MemoryWalks(clock, ceiling=7, seconds=30)
        key: WalkKey = (new_id(), "integrations/v1", "/x?")
        begun = covered = 0
        for _ in range(200):
            if r.random() < 0.2:
                pages = r.randrange(0, 12)
                unpaid = await walks.begin(key, pages)
                follow = min(max(pages - 1, 0), 7)
                assert 0 <= unpaid <= follow
                begun += follow
            elif r.random() < 0.95:
                covered += bool(await walks.covers(key, r.randrange(0, 15)))
            else:
                clock.advance(r.randrange(0, 20) * SECOND)
        assert covered <= 2 * begun


class _Calls:
    """The scripts of a process, counted."""

    def __init__(self, walks: RedisWalks, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made, run = 0, walks._run

        async def counted(*args: Any) -> int | None:
            self.made += 1
            return await run(*args)

        monkeypatch.setattr(walks, "_run", counted)


@pytest.fixture
async def processes(clock: SettableClock, required_redis_url: str) -> AsyncIterator[list[RedisWalks]]:  # noqa: F811
    """Two processes with one Redis."""
    clients = [connect(required_redis_url) for _ in range(2)]
    yield [RedisWalks(redis, MemoryWalks(clock, ceiling=10, seconds=60)) for redis in clients]
    for redis in clients:
        await redis.aclose()


@pytest.mark.redis
async def test_a_list_that_is_begun_over_and_over(
    processes: list[RedisWalks], key: WalkKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis is not asked each time, and whoever began may read each page twice, through any process."""
    here, there = processes
    calls = _Calls(here, monkeypatch)
    assert [await here.begin(key, 5) for _ in range(100)] == [4] + [0] * 99
    assert calls.made < 100 / 3
    covers = [await there.covers(key, page) for page in (2, 3, 4, 5) for _ in range(200)]
    assert all(covers)
    assert covers.count(Cover.PAID) == 4
    more = [await there.covers(key, 2) for _ in range(900)]
    assert more.count(Cover.UNPAID) <= 800, "not more than twice of what was begun"


@pytest.mark.redis
async def test_what_was_walked_here_is_paid_by_the_next_page_one(processes: list[RedisWalks], key: WalkKey) -> None:
    """However often the list was begun just before."""
    here, _ = processes
    for _ in range(20):
        await here.begin(key, 5)
    assert await here.covers(key, 2) and await here.covers(key, 3)
    assert [await here.begin(key, 5) for _ in range(3)] == [2, 0, 0]


@pytest.mark.redis
async def test_what_was_walked_elsewhere_is_paid_within_a_moment(
    processes: list[RedisWalks], key: WalkKey, clock: SettableClock
) -> None:
    """Until then its pages are counted one by one, and none is refused."""
    here, there = processes
    for _ in range(20):
        await here.begin(key, 5)
    for _ in range(4):
        assert await there.covers(key, 2) is Cover.PAID
    assert await here.begin(key, 5) == 0
    assert await there.covers(key, 2) is Cover.UNPAID
    clock.advance(round(GOOD_SECONDS * SECOND))
    assert await here.begin(key, 5) == 4
    assert await there.covers(key, 2) is Cover.PAID


@pytest.mark.redis
async def test_a_list_that_grew_is_begun_anew(processes: list[RedisWalks], key: WalkKey) -> None:
    """Its pages are others, however often it was begun with fewer."""
    here, there = processes
    for _ in range(20):
        await here.begin(key, 3)
    assert not await there.covers(key, 6)
    assert await here.begin(key, 6) == 3
    assert await there.covers(key, 6)


@pytest.mark.redis
async def test_what_was_begun_ahead_is_not_begun_twice(
    processes: list[RedisWalks], key: WalkKey, clock: SettableClock
) -> None:
    """Over many moments the uses are those of what was begun, and of one moment ahead."""
    here, there = processes
    for _ in range(30):
        for _ in range(10):
            await here.begin(key, 2)
        clock.advance(round(GOOD_SECONDS * SECOND))
    covers = [bool(await there.covers(key, 2)) for _ in range(1_000)]
    assert 2 * 300 <= sum(covers) <= 2 * (300 + 20)


@pytest.mark.redis
async def test_what_was_begun_ahead_of_a_walk_that_is_over(
    processes: list[RedisWalks],
    key: WalkKey,
    clock: SettableClock,
    required_redis_url: str,  # noqa: F811
) -> None:
    """Nothing is taken off for it from the next walk."""
    here, there = processes
    for _ in range(20):
        await here.begin(key, 5)
    redis = connect(required_redis_url)
    await redis.delete("dovetail:walk:" + _name(key))
    await redis.aclose()
    clock.advance(60 * SECOND)
    await here.begin(key, 5)
    assert [bool(await there.covers(key, 2)) for _ in range(9)] == [True] * 8 + [False]
