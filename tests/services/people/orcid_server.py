"""A server that answers as ORCID does, or as a test wants, and a runtime that reads from it but runs no duties."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from aiohttp import web

from app.clock import SettableClock
from app.database import Statement
from app.database.migrating import migrate
from app.settings import load_settings
from services.people.client import OrcidClient
from services.runtime import Runtime
from tests.egress.servers import serving
from tests.services.people.orcid_json import DATA
from tests.world import World

ROUTE = "/v3.0/{orcid}/{part}"
Answer = Callable[[], Awaitable[web.Response]]

_PERSON = Statement("SELECT * FROM person WHERE tenant = {tenant} AND orcid_id = {orcid_id}")
_JOBS = Statement("SELECT * FROM job WHERE tenant = {tenant} ORDER BY created_at, id")


def body(path: str, status: int = 200, **headers: str) -> Answer:
    """A recorded answer."""
    return text((DATA / path).read_bytes(), status, **headers)


def text(content: bytes, status: int = 200, **headers: str) -> Answer:
    async def answer() -> web.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(body=content, status=status, content_type="application/vnd.orcid+json", headers=given)

    return answer


NO_WORKS = text(b'{"group": [], "path": null}')


class FakeOrcid:
    """Answers each request with the next of what `says` holds for it (the last for ever), else with the recording."""

    def __init__(self) -> None:
        self.says: dict[tuple[str, str], list[Answer]] = {}
        self.asked: Counter[tuple[str, str]] = Counter()

    def say(self, orcid_id: str, part: str, *answers: Answer) -> None:
        self.says[orcid_id, part] = list(answers)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        key = request.match_info["orcid"], request.match_info["part"]
        self.asked[key] += 1
        answers = self.says.get(key)
        if answers:
            return await (answers.pop(0) if len(answers) > 1 else answers[0])()
        if not (DATA / key[0] / f"{key[1]}.json").exists():
            return await (NO_WORKS if key[1] == "works" else body("not-found.404.json", 404))()
        return await body(f"{key[0]}/{key[1]}.json")()


class Bench:
    """A tenant of a runtime whose jobs run when a test says so, on a clock that stands still."""

    def __init__(self, runtime: Runtime, orcid: FakeOrcid, base_url: str) -> None:
        self.runtime, self.orcid, self.base_url = runtime, orcid, base_url
        self.world = World(SimpleNamespace(runtime=runtime, settings=runtime.settings), None)  # type: ignore[arg-type]
        self.slept: list[float] = []
        runtime.orcid = OrcidClient(runtime.egress, base_url, 4, clock=runtime.clock, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    @property
    def clock(self) -> SettableClock:
        clock = self.runtime.clock
        assert isinstance(clock, SettableClock)
        return clock

    async def person(self, orcid_id: str) -> Any:
        return (await self.runtime.database.fetch(_PERSON, tenant=self.world.tenant, orcid_id=orcid_id))[0]

    async def jobs(self) -> list[Any]:
        return await self.runtime.database.fetch(_JOBS, tenant=self.world.tenant)

    async def table(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of `SELECT …` that has `{tenant}` in it, as tuples of texts."""
        rows = await self.runtime.database.fetch(Statement(sql), tenant=self.world.tenant)
        return [tuple(str(value) if isinstance(value, UUID) else value for value in tuple(row)) for row in rows]


@asynccontextmanager
async def bench(url: str, home: Path) -> AsyncIterator[Bench]:
    orcid = FakeOrcid()
    async with serving({ROUTE: orcid}) as base_url, runtime_on(url, home, base_url) as runtime:
        await migrate(runtime.database)
        made = Bench(runtime, orcid, base_url)
        await made.world.open()
        yield made


@asynccontextmanager
async def runtime_on(url: str, home: Path, base_url: str) -> AsyncIterator[Runtime]:
    """A started runtime without duties."""
    given = {"home": home, "database_url": url, "orcid_base_url": base_url, "egress_allow": ["127.0.0.1"]}
    runtime = Runtime(load_settings({}, **given), SettableClock())
    await runtime.start()
    try:
        yield runtime
    finally:
        await runtime.stop()
