"""Two workers behind one socket: one budget, one truth about keys, one stream of events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from app.database import bind
from app.settings import Settings, load_settings
from models.piccolo_app import TABLES
from services.credentials import revoke_credential
from services.projects import ProjectFields, create_project
from tests.architecture.code import ROOT
from tests.claims import free_port
from tests.databases import fresh_url, missing, redis_url
from tests.endings import standing_still, stopped
from tests.runtime.records import person
from tests.world import World, running

pytestmark = [pytest.mark.resilience, pytest.mark.postgres, pytest.mark.redis]


def _environment(settings: Settings, redis: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("DOVETAIL_")}
    return own | {
        "DOVETAIL_HOME": str(settings.home),
        "DOVETAIL_PORT": str(settings.port),
        "DOVETAIL_DATABASE_URL": settings.database,
        "DOVETAIL_REDIS_URL": redis,
        "DOVETAIL_LOG_LEVEL": "warning",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'graphql'}",
    }


async def _ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    async with httpx.AsyncClient(timeout=60) as client:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(f"{url}/health/ready")).status_code == 200:
                    return
            assert process.poll() is None, log.read_text()
            await asyncio.sleep(0.05)
    raise AssertionError(log.read_text())


class Served:
    """The running workers, and a tenant that this process acts on through the same database."""

    def __init__(self, url: str, process: subprocess.Popen[bytes], world: World) -> None:
        self.url, self.process, self.world = url, process, world

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    async def get(self, key: str, path: str = "/people") -> httpx.Response:
        """On a connection of its own, so that any worker may answer."""
        async with httpx.AsyncClient(timeout=60) as client:
            return await client.get(f"{self.url}/integrations/v1{path}", headers={"X-API-Key": key})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def workers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """Two workers for the whole module: each test has a tenant of its own in them."""
    folder, redis = tmp_path_factory.mktemp("workers"), redis_url()
    if redis is None:
        missing("Redis")
    with fresh_url("postgres", folder) as url:
        settings = load_settings({}, home=folder / "home", database_url=url, port=free_port())
        async with running(url, settings.home) as (app, client):
            world = await World(app, client).open()
            log = folder / "log"
            command = [sys.executable, "-m", "tests.resilience.patience", "serve", "--workers", "2"]
            with log.open("wb") as output:
                process = subprocess.Popen(
                    command, cwd=ROOT, env=_environment(settings, str(redis)), stdout=output, stderr=output
                )
            try:
                await _ready(f"http://127.0.0.1:{settings.port}", process, log)
                yield Served(f"http://127.0.0.1:{settings.port}", process, world)
            finally:
                await asyncio.to_thread(stopped, process)


@pytest_asyncio.fixture(loop_scope="session")
async def served(workers: Served) -> Served:
    app, client = workers.world.app, workers.world.client
    bind(app.runtime.database, TABLES)
    return Served(workers.url, workers.process, await World(app, client).open())


@pytest.mark.parametrize(
    ("per_minute", "burst", "seconds"),
    [
        (240, 60, 3.0),
        # Each worker holds up to 12 units ahead.
        (1_200, 1_500, 4.0),
        (5, 1, 1.5),
    ],
)
async def test_workers_share_one_budget(served: Served, per_minute: int, burst: int, seconds: float) -> None:
    """16 callers on one installation get the burst and what flows in meanwhile, whichever worker answers."""
    key = await served.world.ready_key(rate_limit_per_minute=per_minute, rate_limit_burst=burst)
    admitted: list[tuple[float, float]] = []
    refused = 0
    started = time.monotonic()

    async def hammer() -> None:
        nonlocal refused
        status = 200
        async with httpx.AsyncClient(timeout=60) as client:
            # The last that each hears is a refusal, so that nothing is left however long a machine stood still.
            while status == 200 or time.monotonic() - started < seconds or refused < 100:
                asked = time.monotonic()
                answer = await client.get(f"{served.url}/integrations/v1/people", headers={"X-API-Key": key})
                status = answer.status_code
                assert status in (200, 429)
                if status == 200:
                    admitted.append((asked, time.monotonic()))
                else:
                    refused += 1

    await asyncio.gather(*(hammer() for _ in range(16)))
    # Nothing flows into a bucket that is full, so the time begins with the first that was taken. When each was
    # taken is known to lie between its question and its answer: no number above the one nor below the other is right.
    asked, answered = zip(*admitted, strict=True)
    most = burst + (max(answered) - min(asked)) * per_minute / 60
    least = burst + (max(asked) - min(answered)) * per_minute / 60
    assert least - 2 <= len(admitted) <= most + 1


async def test_walks_over_two_workers_share_one_budget(served: Served) -> None:
    """16 callers that walk one list get the burst and what flows in, no walk breaks off, and none is left out."""
    per_minute, burst, pages = 1_500, 60, 12
    await served.world.people(*(person(n) for n in range(1, pages + 1)))
    key = await served.world.ready_key(rate_limit_per_minute=per_minute, rate_limit_burst=burst)
    answered: list[float] = []
    started = time.monotonic()

    async def walk() -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            page = 1
            while page <= pages:
                url = f"{served.url}/integrations/v1/people?per_page=1&page={page}"
                answer = await client.get(url, headers={"X-API-Key": key})
                if answer.status_code == 200:
                    answered.append(time.monotonic())
                    page += 1
                else:
                    assert (answer.status_code, page) == (429, 1)
                    await asyncio.sleep(0.05)

    await asyncio.gather(*(walk() for _ in range(16)))
    assert len(answered) == 16 * pages
    for number, at in enumerate(sorted(answered), 1):
        # Beyond it are the pages that a page 1 has paid for ahead, and the one that each caller waits for.
        assert number <= burst + (at - started) * per_minute / 60 + (pages - 1) + 16


async def test_connections_are_spread_over_the_workers(served: Served) -> None:
    """Also those that are opened one after the other while nobody is busy."""
    port = int(served.url.rpartition(":")[2])
    with contextlib.ExitStack() as opened:
        for _ in range(40):
            opened.enter_context(socket.create_connection(("127.0.0.1", port)))
        async with asyncio.timeout(30):
            while sum(counts := [_connections(worker, port) for worker in served.workers()]) < 40:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert len(counts) == 2
        assert min(counts) >= 5, "fewer than that of 40 come to one of two once in a million times"


def _connections(worker: int, port: int) -> int:
    """How many connections to the port a process has accepted (proc(5))."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established = {line[9] for line in lines if line[3] == "01" and int(line[1].partition(":")[2], 16) == port}
    held = 0
    for descriptor in Path(f"/proc/{worker}/fd").iterdir():
        with contextlib.suppress(OSError):
            held += str(descriptor.readlink()).removeprefix("socket:[").rstrip("]") in established
    return held


async def test_a_revoked_key_is_refused_by_every_worker_within_a_second(served: Served) -> None:
    """Another process revokes it; no message passes between them."""
    installation = await served.world.installation()
    issued = await served.world.key(installation["id"])
    for _ in range(20):
        assert (await served.get(issued.secret)).status_code == 200
    await revoke_credential(served.world.context(), issued.credential["id"])
    await asyncio.sleep(1.0)
    for _ in range(40):
        answer = await served.get(issued.secret)
        assert answer.status_code == 403
        assert answer.json()["code"] == "inactive_installation_credential"


async def test_a_change_is_seen_by_every_worker_within_a_second(served: Served) -> None:
    """Another process writes while both workers have the page; no message passes between them."""
    key = await served.world.ready_key(rate_limit_per_minute=100_000, rate_limit_burst=100_000)
    for number in range(3):
        for _ in range(20):
            assert (await served.get(key, "/projects")).json()["total"] == number
        await create_project(served.world.context(), ProjectFields(title=f"Title {number}"))
        await asyncio.sleep(1.0)
        for _ in range(20):
            answer = (await served.get(key, "/projects")).json()
            assert answer["total"] == len(answer["projects"]) == number + 1


async def test_who_writes_to_a_worker_reads_it_there(served: Served) -> None:
    """On one connection, so in one worker: a mutation, and the contract's list right after it."""
    key = await served.world.ready_key(rate_limit_per_minute=100_000, rate_limit_burst=100_000)
    headers = {"Authorization": f"Bearer {served.world.token('admin')}"}
    async with httpx.AsyncClient(timeout=60) as client:
        for number in range(15):
            mutation = f'mutation {{ createProject(input: {{title: "T{number}"}}) {{ errors {{ code }} }} }}'
            made = await client.post(f"{served.url}/graphql", json={"query": mutation}, headers=headers)
            assert made.json()["data"]["createProject"]["errors"] == []
            for _ in range(2):
                answer = await client.get(f"{served.url}/integrations/v1/projects", headers={"X-API-Key": key})
                assert answer.json()["total"] == number + 1


async def _events(served: Served, token: str, wanted: int) -> list[Any]:
    query = "subscription { auditEvents(since: 0) { event { seq action } } }"
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    got: list[Any] = []
    async with (
        httpx.AsyncClient(timeout=60) as client,
        client.stream("POST", f"{served.url}/graphql", json={"query": query}, headers=headers) as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith("data:") and line != "data:":
                event = json.loads(line[5:])["data"]["auditEvents"]["event"]
                if event is not None:
                    got.append(event["seq"])
                if len(got) >= wanted:
                    break
    return got


async def test_a_subscription_hears_what_any_worker_does(served: Served) -> None:
    """Six listeners spread over the workers each hear every event once and in order."""
    token = served.world.token("admin")
    mutation = {"query": 'mutation { createProject(input: {title: "P"}) { project { id } errors { code } } }'}
    listening = [asyncio.create_task(_events(served, token, 11)) for _ in range(6)]
    await asyncio.sleep(1.0)
    for _ in range(10):
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.post(
                f"{served.url}/graphql", json=mutation, headers={"Authorization": f"Bearer {token}"}
            )
            assert answer.json()["data"]["createProject"]["errors"] == []
    async with asyncio.timeout(60):
        heard = await asyncio.gather(*listening)
    assert heard == [list(range(1, 12))] * 6


async def test_any_worker_explains_what_any_worker_refused(served: Served) -> None:
    """Also a repeat, of which the history has only the number."""
    key, token = await served.world.ready_key(["works.read"]), served.world.token("admin")
    refused = [await served.get(key) for _ in range(8)]
    assert {answer.status_code for answer in refused} == {403}
    for answer in refused:
        request_id = answer.headers["x-request-id"]
        query = f'{{ explainDecision(requestId: "{request_id}") {{ code requestId }} }}'
        for _ in range(5):
            async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
                told = (await client.post(f"{served.url}/graphql", json={"query": query})).json()
            assert told["data"]["explainDecision"] == {
                "code": "installation_scope_denied", "requestId": request_id,
            }  # fmt: skip


async def _metrics(served: Served) -> list[Any]:
    """The samples, as whichever worker is asked tells them."""
    async with httpx.AsyncClient(timeout=60) as client:
        text = (await client.get(f"{served.url}/metrics")).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    assert {int(sample.labels["worker"]) for sample in samples} <= set(served.workers())
    return samples


async def _counted(served: Served) -> dict[str, float]:
    """Requests to v1 that were answered 200, by worker."""
    return {
        sample.labels["worker"]: sample.value
        for sample in await _metrics(served)
        if sample.name == "dovetail_requests_total"
        and (sample.labels["surface"], sample.labels["status"]) == ("integrations/v1", "200")
    }


async def test_metrics_tell_of_all_workers(served: Served) -> None:
    """Whichever answers, nothing is missing a second later, and no series ever falls."""
    key = await served.world.ready_key()
    before = sum((await _counted(served)).values())
    seen: dict[str, float] = {}
    for _ in range(40):
        assert (await served.get(key)).status_code == 200
        now = await _counted(served)
        assert all(now[worker] >= count for worker, count in seen.items())
        seen = now
    await asyncio.sleep(1.2)
    async with asyncio.timeout(30):
        # A busy machine gives a worker its second later; either may be asked.
        while any([sum((await _counted(served)).values()) < before + 40 for _ in range(8)]):  # noqa: ASYNC110 - the others are processes
            await asyncio.sleep(0.1)
    for _ in range(8):
        now = await _counted(served)
        assert sum(now.values()) == before + 40
        assert {int(worker) for worker in now} == set(served.workers())


async def _replaced(served: Served, gone: int) -> None:
    """Returns when there are two again, and both tell of themselves: they have started."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        alive = served.workers()
        if len(alive) == 2 and gone not in alive:
            told = {int(sample.labels["worker"]) for sample in await _metrics(served)}
            if told == set(alive):
                return
        await asyncio.sleep(0.1)
    raise AssertionError(f"worker {gone} was not replaced: {served.workers()}")


async def test_a_worker_that_hangs_is_replaced(served: Served) -> None:
    """Nobody waits for it for good: its connections are cut, and the other worker answers meanwhile."""
    key = await served.world.ready_key()
    hanging = served.workers()[0]
    with standing_still([hanging]):
        waiting = [asyncio.create_task(served.get(key)) for _ in range(12)]
        await _replaced(served, hanging)
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert {answer.status_code for answer in answers if isinstance(answer, httpx.Response)} == {200}
    assert all(isinstance(answer, httpx.Response | httpx.TransportError) for answer in answers)
    for _ in range(10):
        assert (await served.get(key)).status_code == 200


async def test_a_killed_worker_is_replaced(served: Served) -> None:
    """Its connections break; the other goes on answering, and soon there are two again."""
    key = await served.world.ready_key()
    before = served.workers()
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    await _replaced(served, before[0])
    for _ in range(10):
        assert (await served.get(key)).status_code == 200
    assert str(before[0]) not in await _counted(served)
