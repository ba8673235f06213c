"""Upstreams that are slow, broken, endless, or lead elsewhere; and what they repeat of secrets."""

from __future__ import annotations

import base64
import html
import logging
from json import dumps as to_json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from aiohttp import web

from tests.egress.servers import serving
from tests.runtime.platform import Platform
from tests.runtime.upstreams import (
    CANARY,
    Answering,
    bomb,
    connected,
    endless,
    execute,
    json,
    method,
    raw,
    reset,
    slow_body,
    upstream,
)
from tests.world import World

pytestmark = pytest.mark.runtime
BIG = raw(b'"' + b"x" * 20 * 1024 * 1024 + b'"')


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (slow_body, 504, "TIMEOUT_ERROR"),
        (reset, 502, "INTEGRATION_ERROR"),
        (BIG, 502, "INTEGRATION_ERROR"),
        (bomb(), 502, "INTEGRATION_ERROR"),
        (endless, 502, "INTEGRATION_ERROR"),
        (raw(b"\x1f\x8b broken", Content_Encoding="gzip"), 502, "INTEGRATION_ERROR"),
        (raw(b"[" * 200_000), 502, "INTEGRATION_ERROR"),
        (raw(b"[" * 900 + b"]" * 900), 502, "INTEGRATION_ERROR"),
        (json({}, 302, Location="http://169.254.169.254/latest/meta-data"), 502, "INTEGRATION_ERROR"),
        (json({}, 302, Location="http://127.0.0.1:9/loop"), 502, "INTEGRATION_ERROR"),
        (json({}, 302, Location="file:///etc/passwd"), 502, "INTEGRATION_ERROR"),
        (json({}, 302), 502, "INTEGRATION_ERROR"),
    ],
    ids=[
        "slow body",
        "reset",
        "20 MiB",
        "bomb",
        "endless",
        "gzip",
        "deep",
        "deep and whole",
        "metadata",
        "port",
        "file",
        "nowhere",
    ],
)
async def test_a_hostile_answer(answer: Answering, status: int, code: str, world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        far.answer(answer)
        one = await connected(platform, far.base, method(timeoutMs=1_500))
        await platform.refused(status, code, "POST", execute(one), {})
        far.answer(json({"fine": True}))
        assert (await platform.ok("POST", execute(one), {}))["data"] == {"fine": True}


async def test_a_large_answer_within_the_bound(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        far.answer(raw(b'"' + b"x" * 900 + b'"'))
        one = await connected(platform, far.base, method(maxResponseBytes=1_000), method("small", maxResponseBytes=901))
        assert len((await platform.ok("POST", execute(one), {}))["data"]) == 900
        await platform.refused(502, "INTEGRATION_ERROR", "POST", execute(one, "small"), {})


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "169.254.169.254", "[::ffff:169.254.169.254]", "2852039166", "0xa9fea9fe", "192.168.0.1"]
)
async def test_a_private_base_is_not_called(host: str, world: World) -> None:
    platform = Platform(world)
    schema = {"type": "object", "properties": {"baseUrl": {"type": "string"}}}
    one = await connected(platform, "http://example.org", method(timeoutMs=1_000), configSchema=schema)
    await platform.ok("PUT", one, {"config": {"baseUrl": f"http://{host}"}})
    answer = await platform.ask("POST", execute(one), {})
    assert answer.status_code in (500, 502) and answer.json()["error"]["code"] in (
        "EXECUTION_ERROR",
        "INTEGRATION_ERROR",
    )


async def test_a_configuration_cannot_leave_the_hosts(world: World) -> None:
    platform = Platform(world)
    schema = {"type": "object", "properties": {"baseUrl": {"type": "string"}}}
    async with upstream() as far:
        one = await connected(
            platform, "http://example.org", method(), configSchema=schema, allowedHosts=["example.org"]
        )
        await platform.ok("PUT", one, {"config": {"baseUrl": far.base}})
        error = await platform.refused(500, "EXECUTION_ERROR", "POST", execute(one), {})
        assert error["details"] == {"rule": "host"} and not far.seen


async def test_credentials_do_not_cross_hosts(world: World) -> None:
    """A redirect to another origin is followed where the host may be called, and without what authenticates."""
    platform = Platform(world)
    seen: list[Any] = []

    async def other(request: web.Request) -> web.Response:
        seen.append(request.headers)
        return web.json_response({"there": True})

    auth = {"in": "header", "name": "X-Key"}
    async with upstream() as far, serving({"/there": other}) as elsewhere:
        far.answer(json({}, 302, Location=f"{elsewhere}/there"))
        one = await connected(
            platform, far.base, method(), authType="api_key", authConfig=auth, credentials={"apiKey": CANARY}
        )
        assert (await platform.ok("POST", execute(one), {}))["data"] == {"there": True}
        assert far.seen[0].headers["X-Key"] == CANARY
        assert "X-Key" not in seen[0] and "Authorization" not in seen[0] and CANARY not in str(seen[0])


@pytest.mark.parametrize(
    ("changes", "credentials", "where"),
    [
        ({"authType": "bearer"}, {"token": CANARY}, f"Bearer {CANARY}"),
        ({"authType": "basic"}, {"username": "ada", "password": CANARY}, None),
        ({"authType": "api_key", "authConfig": {"in": "header", "name": "X-Key"}}, {"apiKey": CANARY}, None),
        ({"authType": "api_key", "authConfig": {"in": "query", "name": "key"}}, {"apiKey": CANARY}, None),
    ],
    ids=["bearer", "basic", "header", "query"],
)
async def test_no_secret_comes_back(
    changes: Any, credentials: Any, where: str | None, world: World, caplog: Any, capsys: Any
) -> None:
    """An upstream that repeats all that it was sent; nothing of it is in answers, errors, records or history."""
    platform = Platform(world)
    caplog.set_level(logging.DEBUG)

    async def echo(request: web.Request) -> web.Response:
        told = {"headers": dict(request.headers), "url": request.raw_path, request.headers.get("X-Key", "k"): 1}
        return web.json_response(told, status=far.status, headers={"X-Echo": str(request.url)})

    async with upstream() as far:
        far.answer(echo)
        rule = {"status": [418], "message": "to_string(@)"}
        one = await connected(platform, far.base, method(), errorRules=[rule], **changes, credentials=credentials)
        texts = []
        for status in (200, 400, 401, 418, 500):
            far.status = status
            texts.append((await platform.ask("POST", execute(one), {})).text)
            texts.append((await world.graphql(
                "mutation($id: ID!) { executeIntegrationMethod(input: {id: $id, method: \"call\"}) "
                "{ result errors { message ... on ProblemError { details } } } }",
                world.token("admin"), id=global_id(one),
            )).text)  # fmt: skip
        sent = str([dict(request.headers) for request in far.seen]) + str([request.raw_path for request in far.seen])
    forms = (CANARY, base64.b64encode(f"ada:{CANARY}".encode()).decode())
    assert any(form in sent for form in forms) and "********" in texts[0]
    await world.runtime.executions.flush()
    texts += [(await platform.ask("GET", f"{one}/executions")).text, (await platform.ask("GET", one)).text]
    texts.append((await world.graphql(
        "{ auditEvents(first: 100) { nodes { action before after } } }", world.token("admin")
    )).text)  # fmt: skip
    # The upstream here logs in the same process; its lines are its own.
    texts += [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]
    texts.append("".join(capsys.readouterr()))
    assert not [text for text in texts for form in forms if form in text]


async def test_a_secret_is_masked_in_what_others_make_of_it(world: World) -> None:
    """Written into a URL, a form, JSON within a text, HTML: whichever way an upstream encodes what it repeats."""
    secret, auth = 'k\u00e9y/"<0>\\ & +=!', {"in": "query", "name": "key"}
    plain = {
        "query": quote(secret, safe="/!"), "whole": quote(secret, safe=""), "form": quote_plus(secret),
        "lower": quote(secret, safe="").lower(), "json": to_json({"a": secret}),
        "utf8": to_json({"a": secret}, ensure_ascii=False), "slash": to_json(secret).replace("/", "\\/"),
        "html": html.escape(secret), "base64": base64.b64encode(secret.encode()).decode().rstrip("="),
    }  # fmt: skip
    masked = dict.fromkeys(plain, "********") | {"json": '{"a": "********"}', "utf8": '{"a": "********"}'}
    masked["slash"] = '"********"'
    platform = Platform(world)
    async with upstream() as far:
        one = await connected(
            platform, far.base, method(), authType="api_key", authConfig=auth, credentials={"apiKey": secret}
        )
        far.answer(json(plain))
        assert (await platform.ok("POST", execute(one), {}))["data"] == masked
        far.answer(json(plain, 422))
        assert (await platform.ask("POST", execute(one), {})).json()["error"]["details"]["response"] == masked


def global_id(one: str) -> str:
    from graph.relay import to_global_id

    return to_global_id("IntegrationInstance", one.rpartition("/")[2])
