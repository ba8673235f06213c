"""Tests, discovery and health of connections, over HTTP and by the duty that runs each minute."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import AsyncMock

import pytest

from models.integrations import IntegrationInstance
from services import duties
from services.context import Context
from services.integrations.execution.health import check_due
from tests.runtime.platform import Platform
from tests.runtime.upstreams import after, connected, json, method, upstream
from tests.world import World

pytestmark = pytest.mark.runtime
PING: dict[str, Any] = {"verification": {"method": "call"}}
LIST = method(
    "repositories",
    request={"method": "GET", "path": "/repositories", "query": {"q": "{query}"}},
    pagination={"style": "page", "parameter": "page", "size": 2},
)


def hub(one: str) -> str:
    return one.replace("/instances", "")


async def test_a_connection_is_tested(world: World) -> None:
    """A failed connection is an answer of 200; a disabled one is refused; the health follows."""
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json({}), json({}, 500))
        one = hub(await connected(platform, far.base, method(), **PING))
        assert (await platform.ok("GET", f"{one}/health"))["data"]["status"] == "unknown"
        found = (await platform.ok("POST", f"{one}/test"))["data"]
        assert found["success"] is True and found["message"] == "call answered as it should."
        assert (await platform.ok("GET", f"{one}/health"))["data"]["status"] == "healthy"
        found = (await platform.ok("POST", f"{one}/test", {"timeoutSeconds": 1}))["data"]
        assert found["success"] is False and found["details"] == {"code": "integration_error"}
        health = (await platform.ok("GET", f"{one}/health"))["data"]
        assert (health["status"], health["consecutiveFailures"], len(health["history"])) == ("unhealthy", 1, 2)
        await platform.refused(400, "VAL_FAILED", "POST", f"{one}/test", {"timeoutSeconds": 61})
        await platform.ok("PUT", one, {"enabled": False})
        await platform.refused(422, "INT_DISABLED", "POST", f"{one}/test")


async def test_an_answer_that_is_slow_for_its_connection_is_degraded(world: World) -> None:
    """Four fifths of the configuration's timeout; what somebody gave a test says nothing of the connection."""
    platform, schema = Platform(world), {"type": "object", "properties": {"timeout": {"type": "number"}}}
    async with upstream() as far:
        far.answer(after(0.2, json({})))
        one = hub(await connected(platform, far.base, method(), configSchema=schema, **PING))
        for timeout, status in ((0.22, "degraded"), (1, "healthy"), (1_000_000, "healthy")):
            await platform.ok("PUT", one, {"config": {"timeout": timeout}})
            assert (await platform.ok("POST", f"{one}/test", {"timeoutSeconds": 1}))["data"]["success"]
            assert (await platform.ok("GET", f"{one}/health"))["data"]["status"] == status
        await platform.ok("PUT", one, {"name": "The first"})
        slow = method(timeoutMs=240)
        other = hub(await connected(platform, far.base, slow, name="Slow", **PING))
        assert (await platform.ok("POST", f"{other}/test"))["data"]["success"]
        assert (await platform.ok("GET", f"{other}/health"))["data"]["status"] == "degraded"


async def test_without_a_method_it_is_seen_whether_anybody_answers(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json({}, 404))
        one = hub(await connected(platform, far.base, method()))
        found = (await platform.ok("POST", f"{one}/test"))["data"]
        assert found["success"] and "404" in found["message"]
    found = (await platform.ok("POST", f"{one}/test"))["data"]
    assert not found["success"] and found["details"] == {"code": "integration_error"}


async def test_resources_are_discovered(world: World) -> None:
    platform = Platform(world)
    discover = {
        "repositories": {
            "method": "repositories", "params": "{query: query}", "resources": "[].{id: id, name: full, stars: stars}",
        },
    }  # fmt: skip
    page = [{"id": 1, "full": "a/b", "stars": 3}, {"id": 2, "full": "a/c", "stars": 0}]
    async with upstream() as far:
        far.answer(json(page), json(page[:1]), json({}, 403))
        one = hub(await connected(platform, far.base, LIST, discover=discover))
        asked = {"resourceType": "repositories", "query": "x y"}
        found = (await platform.ok("POST", f"{one}/discover", asked))["data"]
        assert found["resources"][0] == {
            "id": "1", "name": "a/b", "type": "repositories", "metadata": {"stars": 3},
        }  # fmt: skip
        assert far.seen[0].raw_path.endswith("?q=x%20y")
        again = (await platform.ok("POST", f"{one}/discover", asked | {"cursor": found["nextCursor"]}))["data"]
        assert far.seen[1].raw_path.endswith("?q=x%20y&page=2") and again["nextCursor"] is None
        await platform.refused(422, "INT_CONNECTION_FAILED", "POST", f"{one}/discover", asked)
        await platform.refused(422, "INT_DISCOVERY_UNSUPPORTED", "POST", f"{one}/discover", {"resourceType": "tags"})
        await platform.refused(400, "VAL_FAILED", "POST", f"{one}/discover", asked | {"limit": 501})


async def test_a_query_that_nobody_is_asked_narrows_here(world: World) -> None:
    """Where the parameters do not hand it on, each page has what has it in its id or name, and is counted so."""
    listed = method("tags", request={"method": "GET", "path": "/tags"})
    names = ["Release-1", "main", "release-2", "old", "RELEASE-3"]
    async with upstream() as far:
        far.answer(json([{"id": f"#{at}", "name": name} for at, name in enumerate(names)]))
        platform = Platform(world)
        one = hub(await connected(platform, far.base, listed, discover={"tags": {"method": "tags"}}))

        async def found(**asked: Any) -> tuple[list[str], str | None]:
            data = (await platform.ok("POST", f"{one}/discover", {"resourceType": "tags"} | asked))["data"]
            return [each["name"] for each in data["resources"]], data["nextCursor"]

        assert await found() == await found(query="") == (names, None)
        first, cursor = await found(query="release", limit=2)
        assert first == ["Release-1", "release-2"] and cursor is not None
        assert await found(query="release", limit=2, cursor=cursor) == (["RELEASE-3"], None)
        assert await found(query="#3") == (["old"], None) and await found(query="none") == ([], None)


async def due(world: World, one: str) -> None:
    """Make the instance due now; other tenants' are not."""
    runtime, instance = world.runtime, one.rpartition("/")[2]
    table: Any = IntegrationInstance
    await table.across_tenants("only this test's is due").update({"next_check_at": None}).where(table.id.is_not_null())
    await table.of(world.tenant).update({"next_check_at": runtime.clock.now_ms() - 1}).where(table.id == instance)


async def round_of(world: World) -> int:
    def context_of(tenant: Any) -> Context:
        return world.context(tenant)

    return await check_due(world.runtime, context_of)


async def test_the_check_of_each_minute(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No failure healthy, one or two degraded, three unhealthy; only one of two processes checks; twenty are kept."""
    platform = Platform(world)
    # The server's own rounds, one each five seconds, would be a third process.
    monkeypatch.setattr(duties, "check_due", AsyncMock())
    async with upstream() as far:
        far.answer(json({}), json({}, 500), json({}, 500), json({}, 500), json({}))
        one = await connected(platform, far.base, method(), **PING)
        seen = []
        for _ in range(5):
            await due(world, one)
            assert sorted(await asyncio.gather(round_of(world), round_of(world))) == [0, 1]
            seen.append((await platform.ok("GET", f"{hub(one)}/health"))["data"]["status"])
        assert seen == ["healthy", "degraded", "degraded", "unhealthy", "healthy"] and len(far.seen) == 5
        for _ in range(18):
            await due(world, one)
            await round_of(world)
        assert len((await platform.ok("GET", f"{hub(one)}/health"))["data"]["history"]) == 20
        await platform.ok("PUT", one, {"enabled": False})
        await due(world, one)
        await round_of(world)
        assert len(far.seen) == 23 and await round_of(world) == 0
