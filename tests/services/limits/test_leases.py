"""Units that a process takes from Redis ahead: none is made, none is lost, and the headers tell the truth."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from app.absence import Absence
from app.clock import SECOND, SettableClock
from app.ids import new_id
from services import limits
from services.leases import GOOD_SECONDS
from services.limits import Limiter
from tests.databases import required_redis_url  # noqa: F401 - a fixture

pytestmark = pytest.mark.redis

#: A lease of this bucket has at most 6 units, and 10 flow in each second.
PER_MINUTE, BURST, MOST = 600, 2_000, 6


class Watched(Limiter):
    """Counts how often Redis is asked to take."""

    asked = looked = 0

    async def _ask_shared(self, method: str, key: str, per_minute: int, burst: int, **given: Any) -> Any:
        self.asked += method == "limit"
        self.looked += method == "peek"
        return await super()._ask_shared(method, key, per_minute, burst, **given)


Made = Callable[..., Watched]


@pytest.fixture
async def made(required_redis_url: str, patient_redis: None) -> AsyncIterator[Made]:  # noqa: F811
    """Limiters of as many processes as are asked for, each with a connection of its own."""
    all_made: list[Watched] = []

    def make(**given: Any) -> Watched:
        all_made.append(Watched(required_redis_url, **given))
        return all_made[-1]

    yield make
    for limiter in all_made:
        await limiter.close()


@pytest.fixture
def key() -> str:
    return new_id().hex


async def left(limiter: Limiter, key: str) -> int:
    return (await limiter.peek(key, PER_MINUTE, BURST)).remaining


async def test_a_busy_bucket_does_not_ask_each_time(made: Made, key: str) -> None:
    """Redis is asked for several at once, and what it says falls by one with each, as if it were asked each time."""
    limiter, started = made(), time.monotonic()
    verdicts = [await limiter.hit(key, PER_MINUTE, BURST) for _ in range(200)]
    flowed_in = (time.monotonic() - started) * PER_MINUTE / 60
    assert limiter.asked < 200 / 3
    for number, verdict in enumerate(verdicts, 1):
        assert verdict.admitted
        assert BURST - number <= verdict.remaining <= BURST - number + flowed_in + 1
        assert abs(verdict.reset_after - (BURST - verdict.remaining) * 60 / PER_MINUTE) <= 60 / PER_MINUTE


async def test_another_process_sees_all_but_a_hundredth(made: Made, key: str) -> None:
    """What it is told differs by no more than the units that are held."""
    limiter, other = made(), made()
    for _ in range(40):
        asked = time.monotonic()
        told = (await limiter.hit(key, PER_MINUTE, BURST)).remaining
        seen = await left(other, key)
        flowed_in = (time.monotonic() - asked) * PER_MINUTE / 60
        assert told - MOST - 1 <= seen <= told + 2 + flowed_in


@pytest.mark.parametrize(("per_minute", "burst"), [(5, 1), (1, 5), (99, 99), (6_000, 50)])
async def test_small_budgets_are_asked_for_each_time(made: Made, key: str, per_minute: int, burst: int) -> None:
    """Where a hundredth is less than a request, none is taken ahead."""
    limiter = made()
    for _ in range(30):
        await limiter.hit(key, per_minute, burst)
    assert limiter.asked == 30


async def test_many_processes_get_the_budget_to_its_last_unit(made: Made, key: str) -> None:
    """16 callers over two processes: as many are admitted as the budget holds, and the refused cost nothing."""
    processes, burst = [made(), made()], 700
    started = time.monotonic()

    async def hammer(limiter: Limiter) -> int:
        admitted = refused = 0
        while refused < 5:
            verdict = await limiter.hit(key, PER_MINUTE, burst)
            admitted, refused = admitted + verdict.admitted, refused + (not verdict.admitted)
        return admitted

    admitted = sum(await asyncio.gather(*(hammer(limiter) for limiter in processes * 8)))
    flowed_in = (time.monotonic() - started) * PER_MINUTE / 60
    assert burst <= admitted <= burst + flowed_in + 1
    assert sum(limiter.asked for limiter in processes) < admitted + 16 * 5


@pytest.mark.parametrize("stops", [False, True])
async def test_what_is_not_spent_comes_back(made: Made, key: str, *, stops: bool) -> None:
    """Soon after the last request, or at once when the process stops; what flows in meanwhile is not taken for it."""
    clock = SettableClock()
    limiter, other = made(clock=clock), made()
    started = time.monotonic()
    await limiter.hit(key, PER_MINUTE, BURST, cost=1_000)
    for _ in range(4):
        await limiter.hit(key, PER_MINUTE, BURST)
    begun = time.monotonic()
    assert await left(other, key) < BURST - 1_004 + (time.monotonic() - started) * 10 - 1, "some are held"
    clock.advance(0 if stops else round(GOOD_SECONDS * SECOND))
    if stops:
        await limiter.close()
    for _ in range(1 if stops else 500):
        flowed_in = (time.monotonic() - begun) * PER_MINUTE / 60
        if await left(other, key) >= BURST - 1_004 + int(flowed_in):
            return
        await asyncio.sleep(0.02)
    pytest.fail("what was not spent is gone")


async def test_a_refund_stays_with_who_is_busy(made: Made, key: str) -> None:
    """It can be spent at once, and no unit is there twice."""
    limiter, other = made(), made()
    started = time.monotonic()
    for _ in range(20):
        verdict = await limiter.hit(key, PER_MINUTE, BURST, cost=4)
        await limiter.refund(key, verdict, 3)
    await limiter.close()
    flowed_in = (time.monotonic() - started) * PER_MINUTE / 60
    assert BURST - 20 <= await left(other, key) <= BURST - 20 + flowed_in + 1


@pytest.mark.parametrize("spent", [3, BURST])
async def test_a_glance_tells_what_was_just_told(made: Made, key: str, *, spent: int) -> None:
    """For a quarter of a second; then Redis is looked at, and what others took is seen."""
    clock = SettableClock()
    limiter, other = made(clock=clock), made()
    await limiter.hit(key, PER_MINUTE, BURST, cost=spent)
    first = await limiter.glance(key, PER_MINUTE, BURST)
    assert (first.admitted, first.remaining, limiter.looked) == (spent < BURST, BURST - spent, 0)
    await other.hit(key, PER_MINUTE, BURST, cost=200)
    assert (await limiter.glance(key, PER_MINUTE, BURST)).remaining == BURST - spent
    clock.advance(round(GOOD_SECONDS * SECOND))
    seen = [await limiter.glance(key, PER_MINUTE, BURST) for _ in range(3)]
    assert limiter.looked == 1
    assert abs(seen[-1].remaining - await left(other, key)) <= 1 + PER_MINUTE / 60
    assert seen[-1].retry_after == (60 / PER_MINUTE if seen[-1].remaining == 0 else 0.0)


async def test_a_glance_at_a_small_budget_looks_each_time(made: Made, key: str) -> None:
    """What is not watched is looked at."""
    limiter = made()
    assert [(await limiter.glance(key, 5, 3)).remaining for _ in range(3)] == [3] * 3
    assert limiter.looked == 3


async def test_a_cost_is_paid_from_both(made: Made, key: str) -> None:
    """What is held and what is left elsewhere are one budget; a cost that is refused leaves both."""
    limiter, other, started = made(clock=SettableClock()), made(), time.monotonic()
    for _ in range(4):
        await limiter.hit(key, PER_MINUTE, BURST)
    assert (await other.hit(key, PER_MINUTE, BURST, cost=BURST - 4 - MOST)).admitted
    held = BURST - 4 - (BURST - 4 - MOST)
    asked = limiter.asked
    refused = await limiter.hit(key, PER_MINUTE, BURST, cost=100)
    assert not refused.admitted and refused.remaining >= held
    assert (await limiter.hit(key, PER_MINUTE, BURST, cost=held)).admitted
    assert limiter.asked <= asked + 3
    assert await left(other, key) <= (time.monotonic() - started) * PER_MINUTE / 60


async def test_what_is_owed_is_taken_from_what_is_held(made: Made, key: str) -> None:
    """First from the lease, so that nothing is held while something is owed; and no unit is owed twice."""
    limiter, other, started = made(clock=SettableClock()), made(), time.monotonic()
    for _ in range(4):
        await limiter.hit(key, PER_MINUTE, BURST)
    owed = await limiter.owe(key, PER_MINUTE, BURST, BURST - 4 + 50)
    assert (owed.admitted, owed.remaining) == (True, 0)
    assert not (await limiter.hit(key, PER_MINUTE, BURST)).admitted
    seen = await other.peek(key, PER_MINUTE, BURST)
    flowed_in = (time.monotonic() - started) * PER_MINUTE / 60
    assert BURST + 50 - flowed_in - 1 <= seen.reset_after * PER_MINUTE / 60 <= BURST + 50 + 1


async def test_a_lease_ends_by_the_monotonic_clock(made: Made, key: str) -> None:
    """A wall clock that jumps a day either way neither ends it nor keeps it."""
    clock = SettableClock()
    limiter = made(clock=clock)
    await asyncio.gather(*(limiter.hit(key, PER_MINUTE, BURST) for _ in range(4)))
    await limiter.hit(key, PER_MINUTE, BURST)
    asked = limiter.asked
    for jump in (86_400_000, -172_800_000):
        clock.jump(jump)
        await limiter.hit(key, PER_MINUTE, BURST)
    assert limiter.asked == asked
    clock.advance(round(GOOD_SECONDS * SECOND))
    await limiter.hit(key, PER_MINUTE, BURST)
    assert limiter.asked == asked + 1


async def test_buckets_that_nobody_uses_are_forgotten(made: Made, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there were, busy or not; what was held of them is given back."""
    # They are looked through when this test says so.
    monkeypatch.setattr(limits, "GOOD_SECONDS", 3_600.0)
    clock = SettableClock()
    limiter = made(clock=clock)
    for number in range(5_000):
        limiter._lease(f"{key}{number}", PER_MINUTE, BURST)
    for _ in range(10):
        await limiter.hit(f"{key}0", PER_MINUTE, BURST)
    assert limiter._lease(f"{key}new", PER_MINUTE, BURST) is None, "no more of them are watched at a time"
    clock.advance(3_601 * SECOND)
    limiter._end_leases()
    assert not limiter._leases
    assert limiter._lease(f"{key}new", PER_MINUTE, BURST) is not None


async def test_while_redis_is_away_nothing_held_is_spent(made: Made, key: str) -> None:
    """The process limits for itself, with its own bucket; once Redis is back the shared one goes on."""
    absence, started = Absence(pause_seconds=60), time.monotonic()
    limiter, other = made(absence=absence), made()
    for _ in range(20):
        await limiter.hit(key, PER_MINUTE, BURST)
    absence.lost()
    assert (await limiter.hit(key, PER_MINUTE, BURST)).remaining == BURST - 1
    absence.found()
    for remaining in ((await limiter.hit(key, PER_MINUTE, BURST)).remaining, await left(other, key)):
        assert remaining <= BURST - 20 + 1 + (time.monotonic() - started) * PER_MINUTE / 60


async def test_who_gives_up_waiting_loses_nothing(made: Made, key: str) -> None:
    """The units come all the same, for whoever asks next."""
    limiter, other = made(), made()
    for _ in range(4):
        await limiter.hit(key, PER_MINUTE, BURST)
    started = time.monotonic()
    calls = [asyncio.ensure_future(limiter.hit(key, PER_MINUTE, BURST)) for _ in range(6)]
    await asyncio.sleep(0)
    for call in calls[:3]:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await limiter.close()
    flowed_in = (time.monotonic() - started) * PER_MINUTE / 60
    assert BURST - 10 <= await left(other, key) <= BURST - 7 + flowed_in + 1
