"""The queue under the sync: each job is run once, whoever dies meanwhile, and the next one need not wait."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.clock import DAY, MINUTE
from services import jobs
from services.jobs import LEASE, TRIES, JobRunner
from services.people.importing import SYNC, import_people
from services.people.orcid import check_digit
from services.people.syncing import run_sync
from tests.databases import fresh_url
from tests.services.people.orcid_server import NO_WORKS, Bench, bench, text

PETER = "0000-0002-9341-7985"


def orcids(count: int) -> list[str]:
    digits = [f"{number + 1:015d}" for number in range(count)]
    whole = [each + check_digit(each) for each in digits]
    return ["-".join(each[start : start + 4] for start in (0, 4, 8, 12)) for each in whole]


@pytest.fixture
def url(engine: str, tmp_path: Path) -> Iterator[str]:
    with fresh_url(engine, tmp_path) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def on(url: str, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(url, tmp_path / "home") as made:
        yield made


async def hang() -> None:
    await asyncio.sleep(60)


async def test_two_runners_on_one_queue_take_each_job_once(on: Bench) -> None:
    """However they race for the same rows, no person is fetched by both."""
    people = orcids(40)
    for orcid_id in people:
        on.orcid.say(orcid_id, "person", text(b'{"name": {"credit-name": {"value": "A"}}}'))
        on.orcid.say(orcid_id, "works", NO_WORKS)
    await import_people(on.world.context(), people)
    runners = [JobRunner(on.runtime, {SYNC: run_sync}, 4) for _ in range(2)]

    async def run(runner: JobRunner) -> int:
        return sum([await runner.run_due() for _ in range(40)])

    ran = await asyncio.gather(*(run(runner) for runner in runners))
    assert sum(ran) == 40 and min(ran) > 0
    assert set(on.orcid.asked.values()) == {1} and len(on.orcid.asked) == 80
    assert {(job["status"], job["attempts"]) for job in await on.jobs()} == {("done", 1)}


async def test_the_job_of_a_dead_server_is_taken_again(on: Bench) -> None:
    """Not before its lease has run out; and what the dead one may still write counts for nothing."""
    await import_people(on.world.context(), [PETER])
    job = (await on.jobs())[0]
    taken = await on.runtime.jobs._take(job["id"], on.clock.now_ms())
    assert await on.runtime.jobs._take(job["id"], on.clock.now_ms()) is None
    on.clock.advance(LEASE - 1_000)
    assert await on.runtime.jobs.run_due() == 0
    on.clock.advance(2_000)
    assert await on.runtime.jobs.run_due() == 1
    await on.runtime.jobs._finish(taken, "failed", "the dead speak")
    job = (await on.jobs())[0]
    assert (job["status"], job["attempts"], job["error"]) == ("done", 2, None)


async def test_a_clock_that_is_set_back_keeps_no_job_waiting(on: Bench) -> None:
    """Neither one that was queued, nor one whose server died, by the clock as it was; one that runs stays taken."""
    year, first, second = 365 * DAY, *orcids(2)
    await import_people(on.world.context(), [first, second])
    jobs = {job["subject"]: job["id"] for job in await on.jobs()}
    for orcid_id in (first, second):
        on.orcid.say(orcid_id, "person", text(b'{"name": {"credit-name": {"value": "A"}}}'))
        on.orcid.say(orcid_id, "works", NO_WORKS)
    on.clock.jump(year)
    assert await on.runtime.jobs._take(next(iter(jobs.values())), on.clock.now_ms()) is not None
    on.clock.jump(-year - DAY)
    assert await on.runtime.jobs.run_due() == 2, "a day before it was queued, and a year before its lease ends"
    assert {job["status"] for job in await on.jobs()} == {"done"}


async def test_clocks_that_differ_by_minutes_take_no_job_twice(on: Bench) -> None:
    """The lease of a machine that is ahead holds on one that is behind."""
    await import_people(on.world.context(), [PETER])
    assert await on.runtime.jobs._take((await on.jobs())[0]["id"], on.clock.now_ms()) is not None
    on.clock.jump(-9 * MINUTE)
    assert await on.runtime.jobs.run_due() == 0


async def test_a_server_that_stops_gives_its_job_back(on: Bench) -> None:
    """The next one runs it at once and does not wait for the lease."""
    on.orcid.say(PETER, "person", hang)  # type: ignore[arg-type]
    await import_people(on.world.context(), [PETER])
    runner = asyncio.create_task(on.runtime.jobs.run())
    while not on.orcid.asked:  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(0.01)
    runner.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await runner
    assert (await on.jobs())[0]["status"] == "queued"
    del on.orcid.says[PETER, "person"]
    assert await on.runtime.jobs.run_due() == 1
    assert (await on.person(PETER))["sync_status"] == "complete"


async def test_a_job_that_runs_long_keeps_its_lease(on: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it runs nobody else takes it, however long ORCID asks for patience."""
    monkeypatch.setattr(jobs, "RENEW_SECONDS", 0.02)
    on.orcid.say(PETER, "person", hang)  # type: ignore[arg-type]
    await import_people(on.world.context(), [PETER])
    running = asyncio.create_task(on.runtime.jobs.run_due())
    while not on.orcid.asked:  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(0.01)
    on.clock.advance(LEASE - 1_000)
    async with asyncio.timeout(20):
        while ((await on.jobs())[0]["leased_until"] or 0) < on.clock.now_ms() + LEASE:  # noqa: ASYNC110 - a row tells nobody
            await asyncio.sleep(0.01)
    on.clock.advance(LEASE - 1_000)
    assert await on.runtime.jobs.run_due() == 0
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_job_that_kills_its_server_each_time_ends(on: Bench) -> None:
    """Taken by servers that die, it is failed instead of killing the next one."""
    await import_people(on.world.context(), [PETER])
    job = (await on.jobs())[0]["id"]
    for _ in range(TRIES):
        assert await on.runtime.jobs._take(job, on.clock.now_ms()) is not None
        on.clock.advance(LEASE + 1)
    assert await on.runtime.jobs.run_due() == 1
    found = (await on.jobs())[0]
    assert found["status"] == "failed" and "did not come to an end" in found["error"]
    assert on.orcid.asked == {}


async def test_a_runner_is_cancelled_even_as_it_is_woken(on: Bench) -> None:
    """A wake-up that comes together with the end of the server does not swallow the end."""
    for _ in range(20):
        runner = asyncio.create_task(on.runtime.jobs.run())
        await asyncio.sleep(0.01)
        on.runtime.jobs.wake()
        runner.cancel()
        done, _pending = await asyncio.wait([runner], timeout=30)
        assert done
