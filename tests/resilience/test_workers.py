"""Two workers behind one socket: one budget, one truth about keys, one stream of events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.database import bind
from app.settings import Settings, load_settings
from models.piccolo_app import TABLES
from services.credentials import revoke_credential
from services.projects import ProjectFields, create_project
from tests.architecture.code import ROOT
from tests.claims import free_port
from tests.databases import fresh_url, missing, redis_url
from tests.world import World, running

pytestmark = [pytest.mark.resilience, pytest.mark.postgres, pytest.mark.redis]

PER_MINUTE, BURST = 240, 60


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
    async with httpx.AsyncClient() as client:
        for _ in range(600):
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(f"{url}/health/ready", timeout=2)).status_code == 200:
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
        async with httpx.AsyncClient() as client:
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
            command = [sys.executable, "-m", "app.cli", "serve", "--workers", "2"]
            with log.open("wb") as output:
                process = subprocess.Popen(
                    command, cwd=ROOT, env=_environment(settings, str(redis)), stdout=output, stderr=output
                )
            try:
                await _ready(f"http://127.0.0.1:{settings.port}", process, log)
                yield Served(f"http://127.0.0.1:{settings.port}", process, world)
            finally:
                process.terminate()
                await asyncio.to_thread(process.wait, 20)


@pytest_asyncio.fixture(loop_scope="session")
async def served(workers: Served) -> Served:
    app, client = workers.world.app, workers.world.client
    bind(app.runtime.database, TABLES)
    return Served(workers.url, workers.process, await World(app, client).open())


async def test_workers_share_one_budget(served: Served) -> None:
    """16 callers on one installation get the burst and what flows in meanwhile, whichever worker answers."""
    key = await served.world.ready_key(rate_limit_per_minute=PER_MINUTE, rate_limit_burst=BURST)
    admitted: list[tuple[float, float]] = []
    started = time.monotonic()

    async def hammer() -> None:
        async with httpx.AsyncClient() as client:
            while time.monotonic() - started < 4:
                asked = time.monotonic()
                answer = await client.get(f"{served.url}/integrations/v1/people", headers={"X-API-Key": key})
                assert answer.status_code in (200, 429)
                if answer.status_code == 200:
                    admitted.append((asked, time.monotonic()))

    await asyncio.gather(*(hammer() for _ in range(16)))
    # Nothing flows into a bucket that is full, so the time begins with the first that was taken. When each was
    # taken is known to lie between its question and its answer: no number above the one nor below the other is right.
    asked, answered = zip(*admitted, strict=True)
    most = BURST + (max(answered) - min(asked)) * PER_MINUTE / 60
    least = BURST + (max(asked) - min(answered)) * PER_MINUTE / 60
    assert least - 2 <= len(admitted) <= most + 1


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
    async with httpx.AsyncClient() as client:
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
        httpx.AsyncClient(timeout=20) as client,
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
        async with httpx.AsyncClient() as client:
            answer = await client.post(
                f"{served.url}/graphql", json=mutation, headers={"Authorization": f"Bearer {token}"}
            )
            assert answer.json()["data"]["createProject"]["errors"] == []
    async with asyncio.timeout(20):
        heard = await asyncio.gather(*listening)
    assert heard == [list(range(1, 12))] * 6


async def test_a_killed_worker_is_replaced(served: Served) -> None:
    """Its connections break; the other goes on answering, and soon there are two again."""
    key = await served.world.ready_key()
    before = served.workers()
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        alive = served.workers()
        if len(alive) == 2 and before[0] not in alive:
            break
        await asyncio.sleep(0.1)
    assert len(served.workers()) == 2
    for _ in range(10):
        assert (await served.get(key)).status_code == 200
