"""The database goes away and comes back: 503 in the contract's form, `Retry-After`, and recovery by itself."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.database import Database, Statement, open_database
from app.errors import Unavailable
from models.audit import AuditEvent
from models.operations import UsageCount
from tests.databases import fresh_url
from tests.resilience.serving import alone
from tests.runtime.surface import Surface
from tests.world import V1, World, running

pytestmark = pytest.mark.resilience
KILL = Statement(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
BACKENDS = Statement("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
GONE = {
    "error": "The database is not available; try again shortly.", "code": "service_unavailable", "details": None,
}  # fmt: skip


@contextmanager
def away(database: Database) -> Iterator[None]:
    """The database does not answer inside the block, as its engine tells an outage."""

    async def refuse(*_: Any, **__: Any) -> Any:
        raise Unavailable("The database is not available; try again shortly.")

    engine: Any = database.engine
    with pytest.MonkeyPatch.context() as patched:
        for name in ("send", "checkout"):
            patched.setattr(engine, name, refuse)
        yield


@pytest.fixture
async def own(engine: str, tmp_path: Path) -> Any:
    async with alone(engine, tmp_path) as world:
        yield world


async def test_503_and_recovery(own: World) -> None:
    """A warm key and a cold one, lists and the installation: 503 in the contract's form, and 200 afterwards."""
    v1, warm, cold = Surface(own), await own.ready_key(), await own.ready_key()
    await v1.ok("/people", warm)
    with away(own.runtime.database):
        for key, path in ((warm, "/people?q=a"), (warm, "/works?q=a"), (warm, "/installation"), (cold, "/people")):
            answer = await v1.get(path, key)
            assert (answer.status_code, answer.json()) == (503, GONE)
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.headers["x-request-id"]
        assert (await v1.get("/health")).status_code == 200
        await v1.refused(401, "missing_api_key", "/people")
        ready = await own.client.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "away")
        assert (await own.client.get("/health/live")).status_code == 200
    for key in (warm, cold):
        await v1.ok("/people", key)
    ready = await own.client.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "ok")


ALL_AWAY = (
    "{ people(first: 3) { totalCount nodes { id } } }",
    "{ people(first: 3) { nodes { id publications(first: 2) { doi } } } projects(first: 1) { nodes { id } } }",
    "{ installations(first: 3) { nodes { id } } }",
    'mutation { createProject(input: {title: "Away"}) { project { id } errors { code } } }',
)


async def seen_token(own: World) -> dict[str, str]:
    """A token that the server has seen: it asks nobody about it again now."""
    token = {"Authorization": f"Bearer {own.token('admin')}"}
    answer = await own.client.post("/graphql", json={"query": "{ viewer { subject } }"}, headers=token)
    assert answer.status_code == 200
    return token


@pytest.mark.parametrize("query", ALL_AWAY)
async def test_nothing_of_a_graphql_answer_is_left(own: World, query: str) -> None:
    """Where all that was asked is away: 503 without data, also for fields that may be null."""
    token = await seen_token(own)
    with away(own.runtime.database):
        answer = await own.client.post("/graphql", json={"query": query}, headers=token)
    assert (answer.status_code, answer.json()["data"], answer.headers["retry-after"]) == (503, None, "5")
    assert {entry["extensions"]["code"] for entry in answer.json()["errors"]} == {"SERVICE_UNAVAILABLE"}
    answer = await own.client.post("/graphql", json={"query": query}, headers=token)
    assert (answer.status_code, answer.json().get("errors")) == (200, None)


async def test_what_needs_no_database_is_shown(own: World) -> None:
    """A part of a GraphQL answer is an answer: 200, with an error for what is away."""
    token = await seen_token(own)
    query = "{ viewer { subject } people(first: 3) { nodes { id } } }"
    with away(own.runtime.database):
        answer = await own.client.post("/graphql", json={"query": query}, headers=token)
    assert (answer.status_code, answer.json()["data"]["people"]) == (200, None)
    assert answer.json()["data"]["viewer"]["subject"]
    assert answer.json()["errors"][0]["path"] == ["people"]


async def test_a_preflight_during_an_outage(own: World) -> None:
    """OPTIONS opens nothing to a browser while nobody can say whose the origin is, and does not break."""
    installation = await own.installation(verified=False)
    origin = await own.origin(installation["id"])
    with away(own.runtime.database):
        answer = await own.client.options(V1 + "/people", headers={"Origin": origin["origin"]})
    assert answer.status_code == 204
    assert "access-control-allow-origin" not in answer.headers
    answer = await own.client.options(V1 + "/people", headers={"Origin": origin["origin"]})
    assert answer.headers["access-control-allow-origin"] == origin["origin"]


async def test_what_was_held_is_written_afterwards(own: World) -> None:
    """Uses and refusals of the time of the outage are in the database once it is back."""
    v1, key = Surface(own), await own.ready_key(["works.read"])
    await v1.ok("/works", key)
    with away(own.runtime.database):
        refused = await v1.get("/people", key)
        assert refused.status_code == 503, "a refusal that cannot be recorded is not given"
        for flush in (own.runtime.usage.flush, lambda: own.runtime.denials.flush(everything=True)):
            with pytest.raises(Unavailable):
                await flush()
    await own.runtime.usage.flush()
    await own.runtime.denials.flush(everything=True)
    assert [row["count"] for row in await UsageCount.of(own.tenant).select(UsageCount.count)] == [1]
    denied = await AuditEvent.select().where((AuditEvent.tenant == own.tenant) & (AuditEvent.outcome == "deny"))
    assert [(row["action"], row["repeats"]) for row in denied] == [("auth.scope_denied", 1)]


def _open_backends(world: World) -> set[int]:
    """The backends of those connections of the pool that this process takes for open."""
    pool: Any = world.runtime.database.engine.pool
    return {connection.get_server_pid() for connection in pool._all if not connection.is_closed()}


@pytest.mark.postgres
async def test_terminated_backends(tmp_path: Path) -> None:
    """Every connection is cut, again and again, under load: 200 or 503 in the contract's form, and then all is well."""
    with fresh_url("postgres", tmp_path) as url:
        other = open_database(url)
        async with running(url, tmp_path / "home") as served:
            world = await World(*served).open()
            v1 = Surface(world)
            key = await world.ready_key(rate_limit_per_minute=100_000, rate_limit_burst=100_000)
            seen: list[int] = []

            async def ask() -> None:
                for _ in range(40):
                    seen.append((await v1.get("/people", key)).status_code)

            async def cut() -> None:
                for _ in range(8):
                    await other.fetch(KILL)
                    await asyncio.sleep(0.02)

            await asyncio.gather(ask(), ask(), ask(), cut())
            assert set(seen) <= {200, 503}
            async with asyncio.timeout(60):
                while _open_backends(world) - {row["pid"] for row in await other.fetch(BACKENDS)}:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            for _ in range(10):
                await v1.ok("/people", key)


async def test_a_server_starts_without_its_database(tmp_path: Path) -> None:
    """Nothing listens where the database should be: starting says Unavailable and does not hang."""
    from app.asgi import create_app
    from app.settings import load_settings

    url = "postgresql://nobody@127.0.0.1:1/nothing"
    app = create_app(load_settings({}, home=tmp_path, database_url=url, log_level="error"))
    async with asyncio.timeout(60):
        with pytest.raises(Unavailable):
            await app.start()


async def test_a_slow_query_does_not_stop_the_rest(own: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one request waits for the database, health and other requests are answered."""
    v1, key = Surface(own), await own.ready_key()
    await v1.ok("/installation", key)
    engine: Any = own.runtime.database.engine
    send, release = engine.send, asyncio.Event()

    async def slow(shape: Any, sql: str, args: Any) -> Any:
        if " FROM person " in sql:
            await release.wait()
        return await send(shape, sql, args)

    monkeypatch.setattr(engine, "send", slow)
    waiting = asyncio.create_task(v1.get("/people", key))
    await asyncio.sleep(0.01)
    async with asyncio.timeout(30):
        await v1.ok("/health")
        await v1.ok("/works", key)
    assert not waiting.done()
    release.set()
    assert (await waiting).status_code == 200
