"""One suite for the limiter's two stores: memory for one process, Redis for several."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.ids import new_id
from services.limits import Limiter
from tests.databases import missing, redis_url


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
async def limiter(request: pytest.FixtureRequest, patient_redis: None) -> AsyncIterator[Limiter]:
    url = None
    if request.param == "redis":
        url = redis_url()
        if url is None:
            missing("Redis")
    yield Limiter(url)


@pytest.fixture
def key() -> str:
    return new_id().hex


async def hits(limiter: Limiter, key: str, number: int, **given: Any) -> list[bool]:
    """At a rate at which nothing flows in meanwhile, however busy the machine is."""
    return [(await limiter.hit(key, 1, 5, **given)).admitted for _ in range(number)]


async def test_the_burst_is_exact(limiter: Limiter, key: str) -> None:
    """As many as the burst are admitted at once; the next is not, and learns when."""
    assert await hits(limiter, key, 7) == [True] * 5 + [False] * 2
    verdict = await limiter.hit(key, 1, 5)
    assert not verdict.admitted and verdict.remaining == 0
    assert 0 < verdict.retry_after <= 60.0 and 0 <= verdict.retry_seconds - verdict.retry_after < 1


async def test_concurrent_hits_are_exact(limiter: Limiter, key: str) -> None:
    """Many at once take no more than there is."""
    verdicts = await asyncio.gather(*(limiter.hit(key, 1, 10) for _ in range(40)))
    assert sum(verdict.admitted for verdict in verdicts) == 10


async def test_a_peek_takes_nothing(limiter: Limiter, key: str) -> None:
    """Looking changes nothing, and sees what a hit would."""
    for _ in range(20):
        assert (await limiter.peek(key, 1, 3)).remaining == 3
    for _ in range(3):
        await limiter.hit(key, 1, 3)
    verdict = await limiter.peek(key, 1, 3)
    assert not verdict.admitted and verdict.retry_seconds == 60


async def test_cost_is_all_or_nothing(limiter: Limiter, key: str) -> None:
    """A cost that the bucket does not hold takes nothing of it."""
    assert (await limiter.hit(key, 1, 5, cost=3)).remaining == 2
    assert not (await limiter.hit(key, 1, 5, cost=3)).admitted
    assert (await limiter.hit(key, 1, 5, cost=2)).admitted


async def test_other_limits_begin_anew(limiter: Limiter, key: str) -> None:
    """Whoever is given more is not refused for what the former limits took an hour to give back."""
    assert await hits(limiter, key, 6) == [True] * 5 + [False]
    assert (await limiter.hit(key, 600, 300)).remaining == 299
    assert not (await limiter.hit(key, 1, 5)).admitted


async def test_keys_are_apart(limiter: Limiter, key: str) -> None:
    """One bucket's end is not another's."""
    await hits(limiter, key, 5)
    assert (await limiter.hit(key + "x", 1, 5)).remaining == 4


async def test_a_bucket_refills(limiter: Limiter, key: str) -> None:
    """After the time that it names, one more is admitted and not two."""
    started = time.monotonic()
    while (verdict := await limiter.hit(key, 600, 2)).admitted:
        started = time.monotonic()
    await asyncio.sleep(verdict.retry_after + 0.01)
    again = [(await limiter.hit(key, 600, 2)).admitted for _ in range(2)]
    assert again == [True, time.monotonic() - started >= 0.2 and again[1]], "two only where two have flowed in"


@pytest.mark.redis
async def test_two_processes_share_a_bucket(key: str, patient_redis: None) -> None:
    """With one Redis a second process continues where the first is."""
    url = redis_url()
    if url is None:
        missing("Redis")
    first, second = Limiter(url), Limiter(url)
    admitted = [(await limiter.hit(key, 1, 4)).admitted for limiter in (first, second) * 3]
    assert admitted == [True] * 4 + [False] * 2


async def test_without_redis_each_limits_for_itself(key: str) -> None:
    """A Redis that is away stops nobody, and does not open the gate either."""
    limiter = Limiter("redis://127.0.0.1:1/0")
    assert await hits(limiter, key, 7) == [True] * 5 + [False] * 2


async def test_a_refund_is_exact_and_never_more_than_full(limiter: Limiter, key: str) -> None:
    """What is put back can be taken again, and no more; an empty refund of a full bucket changes nothing."""
    verdict = await limiter.hit(key, 1, 10, cost=10)
    assert (await limiter.refund(key, verdict, 7)).remaining == 7
    assert (await limiter.peek(key, 1, 10)).remaining == 7
    assert [(await limiter.hit(key, 1, 10)).admitted for _ in range(8)] == [True] * 7 + [False]
    spent = await limiter.hit(key, 1, 10)
    assert (await limiter.refund(key, spent, 50)).remaining == 10
    assert [(await limiter.hit(key, 1, 10)).admitted for _ in range(11)] == [True] * 10 + [False]


async def test_what_is_owed_holds_up_all_others(limiter: Limiter, key: str) -> None:
    """What the bucket does not hold is taken all the same, exactly; it tells nothing below zero, and true waits."""
    for _ in range(3):
        await limiter.hit(key, 1, 5)
    assert not (await limiter.hit(key, 1, 5, cost=9)).admitted
    owed = await limiter.owe(key, 1, 5, 9)
    assert owed.admitted and owed.remaining == 0
    assert 12 * 60 - 5 < owed.reset_after <= 12 * 60 and 7 * 60 - 5 < owed.retry_after <= 7 * 60
    for verdict in (await limiter.hit(key, 1, 5), await limiter.peek(key, 1, 5), await limiter.glance(key, 1, 5)):
        assert not verdict.admitted and verdict.remaining == 0
        assert 12 * 60 - 5 < verdict.reset_after <= 12 * 60 and 8 * 60 - 5 < verdict.retry_after <= 8 * 60
    await limiter.refund(key, owed, 8)
    assert [(await limiter.hit(key, 1, 5)).admitted for _ in range(2)] == [True, False]


async def test_units_that_came_meanwhile_are_not_owed(limiter: Limiter, key: str) -> None:
    """A bucket that holds some of them again by then has as many less."""
    owed = await limiter.owe(key, 1, 5, 2)
    assert (owed.remaining, owed.retry_after) == (3, 0.0)
    assert [(await limiter.hit(key, 1, 5)).admitted for _ in range(4)] == [True] * 3 + [False]


async def test_what_is_owed_while_redis_is_away(key: str) -> None:
    """Each process counts it for itself."""
    limiter = Limiter("redis://127.0.0.1:1/0")
    assert (await limiter.owe(key, 1, 5, 7)).remaining == 0
    assert 2 * 60 < (await limiter.hit(key, 1, 5)).retry_after <= 3 * 60
