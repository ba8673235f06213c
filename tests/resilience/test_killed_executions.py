"""A server that is killed while another service does what it was asked: the record has the call, and the history."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from app.settings import load_settings
from models.audit import AuditEvent
from models.integrations import IntegrationExecution
from tests.claims import free_port
from tests.databases import fresh_url
from tests.resilience.processes import ForkedServer
from tests.runtime.platform import Platform
from tests.runtime.upstreams import connected, execute, method, upstream
from tests.world import World, running

pytestmark = pytest.mark.resilience
ALLOWED = "127.0.0.0/8"
QUERY = "{ integrationExecutions(first: 5) { nodes { method outcome error attempts } } }"
ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


class Held:
    """Does what it is asked, and does not answer."""

    def __init__(self) -> None:
        self.came, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, _: web.Request) -> web.Response:
        self.came.set()
        await self.go.wait()
        return web.json_response({})


async def _killed(server: ForkedServer, path: str, token: str, held: Held) -> None:
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            headers = {"Authorization": f"Bearer {token}"}
            asking = asyncio.ensure_future(client.post(f"/api/v1{path}", json={}, headers=headers))
            await held.came.wait()
            server.kill()
            with pytest.raises(httpx.TransportError):
                await asking
    finally:
        held.go.set()
        server.end()


async def _when_given_up(platform: Platform, one: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            [row] = (await platform.ok("GET", f"{one}/executions"))["items"]
            if row["outcome"] != "running":
                return dict(row)
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_call_of_a_killed_server_is_known(engine: str, tmp_path: Path) -> None:
    """It is running until it has surely ended, and unknown then: once, on both surfaces and in the history."""
    home, given = tmp_path / "home", {"egress_allow": [ALLOWED]}
    with fresh_url(engine, tmp_path) as url:
        async with upstream() as far:
            held = Held()
            far.answer(held)
            async with running(url, home, **given) as served:
                world = await World(*served).open()
                sends = method("send", request={"method": "POST", "path": "/messages", "body": {}})
                one, token = await connected(Platform(world), far.base, sends), world.token("admin")
            settings = load_settings({}, home=home, database_url=url, port=free_port())
            server = ForkedServer(settings, DOVETAIL_EGRESS_ALLOW=ALLOWED)
            await _killed(server, execute(one, "send"), token, held)
        tenant = world.tenant
        async with running(url, home, **given) as served:
            world = World(*served)
            world.tenant = tenant
            [row] = (await Platform(world).ok("GET", f"{one}/executions?outcome=running"))["items"]
            assert (row["method"], row["attempts"], row["host"]) == ("send", 1, "127.0.0.1")
            # As if its time had passed while no server ran.
            changed = {IntegrationExecution.running_until: 1}
            await IntegrationExecution.of(tenant).update(changed).where(IntegrationExecution.id.is_not_null())
        async with running(url, home, **given) as served:
            world = World(*served)
            world.tenant = tenant
            row = await _when_given_up(Platform(world), one)
            assert (row["outcome"], row["code"]) == ("unknown", None) and "not known" in row["error"]
            answer = (await world.graphql(QUERY, world.token("admin"))).json()
            [shown] = answer["data"]["integrationExecutions"]["nodes"]
            assert (shown["outcome"], shown["error"]) == ("UNKNOWN", row["error"])
            told = (AuditEvent.tenant == tenant) & (AuditEvent.action == "integration_method.executed")
            [event] = await AuditEvent.select().where(told)
            assert (event["outcome"], event["actor_id"]) == ("error", "system:executions")
            assert '"outcome":"unknown"' in event["after"] and row["requestId"] in event["after"]


async def test_a_caller_who_hangs_up_changes_nothing(tmp_path: Path) -> None:
    """The call is made to its end and recorded; with the same key the caller learns of it later."""
    home, given = tmp_path / "home", {"egress_allow": [ALLOWED]}
    with fresh_url("sqlite", tmp_path) as url:
        async with upstream() as far:
            held = Held()
            far.answer(held)
            async with running(url, home, **given) as served:
                world = await World(*served).open()
                sends = method("send", request={"method": "POST", "path": "/messages", "body": {}})
                one, token = await connected(Platform(world), far.base, sends), world.token("admin")
            settings = load_settings({}, home=home, database_url=url, port=free_port())
            server = ForkedServer(settings, DOVETAIL_EGRESS_ALLOW=ALLOWED)
            await server.start()
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k1"}
            path = f"{server.url}/api/v1{execute(one, 'send')}"
            try:
                async with httpx.AsyncClient(timeout=60) as client:
                    asking = asyncio.ensure_future(client.post(path, json={}, headers=headers))
                    await held.came.wait()
                    asking.cancel()
                    await asyncio.gather(asking, return_exceptions=True)
                async with httpx.AsyncClient(timeout=60) as client:
                    assert (await client.post(path, json={}, headers=headers)).status_code == 409
                    held.go.set()
                    async with asyncio.timeout(60):
                        while (answer := await client.post(path, json={}, headers=headers)).status_code == 409:  # noqa: ASYNC110 - the other is a process
                            await asyncio.sleep(0.02)
                    assert (answer.status_code, answer.headers["Idempotency-Replayed"]) == (200, "true")
                    listed = await client.get(f"{server.url}/api/v1{one}/executions", headers=headers)
                    assert [row["outcome"] for row in listed.json()["items"]] == ["success"]
                assert len(far.seen) == 1
            finally:
                held.go.set()
                server.end()
