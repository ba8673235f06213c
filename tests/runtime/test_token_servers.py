"""Token servers that do not do what they should, and registries that send to them."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from tests.runtime.platform import Platform
from tests.runtime.upstreams import Answering, Upstream, after, connected, execute, json, method, raw, upstream
from tests.world import World

pytestmark = pytest.mark.runtime
SECRETS = {"username": "ada", "password": "the-secret-of-ada"}
CHALLENGED = {"authType": "basic", "authConfig": {"challenge": "registry-token"}}


class Registry:
    """Asks for a token at its own `/token`, which answers as it is told; takes none but `taken`."""

    def __init__(self, far: Upstream, answering: Answering, taken: str = "good") -> None:
        self.far, self.answering, self.taken = far, answering, taken
        self.realm = f"{far.base}/token"
        self.paths: list[tuple[str, str | None]] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.paths.append((request.path, request.headers.get("Authorization")))
        if request.path == "/token":
            return await self.answering(request)
        if request.headers.get("Authorization") == f"Bearer {self.taken}":
            return web.json_response({"ok": True})
        asked = f'Bearer realm="{self.realm}",service="it",scope="repository:a:pull"'
        return web.json_response({}, status=401, headers={"WWW-Authenticate": asked})


async def at(platform: Platform, far: Upstream, **changes: Any) -> str:
    return execute(await connected(platform, far.base, method(**changes), credentials=SECRETS, **CHALLENGED))


@pytest.mark.parametrize(
    ("answering", "code", "said"),
    [
        (json({}), "INTEGRATION_ERROR", "without a token"),
        (json([]), "INTEGRATION_ERROR", "without a token"),
        (json({"token": "a\r\nX: y"}), "INTEGRATION_ERROR", "without a token"),
        (json({"token": SECRETS["password"]}), "INTEGRATION_ERROR", "without a token"),
        (raw(b"<html>", "text/html"), "INTEGRATION_ERROR", "without a token"),
        (raw(b"[" * 100_000), "INTEGRATION_ERROR", "without a token"),
        (raw(b" " * 300_000), "INTEGRATION_ERROR", "larger than"),
        (json({}, 302, Location="https://elsewhere.example/token"), "INTEGRATION_ERROR", "redirects to another host"),
        (json({}, 500), "INTEGRATION_ERROR", "status 500"),
        (json({}, 403), "AUTH_ERROR", "status 403"),
        (json({"token": "not-good"}), "AUTH_ERROR", "status 401"),
    ],
    ids=[
        "no-token",
        "a-list",
        "line-break",
        "our-own-password",
        "html",
        "too-deep",
        "too-large",
        "redirect",
        "500",
        "403",
        "not-taken",
    ],
)
async def test_what_gives_no_good_token(world: World, answering: Answering, code: str, said: str) -> None:
    """It is told in words, asked for once for each call, and no secret is in what is told."""
    platform = Platform(world)
    async with upstream() as far:
        registry = Registry(far, answering)
        far.answer(registry)
        one = await at(platform, far)
        for number in (1, 2):
            error = await platform.refused(502, code, "POST", one, {})
            assert said in error["message"] and SECRETS["password"] not in str(error), error
            assert len([path for path, _ in registry.paths if path == "/token"]) == number


async def test_a_slow_token_server_is_within_the_time_of_the_call(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        far.answer(Registry(far, after(5, json({"token": "good"}))))
        error = await platform.refused(504, "TIMEOUT_ERROR", "POST", await at(platform, far, timeoutMs=150), {})
        assert "150 ms" in error["message"]


@pytest.mark.parametrize(
    ("realm", "said"),
    [
        ("https://elsewhere.example/token", "elsewhere.example"),
        ("http://169.254.169.254/latest", "169.254.169.254"),
        ("file:///etc/passwd", "no http or https URL"),
        ("http://ada@127.0.0.1/token", "no http or https URL"),
        ("http://[", "no URL"),
    ],
)
async def test_a_realm_that_is_not_asked(world: World, realm: str, said: str) -> None:
    platform = Platform(world)
    async with upstream() as far:
        registry = Registry(far, json({"token": "good"}))
        registry.realm = realm
        far.answer(registry)
        answer = await platform.ask("POST", await at(platform, far), {})
        assert answer.status_code == 502 and said in answer.json()["error"]["message"]
        assert [path for path, _ in registry.paths] == ["/thing"]


async def test_a_token_that_was_revoked_is_asked_for_again(world: World) -> None:
    """And new credentials never meet the token of the old ones."""
    platform = Platform(world)
    async with upstream() as far:
        registry = Registry(far, json({"token": "good", "expires_in": 3_600}))
        far.answer(registry)
        one = await at(platform, far)
        await platform.ok("POST", one, {})
        registry.taken, registry.answering = "better", json({"access_token": "better"})
        assert (await platform.ok("POST", one, {}))["data"] == {"ok": True}
        instance = one.partition("/methods/")[0]
        await platform.ok("PUT", f"{instance}/credentials", {"credentials": SECRETS | {"password": "another-secret"}})
        registry.paths.clear()
        await platform.ok("POST", one, {})
        assert [path for path, _ in registry.paths] == ["/thing", "/token", "/thing"]
        assert [path for path, sent in registry.paths if sent is None] == ["/thing"], "nothing is sent unasked"
