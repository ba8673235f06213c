"""What is tried again and what is not; circuits with many callers, processes and a restart; pages."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from aiohttp import web

from models.integrations import IntegrationCircuit
from services.integrations.execution.circuits import Circuits
from tests.runtime.platform import Platform
from tests.runtime.upstreams import Upstream, connected, execute, json, method, reset, upstream
from tests.world import World

pytestmark = pytest.mark.runtime
QUICK = {"maxAttempts": 3, "initialDelayMs": 1}


def write(name: str = "write", **changes: Any) -> dict[str, Any]:
    return method(name, request={"method": "POST", "path": "/w", "body": {}}, retry=QUICK) | changes


async def test_what_is_tried_again(world: World) -> None:
    """Reads are, also after a lost connection; a write is not; one with a key is, with the same key each time."""
    platform = Platform(world)
    async with upstream() as far:
        one = await connected(platform, far.base, method(retry=QUICK), write(), write("keyed", idempotency="key"))
        far.answer(json({}, 503), reset, json({"n": 3}))
        assert (await platform.ok("POST", execute(one), {}))["data"] == {"n": 3} and len(far.seen) == 3
        for lost in (json({}, 503), reset):
            far.seen.clear()
            far.answer(lost)
            await platform.refused(502, "INTEGRATION_ERROR", "POST", execute(one, "write"), {})
            assert len(far.seen) == 1
        far.seen.clear()
        far.answer(json({}, 503), json({}))
        await platform.ok("POST", execute(one, "keyed"), {})
        first, second = (request.headers["Idempotency-Key"] for request in far.seen)
        assert first == second
        await world.runtime.executions.flush()
        last = (await platform.ok("GET", f"{one}/executions?method=keyed"))["items"][0]
        assert last["attempts"] == 2


async def test_a_write_is_tried_again_where_nothing_was_sent(world: World) -> None:
    """No connection could be made, so no byte of the request went out."""
    platform = Platform(world)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        one = await connected(platform, f"http://127.0.0.1:{taken.getsockname()[1]}", write())
        error = await platform.refused(502, "INTEGRATION_ERROR", "POST", execute(one, "write"), {})
    await world.runtime.executions.flush()
    found = (await platform.ok("GET", f"{one}/executions"))["items"][0]
    assert found["attempts"] == 3 and found["statusCode"] is None and error["canRetry"] is True


async def test_a_pause_beyond_the_deadline_is_not_waited_for(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json({}, 503, Retry_After="30"))
        one = await connected(platform, far.base, method(retry=QUICK, timeoutMs=2_000))
        error = await platform.refused(502, "INTEGRATION_ERROR", "POST", execute(one), {})
        assert error["details"]["statusCode"] == 503 and len(far.seen) == 1


async def opened(platform: Platform, far: Upstream, **changes: Any) -> str:
    """An instance whose circuit opened and may be tried again now."""
    far.answer(json({}, 500))
    one = await connected(platform, far.base, method(), **changes)
    for _ in range(5):
        await platform.refused(502, "INTEGRATION_ERROR", "POST", execute(one), {})
    await platform.refused(503, "CIRCUIT_OPEN", "POST", execute(one), {})
    await over(platform.world)
    return one


async def over(world: World) -> None:
    """The time that the circuits of this tenant are open is over; this process knows it."""
    table: Any = IntegrationCircuit
    await table.of(world.tenant).update({"opened_at": 1, "open_until": 2}).where(table.id.is_not_null())
    for known in world.runtime.circuits._known.values():
        if known.row is not None:
            known.row = dict(known.row) | {"opened_at": 1, "open_until": 2}


class Held:
    """Answers once it is let go."""

    def __init__(self) -> None:
        self.came, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, _: web.Request) -> web.Response:
        self.came.set()
        await self.go.wait()
        return web.json_response({})


async def test_fifty_callers_make_one_probe(world: World) -> None:
    """In one process and in two on the same database; then two successes close it."""
    platform = Platform(world)
    async with upstream() as far:
        one = await opened(platform, far)
        held, path = Held(), execute(one)
        far.answer(held)
        far.seen.clear()
        mine = world.runtime.circuits
        other = Circuits(world.runtime.database, world.runtime.clock)
        calls = []
        for number in range(50):
            # Every other call as by another process, which knows what is in the database alone.
            world.runtime.circuits = other if number % 2 else mine
            calls.append(asyncio.ensure_future(platform.ask("POST", path, {})))
            await asyncio.sleep(0.002)
        world.runtime.circuits = mine
        # Long enough for whoever would be let through beside the probe.
        await asyncio.sleep(0.5)
        held.go.set()
        statuses = [answer.status_code for answer in await asyncio.gather(*calls)]
        assert (statuses.count(200), statuses.count(503), far.most_at_once, len(far.seen)) == (1, 49, 1, 1)
        far.answer(json({}))
        await platform.ok("POST", path, {})
        [row] = await IntegrationCircuit.of(world.tenant).select(IntegrationCircuit.state, IntegrationCircuit.openings)
        assert row == {"state": "closed", "openings": 0}
        answers = await asyncio.gather(*(platform.ask("POST", path, {}) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}


async def test_a_probe_that_fails_opens_it_for_longer(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        one = await opened(platform, far)
        for least in (54, 108, 216, 270):
            await platform.refused(502, "INTEGRATION_ERROR", "POST", execute(one), {})
            answer = await platform.ask("POST", execute(one), {})
            assert answer.json()["error"]["code"] == "CIRCUIT_OPEN"
            assert least <= int(answer.headers["Retry-After"]) <= min(least * 11 / 9 + 1, 300)
            await over(world)


async def test_a_probe_that_is_killed_is_followed_by_another(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        one = await opened(platform, far)
        table: Any = IntegrationCircuit
        gone = {"state": "half_open", "probe_owner": "killed", "version": 9}
        now = world.runtime.clock.now_ms()
        world.runtime.circuits = Circuits(world.runtime.database, world.runtime.clock)
        far.answer(json({}))
        await table.of(world.tenant).update(gone | {"probe_until": now + 20_000}).where(table.id.is_not_null())
        await platform.refused(503, "CIRCUIT_OPEN", "POST", execute(one), {})
        await table.of(world.tenant).update({"probe_until": now - 1}).where(table.id.is_not_null())
        # The row is looked at again after half a second, or as here.
        world.runtime.circuits._lagged()
        await platform.ok("POST", execute(one), {})


async def test_an_open_circuit_survives_a_restart_and_is_shown(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json({}, 500))
        one = await connected(platform, far.base, method())
        for _ in range(5):
            await platform.refused(502, "INTEGRATION_ERROR", "POST", execute(one), {})
        world.runtime.circuits = Circuits(world.runtime.database, world.runtime.clock)
        await platform.refused(503, "CIRCUIT_OPEN", "POST", execute(one), {})
        query = "{ integrationInstances(first: 5) { nodes { circuits { host state openings openUntil } } } }"
        answer = (await world.graphql(query, world.token("admin"))).json()
        [shown] = answer["data"]["integrationInstances"]["nodes"][0]["circuits"]
        assert (shown["host"], shown["state"], shown["openings"]) == ("127.0.0.1", "OPEN", 1) and shown["openUntil"]


async def test_a_closed_circuit_costs_no_statement(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json({}))
        one = await connected(platform, far.base, method())
        await platform.ok("POST", execute(one), {})
        with world.runtime.database.count_statements() as log:
            await platform.ok("POST", execute(one), {})
        asked = [text for text in log.texts if "integration_" in text]
        assert len(asked) == 2 and not [text for text in asked if "circuit" in text or "execution" in text]


async def test_no_state_costs_a_statement_for_each_call(world: World) -> None:
    """Not while it is open, and a look now and then while another process tries."""
    platform = Platform(world)
    async with upstream() as far:
        one = await opened(platform, far)
        held = Held()
        far.answer(held)
        # The place of the probe is taken by another process.
        others = Circuits(world.runtime.database, world.runtime.clock)
        mine, world.runtime.circuits = world.runtime.circuits, others
        probing = asyncio.ensure_future(platform.ask("POST", execute(one), {}))
        await held.came.wait()
        world.runtime.circuits = mine
        with world.runtime.database.count_statements() as log:
            answers = await asyncio.gather(*(platform.ask("POST", execute(one), {}) for _ in range(30)))
        assert {answer.status_code for answer in answers} == {503}
        assert len(log.texts) >= 30
        assert len([text for text in log.texts if "integration_circuit" in text]) <= 2
        held.go.set()
        await probing
        table: Any = IntegrationCircuit
        now = world.runtime.clock.now_ms()
        opening = {"state": "open", "opened_at": now, "open_until": now + 30_000, "version": 9}
        await table.of(world.tenant).update(opening).where(table.id.is_not_null())
        mine._lagged()
        await platform.refused(503, "CIRCUIT_OPEN", "POST", execute(one), {})
        with world.runtime.database.count_statements() as log:
            await asyncio.gather(*(platform.ask("POST", execute(one), {}) for _ in range(30)))
        assert not [text for text in log.texts if "integration_circuit" in text]


async def test_pages(world: World) -> None:
    """One page a call with a cursor, or all within a bound; a cursor is good for its method alone."""
    platform = Platform(world)

    def paged(name: str, **pagination: Any) -> dict[str, Any]:
        return method(name, pagination=pagination, resultPath="items")

    async with upstream() as far:
        one = await connected(
            platform, far.base, paged("cursor", style="cursor", parameter="after", cursor="next", items="items"),
            paged("offset", style="offset", parameter="start", items="items", size=2, sizeParameter="n"),
            paged("link", style="link", items="items"),
        )  # fmt: skip
        far.answer(json({"items": [1], "next": "b c"}), json({"items": [2]}))
        first = await platform.ok("POST", execute(one, "cursor"), {})
        assert first["data"] == [1]
        await platform.refused(400, "VALIDATION_ERROR", "POST", execute(one, "link"), {"cursor": first["nextCursor"]})
        second = await platform.ok("POST", execute(one, "cursor"), {"cursor": first["nextCursor"]})
        assert (second["data"], second["nextCursor"]) == ([2], None) and far.seen[-1].query["after"] == "b c"
        far.answer(json({"items": [1, 2]}), json({"items": [3, 4]}), json({"items": [5]}))
        assert (await platform.ok("POST", execute(one, "offset"), {"all": True}))["data"] == [1, 2, 3, 4, 5]
        assert [request.query_string for request in far.seen[-3:]] == ["n=2", "n=2&start=2", "n=2&start=4"]
        far.answer(json({"items": [1]}, Link='</thing?p=2>; rel="prev next", </x>; rel=last'), json({"items": [2]}))
        assert (await platform.ok("POST", execute(one, "link"), {"all": True}))["data"] == [1, 2]
        assert far.seen[-1].query_string == "p=2"
        far.answer(json({"items": []}, Link='<http://169.254.169.254/>; rel="next"'))
        await platform.refused(502, "INTEGRATION_ERROR", "POST", execute(one, "link"), {})
