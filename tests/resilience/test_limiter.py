"""The limiter: `Retry-After` is the truth, budgets come back, and unknown keys are throttled before any look-up."""

import asyncio
from pathlib import Path

import pytest

from services.access import strangers
from tests.limiter_time import LimiterTime, limiter_time  # noqa: F401 - a fixture
from tests.resilience.serving import timed
from tests.runtime import keys
from tests.runtime.surface import Surface
from tests.world import World

pytestmark = pytest.mark.resilience


async def test_retry_after_is_true(v1: Surface, world: World, limiter_time: LimiterTime) -> None:  # noqa: F811
    """Before the named instant a request is refused, at it one is admitted."""
    key = await world.ready_key(rate_limit_per_minute=60, rate_limit_burst=2)
    answers = [await v1.get("/installation", key) for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    wait = int(answers[-1].headers["retry-after"])
    assert wait == 1
    limiter_time.elapse(0.99)
    assert (await v1.get("/installation", key)).status_code == 429
    limiter_time.elapse(0.01)
    assert (await v1.get("/installation", key)).status_code == 200


async def test_refusals_do_not_lengthen_the_wait(v1: Surface, world: World, limiter_time: LimiterTime) -> None:  # noqa: F811
    """A client that hammers is admitted at its time all the same: a refusal takes nothing."""
    key = await world.ready_key(rate_limit_per_minute=120, rate_limit_burst=1)
    await v1.ok("/installation", key)
    for _ in range(30):
        await v1.refused(429, "installation_rate_limit_exceeded", "/installation", key)
    limiter_time.elapse(0.5)
    await v1.ok("/installation", key)


async def test_a_budget_comes_back_in_full(v1: Surface, world: World, limiter_time: LimiterTime) -> None:  # noqa: F811
    """After a pause the whole burst is there again and not more."""
    key = await world.ready_key(rate_limit_per_minute=240, rate_limit_burst=5)
    for _ in range(2):
        answers = [(await v1.get("/installation", key)).status_code for _ in range(5)]
        assert answers == [200] * 5
        assert (await v1.get("/installation", key)).status_code == 429
        limiter_time.elapse(1.5)


@pytest.mark.usefixtures("limiter_time")
async def test_unknown_keys_are_throttled_before_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of made-up keys from one address is 429 without a look-up, while a known key is served."""
    monkeypatch.setattr(strangers, "PER_MINUTE", 1)
    async with timed("sqlite", tmp_path, monkeypatch) as (world, clock):
        v1, key = Surface(world), await world.ready_key(rate_limit_burst=1_000, rate_limit_per_minute=1_000)
        await v1.ok("/people", key)
        answers = [await v1.get("/people", keys.unknown_kid()) for _ in range(310)]
        assert [a.status_code for a in answers] == [401] * strangers.BURST + [429] * 10
        assert answers[-1].headers["retry-after"] == "60"
        with world.runtime.database.count_statements() as log:
            flood = await asyncio.gather(*(v1.get("/people", keys.unknown_kid()) for _ in range(50)))
        assert {a.status_code for a in flood} == {429}
        assert not [text for text in log.texts if "FROM credential" in text]
        clock.advance(1_100)  # the key is no longer warm, and still no stranger
        await v1.ok("/people", key)
