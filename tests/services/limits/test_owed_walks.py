"""Walks and the budget together: no page of a walk is refused, and every page that is served was taken or is owed."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from itertools import cycle
from typing import Any, cast

import pytest

from app.clock import SettableClock
from app.errors import RateLimited
from app.ids import new_id
from app.settings import load_settings
from app.shared_bus import connect
from services import limits
from services.access import gate as gates
from services.access.gate import Approach, Gate
from services.access.keys import Opened
from services.limits import Limiter
from services.shared_walks import RedisWalks
from services.walks import TRIES, MemoryWalks
from tests.databases import missing, redis_url

pytestmark = pytest.mark.usefixtures("patient_redis")
CEILING = 40


class _Keys:
    """One warm key."""

    def __init__(self, opened: Opened) -> None:
        self.warm = lambda _: opened


class _Denials:
    async def record(self, entry: Any) -> None:
        """Forgets it."""


class Process:
    """What admits the requests of one installation in one process."""

    def __init__(self, opened: Opened, url: str | None) -> None:
        clock = SettableClock()
        alone = MemoryWalks(clock, ceiling=CEILING, seconds=60)
        self.redis = connect(url) if url else None
        self.limiter = Limiter(url)
        self.bucket = (f"integrations:{opened.installation}", opened.per_minute or 1, opened.burst or 1)
        self.gate = Gate(
            keys=cast("Any", _Keys(opened)), denials=cast("Any", _Denials()), limiter=self.limiter, clock=clock,
            settings=load_settings({}), walks=alone if self.redis is None else RedisWalks(self.redis, alone),
        )  # fmt: skip

    async def admits(self, name: str, page: int, pages: int, *, pays_ahead: bool = True) -> bool:
        """Whether a page of a list of so many is served."""
        approach = Approach(
            api_key="k", origin=None, address="", surface="integrations/v1", request_id="r", operation="list_people",
            walk=name, page=page, pays_ahead=pays_ahead,
        )  # fmt: skip
        try:
            await self.gate.admit(approach)
        except RateLimited:
            return False
        await self.gate.reserve(approach, pages if pays_ahead else None)
        return True

    async def taken(self) -> float:
        """Units that are taken or owed, and have not flowed in again."""
        return (await self.limiter.peek(*self.bucket)).reset_after * self.bucket[1] / 60

    async def close(self) -> None:
        await self.limiter.close()
        if self.redis is not None:
            await self.redis.aclose()


def opened_with(per_minute: int, burst: int) -> Opened:
    return Opened(
        credential=new_id(), tenant=new_id(), installation=new_id(), kid="k", label="L", scopes=frozenset(),
        status="active", expires_at=None, rotated_at=None, installation_status="active", per_minute=per_minute,
        burst=burst, origins=frozenset({"https://a.example"}),
    )  # fmt: skip


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
def url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """No Redis, and one process; or one that has more time to answer than a request would give it, and two."""
    for bound in ("SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT"):
        monkeypatch.setitem(limits._OPTIONS, bound, 30.0)
    if request.param == "memory":
        return None
    return redis_url() or missing("Redis")


async def processes_of(opened: Opened, url: str | None) -> AsyncIterator[Process]:
    made = [Process(opened, url) for _ in range(2 if url else 1)]
    for process in cycle(made):
        try:
            yield process
        except GeneratorExit:
            for each in made:
                await each.close()
            raise


async def begun(process: Process, name: str, pages: int) -> None:
    """As soon as the budget lets it."""
    while not await process.admits(name, 1, pages):  # noqa: ASYNC110 - the caller of a page 1 is told when, and no more
        await asyncio.sleep(0.02)


class _History:
    """What random callers of three lists did, and what must be true after each step."""

    LISTS = (("/people?", 6, True), ("/works?", 13, True), ("/people?q=a", 3, True), ("/v2/people?", 9, False))

    def __init__(self, seed: int, burst: int) -> None:
        self.r, self.burst = random.Random(seed), burst
        self.walking: list[tuple[str, int, int, bool]] = []
        self.served = self.begun = self.refused = 0

    async def step(self, process: Process) -> None:
        if self.walking and self.r.random() < 0.7:
            await self._go_on(process, self.r.randrange(len(self.walking)))
        elif self.r.random() < 0.1:
            self._count(await process.admits("/installation", 1, 1), await process.taken())
        else:
            await self._begin(process)

    async def _go_on(self, process: Process, which: int) -> None:
        name, page, pages, ahead = self.walking[which]
        assert await process.admits(name, page, pages, pays_ahead=ahead), "a page of a walk was refused"
        self.served += 1
        if self.r.random() < 0.3:
            # It timed out, and is asked for again.
            return
        if page == pages or self.r.random() < 0.05:
            del self.walking[which]
        else:
            self.walking[which] = (name, page + 1, pages, ahead)

    async def _begin(self, process: Process) -> None:
        name, pages, ahead = self.r.choice(self.LISTS)
        before = await process.taken()
        if self._count(await process.admits(name, 1, pages, pays_ahead=ahead), before):
            self.walking.append((name, 2, pages, ahead))
            self.begun += TRIES * (pages - 1 if ahead else CEILING)

    def _count(self, admitted: bool, before: float) -> bool:
        self.served += admitted
        self.refused += not admitted
        return admitted

    def check(self, taken: float) -> None:
        # What flowed in meanwhile is less than a unit.
        assert self.served <= taken + 1, "a page was served that was neither taken nor owed"
        assert taken <= self.burst + self.begun, "more is owed than the walks that were begun can ask for"


@pytest.mark.parametrize("seed", range(6))
async def test_any_history_keeps_the_law(url: str | None, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over random walks, retries and requests, through one process or two in turn."""
    monkeypatch.setattr(gates, "LONGEST_WAIT_SECONDS", 0.0)
    history, opened = _History(seed, burst=60), opened_with(1, 60)
    turns = processes_of(opened, url)
    process = await anext(turns)
    for _ in range(250):
        process = await anext(turns)
        before = await process.taken()
        served = history.served, len(history.walking)
        await history.step(process)
        history.check(await process.taken())
        if len(history.walking) > served[1]:
            assert before < history.burst, "a walk was begun while something was owed"
    assert history.refused and await process.taken() > history.burst, "this history owed nothing"
    await turns.aclose()  # type: ignore[attr-defined]


async def test_overlapping_walks_get_the_budget(url: str | None) -> None:
    """12 callers that walk one list at once: none breaks off, and at any time they have got what has flowed in."""
    per_minute, burst, pages = 2_400, 40, 20
    turns = processes_of(opened_with(per_minute, burst), url)
    served: list[float] = []

    async def walk(process: Process) -> None:
        await begun(process, "/people?", pages)
        served.append(time.monotonic())
        for page in range(2, pages + 1):
            assert await process.admits("/people?", page, pages)
            served.append(time.monotonic())

    started = time.monotonic()
    await asyncio.gather(*[walk(await anext(turns)) for _ in range(12)])
    assert len(served) == 12 * pages
    for number, at in enumerate(sorted(served), 1):
        # Beyond it are the pages that were paid for ahead, and one that each caller waits for.
        assert number <= burst + (at - started) * per_minute / 60 + (pages - 1) + 12
    assert served[-1] - started >= (12 * pages - burst) * 60 / per_minute - 1
    await turns.aclose()  # type: ignore[attr-defined]


async def test_a_walk_longer_than_the_budget_is_paid_off_later(url: str | None) -> None:
    """Its pages come at once; the next page 1 is refused until the whole of it has flowed in."""
    per_minute, burst, pages = 1_200, 5, 30
    turns = processes_of(opened_with(per_minute, burst), url)
    started = time.monotonic()
    assert [await (await anext(turns)).admits("/people?", page, pages) for page in range(1, pages + 1)] == [True] * 30
    assert not await (await anext(turns)).admits("/works?", 1, 1)
    await begun(await anext(turns), "/works?", 1)
    # 30 pages and one request, of which the budget held 5.
    assert time.monotonic() - started >= (pages + 1 - burst) * 60 / per_minute - 0.05
    await turns.aclose()  # type: ignore[attr-defined]


async def test_a_page_beyond_the_budget_waits_its_turn(url: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as its unit needs to flow in, and no longer than a plugin waits; then it is served."""
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    turns = processes_of(opened_with(60, 1), url)
    process = await anext(turns)
    assert await process.admits("/people?", 1, 1_000, pays_ahead=False)
    monkeypatch.setattr(gates.asyncio, "sleep", note)
    assert [await process.admits("/people?", page, 0, pays_ahead=False) for page in (2, 3, 4)] == [True] * 3
    monkeypatch.undo()
    assert 0.5 < waits[0] <= 1 and 1.5 < waits[1] <= 2 and waits[2] == gates.LONGEST_WAIT_SECONDS == 2
    await turns.aclose()  # type: ignore[attr-defined]
