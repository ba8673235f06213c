"""Methods executed over HTTP: the seed's example, and every error of its table by a real cause."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from app.ids import new_id
from models.audit import AuditEvent
from models.integrations import IntegrationExecution
from services.integrations.execution.intents import give_up_stale
from tests.runtime.platform import DEFINITIONS, INSTANCES, Platform
from tests.runtime.upstreams import after, connected, execute, json, method, raw, upstream
from tests.world import World

pytestmark = pytest.mark.runtime

ISSUE: dict[str, Any] = {
    "name": "createIssue",
    "description": "Create a new issue",
    "paramSchema": {
        "type": "object",
        "properties": {
            "owner": {"type": "string"}, "repo": {"type": "string"}, "issue": {"type": "object", "required": ["title"]},
        },
        "required": ["owner", "repo", "issue"],
    },
    "resultSchema": {"type": "object", "required": ["id", "number"]},
    "request": {"method": "POST", "path": "/repos/{owner}/{repo}/issues", "body": {"template": "issue"}},
    "rateLimits": {"requestsPerMinute": 20, "burstLimit": 3},
    "timeoutMs": 7000,
}  # fmt: skip
PARAMETERS = {
    "owner": "companyorg",
    "repo": "project-x",
    "issue": {
        "title": "Bug in login flow",
        "body": "Users are experiencing intermittent login failures.",
        "labels": ["bug", "urgent"],
    },
}
CREATED = {
    "id": 12345,
    "number": 42,
    "title": "Bug in login flow",
    "state": "open",
    "html_url": "https://github.com/companyorg/project-x/issues/42",
    "created_at": "2023-09-02T11:15:20Z",
}
RULES = [{"status": [422], "message": "'Failed to create issue in GitHub'"}]


async def test_the_example_of_the_seed(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json(CREATED, 201))
        one = await connected(platform, far.base, ISSUE)
        answer = await platform.ask("POST", execute(one, "createIssue"), {"parameters": PARAMETERS})
    assert (answer.status_code, answer.json()) == (200, {"status": "SUCCESS", "data": CREATED})
    assert far.seen[0].path == "/repos/companyorg/project-x/issues" and far.seen[0].method == "POST"
    assert far.bodies == [answer.request.content.partition(b'"issue":')[2].removesuffix(b"}}")]
    assert answer.headers["X-RateLimit-Limit"] == "20" and answer.headers["X-RateLimit-Remaining"] == "2"


async def test_the_error_of_the_seed(world: World) -> None:
    platform = Platform(world)
    told = {
        "message": "Validation Failed",
        "errors": [{"resource": "Issue", "field": "title", "code": "missing_field"}],
    }
    async with upstream() as far:
        far.answer(json(told, 422))
        one = await connected(platform, far.base, ISSUE, errorRules=RULES)
        asked: dict[str, Any] = {"parameters": PARAMETERS}
        error = await platform.refused(502, "INTEGRATION_ERROR", "POST", execute(one, "createIssue"), asked)
    assert error.pop("requestId")
    assert error == {
        "code": "INTEGRATION_ERROR", "message": "Failed to create issue in GitHub",
        "details": {"statusCode": 422, "response": told}, "kind": "integration_error", "canRetry": False,
    }  # fmt: skip


async def test_what_is_not_there(world: World) -> None:
    platform = Platform(world)
    nothing = f"{INSTANCES}/{new_id()}"
    error = await platform.refused(404, "INTEGRATION_NOT_FOUND", "POST", execute(nothing), {})
    assert error["canRetry"] is False
    async with upstream() as far:
        far.answer(json({}))
        one = await connected(platform, far.base, method())
        error = await platform.refused(404, "METHOD_NOT_FOUND", "POST", execute(one, "other"), {})
        assert error["details"]["methods"] == ["call"]
        stranger = Platform(await World(world.app, world.client).open())
        await stranger.refused(404, "INTEGRATION_NOT_FOUND", "POST", execute(one), {})
        assert not far.seen
        definition = (await platform.ok("GET", one))["integrationDefinitionId"]
        await platform.ok("POST", f"{DEFINITIONS}/{definition}/archive")
        await platform.refused(404, "INTEGRATION_NOT_FOUND", "POST", execute(one), {})


async def test_who_may_not(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        one = await connected(platform, far.base, method())
        await platform.refused(401, "UNAUTHORIZED", "POST", execute(one), {}, Authorization="Bearer nobody")
        viewer = Platform(world, "viewer")
        await viewer.refused(403, "FORBIDDEN", "POST", execute(one), {})
        await platform.ok("PUT", one, {"enabled": False})
        error = await platform.refused(409, "CONFLICT", "POST", execute(one), {})
        assert error["kind"] == "integration_disabled" and not far.seen


async def test_parameters_are_checked_first(world: World) -> None:
    """Also before the status of the instance, and they cost nothing of the limit."""
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json(CREATED, 201))
        one = await connected(platform, far.base, ISSUE, {**ISSUE, "name": "free", "rateLimits": None})
        for _ in range(5):
            bad = {"parameters": {"owner": 1, "repo": "x", "issue": {}}}
            error = await platform.refused(400, "VALIDATION_ERROR", "POST", execute(one, "createIssue"), bad)
        assert {each["path"] for each in error["details"]} == {"parameters.owner", "parameters.issue"}
        await platform.refused(400, "VALIDATION_ERROR", "POST", execute(one, "createIssue"), {"params": {}})
        for name in ("..", ".", "../x", "..\\x", ""):
            odd = {"parameters": PARAMETERS | {"owner": name}}
            await platform.refused(400, "VALIDATION_ERROR", "POST", execute(one, "free"), odd)
        assert not far.seen


async def test_the_limit_of_a_method(world: World) -> None:
    """A refused call costs nothing, and the upstream is not asked."""
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json({}))
        limits = {"requestsPerMinute": 1, "burstLimit": 2}
        one = await connected(platform, far.base, method(rateLimits=limits), method("free"))
        for _ in range(2):
            await platform.ok("POST", execute(one), {})
        answer = await platform.ask("POST", execute(one), {})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (429, "RATE_LIMIT_EXCEEDED")
        assert 50 <= int(answer.headers["Retry-After"]) <= 60 and error["canRetry"]
        assert error["retryAfterMs"] == int(answer.headers["Retry-After"]) * 1000
        assert answer.headers["X-RateLimit-Limit"] == "1" and answer.headers["X-RateLimit-Remaining"] == "0"
        await platform.ok("POST", execute(one, "free"), {})
        assert len(far.seen) == 3


async def test_the_limit_of_the_upstream(world: World) -> None:
    """Its 429 is the caller's 429, and nobody asks again before it said so; the circuit does not count it."""
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json({}, 429, Retry_After="7"))
        one = await connected(platform, far.base, method())
        for _ in range(8):
            answer = await platform.ask("POST", execute(one), {})
            assert answer.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
            assert 6 <= int(answer.headers["Retry-After"]) <= 7
        assert len(far.seen) == 1


async def test_credentials_that_are_refused(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json({"message": "no"}, 401))
        one = await connected(platform, far.base, method(), authType="bearer", credentials={"token": "x" * 20})
        error = await platform.refused(502, "AUTH_ERROR", "POST", execute(one), {})
        assert error["details"] == {"statusCode": 401, "response": {"message": "no"}}
        await platform.ask("DELETE", f"{one}/credentials")
        error = await platform.refused(409, "AUTH_ERROR", "POST", execute(one), {})
        assert error["details"] == {"status": "DISCONNECTED"} and len(far.seen) == 1


async def test_the_circuit(world: World) -> None:
    """Five failures in a row open it; another instance's is its own; 4xx count for nothing."""
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json({}, 404), json({}, 500))
        one = await connected(platform, far.base, method())
        for status in (404, 500, 500, 500, 500, 500):
            error = await platform.refused(502, "INTEGRATION_ERROR", "POST", execute(one), {})
            assert error["details"]["statusCode"] == status
        answer = await platform.ask("POST", execute(one), {})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "CIRCUIT_OPEN")
        assert 26 <= int(answer.headers["Retry-After"]) <= 33 and answer.json()["error"]["canRetry"]
        assert len(far.seen) == 6


async def test_the_deadline(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        far.answer(after(5, json({})))
        one = await connected(platform, far.base, method(timeoutMs=150))
        error = await platform.refused(504, "TIMEOUT_ERROR", "POST", execute(one), {})
        assert error["kind"] == "integration_timeout" and error["canRetry"]


async def test_what_cannot_be_executed(world: World) -> None:
    """A template that does not take the parameters; an address that this server does not call."""
    platform = Platform(world)
    broken = method(request={"method": "POST", "path": "/x", "body": {"template": "length(a)"}})
    one = await connected(platform, "https://10.1.2.3", broken, method("other"))
    await platform.refused(500, "EXECUTION_ERROR", "POST", execute(one), {"parameters": {"a": 1}})
    error = await platform.refused(500, "EXECUTION_ERROR", "POST", execute(one, "other"), {})
    assert error["details"] == {"rule": "address"}


async def test_a_malformed_response(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        one = await connected(platform, far.base, method(resultSchema={"type": "object", "required": ["id"]}))
        for answer in (
            raw(b'{"id":'),
            json({}),
            json([1]),
            raw(b"<html>", "text/html"),
            raw(b"\xff", "application/json"),
        ):
            far.answer(answer)
            error = await platform.refused(502, "INTEGRATION_ERROR", "POST", execute(one), {})
            assert "malformed response" in error["message"] and error["details"]["statusCode"] == 200


async def test_a_key_does_not_repeat_what_may_have_been_done(world: World) -> None:
    """A write that ended in an error was sent: the same key gives the error again. One that was not sent is free."""
    platform = Platform(world)
    write = method("w", request={"method": "POST", "path": "/w"}, resultPath="length(a)")
    async with upstream() as far:
        one = await connected(platform, far.base, write)
        for number, answer in enumerate((json({"a": 1}), json({}, 500))):
            far.answer(answer)
            far.seen.clear()
            for _ in range(2):
                again = await platform.ask("POST", execute(one, "w"), {}, Idempotency_Key=f"k{number}")
                assert again.json()["error"]["code"] == "INTEGRATION_ERROR"
            assert again.headers["Idempotency-Replayed"] == "true" and len(far.seen) == 1
        far.answer(json({}, 429), json({"a": [1]}))
        await platform.refused(429, "RATE_LIMIT_EXCEEDED", "POST", execute(one, "w"), {}, Idempotency_Key="k9")
        await platform.refused(429, "RATE_LIMIT_EXCEEDED", "POST", execute(one, "w"), {}, Idempotency_Key="k9")
    for _ in range(2):
        answer = await platform.ask("POST", execute(one, "w"), {}, Idempotency_Key="k10")
        assert "Idempotency-Replayed" not in answer.headers


async def test_what_was_executed_is_listed(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json({"a": 1}), json({}, 500))
        one = await connected(platform, far.base, method(), method("write", request={"method": "POST", "path": "/w"}))
        await platform.ok("POST", execute(one), {})
        await platform.refused(502, "INTEGRATION_ERROR", "POST", execute(one, "write"), {})
        await world.runtime.executions.flush()
        found = await platform.ok("GET", f"{one}/executions")
        assert [(each["method"], each["outcome"], each["statusCode"]) for each in found["items"]] == [
            ("write", "failed", 500), ("call", "success", 200),
        ]  # fmt: skip
        assert found["items"][0]["code"] == "integration_error" and found["items"][1]["responseBytes"] == 8
        assert (await platform.ok("GET", f"{one}/executions?outcome=success"))["pagination"]["total"] == 1
        assert (await platform.ok("GET", one))["lastUsedAt"]


async def test_an_idempotency_key_executes_once(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json({"n": 1}), json({"n": 2}))
        one = await connected(
            platform, far.base, method("w", idempotency="key", request={"method": "POST", "path": "/w"})
        )
        first = await platform.ask("POST", execute(one, "w"), {}, Idempotency_Key="k1")
        again = await platform.ask("POST", execute(one, "w"), {}, Idempotency_Key="k1")
        assert first.json() == again.json() and again.headers["Idempotency-Replayed"] == "true"
        assert len(far.seen) == 1 and len(far.seen[0].headers["Idempotency-Key"]) == 40


async def test_over_graphql_with_its_events(world: World) -> None:
    """The result, an upstream's error as an expected refusal, and an event for each; the same operation as REST."""
    from graph.relay import to_global_id
    from services.integrations.instances.status import integrations_topic

    platform = Platform(world)
    query = (
        "mutation($input: ExecuteIntegrationMethodInput!) { executeIntegrationMethod(input: $input) "
        "{ result nextCursor errors { code ... on ProblemError { details } } } }"
    )
    async with upstream() as far:
        far.answer(json({"a": [1]}), json({"why": "no"}, 422))
        one = await connected(platform, far.base, method())
        asked = {"id": to_global_id("IntegrationInstance", one.rpartition("/")[2]), "method": "call"}
        with world.runtime.bus.subscribe(integrations_topic(world.tenant)) as live:
            first, second = [(await world.graphql(query, world.token("admin"), input=asked)).json() for _ in range(2)]
            messages = live.messages()
            events = [await anext(messages) for _ in range(2)]
    assert first["data"]["executeIntegrationMethod"] == {"result": {"a": [1]}, "nextCursor": None, "errors": []}
    [problem] = second["data"]["executeIntegrationMethod"]["errors"]
    assert problem == {"code": "integration_error", "details": {"statusCode": 422, "response": {"why": "no"}}}
    assert [event["type"] for event in events] == ["integration.method.executed", "integration.method.failed"]
    assert events[1]["status_code"] == 422 and events[1]["instance"] == one.rpartition("/")[2]


async def test_what_is_audited(world: World) -> None:
    """A method that changes something leaves an event with its outcome; one that reads, or was refused, none."""
    from models.audit import AuditEvent

    platform = Platform(world)
    async with upstream() as far:
        far.answer(json({}), json({}), json({}, 500))
        one = await connected(platform, far.base, method(), method("w", request={"method": "POST", "path": "/w"}))
        await platform.ok("POST", execute(one), {})
        await platform.ok("POST", execute(one, "w"), {})
        await platform.refused(502, "INTEGRATION_ERROR", "POST", execute(one, "w"), {})
        await platform.refused(404, "METHOD_NOT_FOUND", "POST", execute(one, "x"), {})
    where = (AuditEvent.tenant == world.tenant) & (AuditEvent.action == "integration_method.executed")
    events = await AuditEvent.select(AuditEvent.outcome, AuditEvent.resource_id).where(where)
    assert sorted(event["outcome"] for event in events) == ["allow", "error"]
    assert {event["resource_id"] for event in events} == {one.rpartition("/")[2]}


async def test_a_call_that_changes_something_is_recorded_before_it_is_made(world: World) -> None:
    """It is seen while it runs; two that give it up are one; who comes back late says how it ended."""
    platform, runtime = Platform(world), world.runtime
    came, go = asyncio.Event(), asyncio.Event()

    async def held(_: web.Request) -> web.Response:
        came.set()
        await go.wait()
        return web.json_response({}, status=201)

    async with upstream() as far:
        far.answer(held)
        one = await connected(platform, far.base, method("send", request={"method": "POST", "path": "/messages"}))
        asked = asyncio.ensure_future(platform.ask("POST", execute(one, "send"), {}))
        await came.wait()
        [row] = (await platform.ok("GET", f"{one}/executions"))["items"]
        assert (row["outcome"], row["attempts"], row["statusCode"]) == ("running", 1, None)
        where = IntegrationExecution.instance == UUID(one.rpartition("/")[2])
        await IntegrationExecution.of(world.tenant).update({"running_until": 1}).where(where)
        both = await asyncio.gather(*(give_up_stale(runtime, lambda _: world.context()) for _ in range(2)))
        assert sum(both) <= 1  # the server itself may have been faster; the history below says how often
        go.set()
        assert (await asked).status_code == 200
    [after] = (await platform.ok("GET", f"{one}/executions"))["items"]
    assert (after["id"], after["outcome"], after["statusCode"], after["error"]) == (row["id"], "success", 201, None)
    told = (AuditEvent.tenant == world.tenant) & (AuditEvent.action == "integration_method.executed")
    events = await AuditEvent.select(AuditEvent.outcome).where(told).order_by(AuditEvent.id)
    assert [event["outcome"] for event in events] == ["error", "allow"]
