"""Methods that are authenticated by a token of an authorization server, or by a signed assertion."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

from models.integrations import IntegrationToken
from tests.runtime.platform import Platform
from tests.runtime.upstreams import connected, execute, json, method, upstream
from tests.world import World

pytestmark = pytest.mark.runtime
CLIENT = {"clientId": "the-client", "clientSecret": "the-secret-of-the-client"}


class Provider:
    """Gives out tokens by number, and takes no lower one than `lowest`."""

    def __init__(self) -> None:
        self.given, self.lowest = 0, 1

    async def __call__(self, request: web.Request) -> web.Response:
        if request.path == "/token":
            self.given += 1
            return web.json_response(
                {"access_token": f"token-{self.given}", "token_type": "Bearer", "expires_in": 3600}
            )
        sent = request.headers.get("Authorization", "").rpartition("-")[2]
        good = sent.isdigit() and int(sent) >= self.lowest
        return web.json_response({"n": sent} if good else {}, status=200 if good else 401)


async def aged(world: World) -> None:
    """The token was obtained a while ago, so that a refusal of it is a reason to fetch another."""
    table: Any = IntegrationToken
    earlier = {"obtained_at": world.runtime.clock.now_ms() - 60_000}
    await table.of(world.tenant).update(earlier).where(table.id.is_not_null())


async def test_a_token_that_is_refused_is_fetched_again_once(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        provider = Provider()
        far.answer(provider)
        config = {"tokenUrl": f"{far.base}/token"}
        one = await connected(
            platform, far.base, method(), authType="client_credentials", oauth2Config=config, credentials=CLIENT
        )
        for _ in range(2):
            assert (await platform.ok("POST", execute(one), {}))["data"] == {"n": "1"}
        await aged(world)
        provider.lowest = 2
        assert (await platform.ok("POST", execute(one), {}))["data"] == {"n": "2"}
        await aged(world)
        provider.lowest = 99
        await platform.refused(502, "AUTH_ERROR", "POST", execute(one), {})
        assert provider.given == 3


async def test_no_token_is_fetched_for_a_call_that_is_not_made(world: World) -> None:
    """The circuit is looked at before the credentials."""
    platform = Platform(world)
    async with upstream() as far:
        provider = Provider()
        config = {"tokenUrl": f"{far.base}/token"}
        one = await connected(
            platform, far.base, method(), authType="client_credentials", oauth2Config=config, credentials=CLIENT
        )
        far.answer(provider)
        await platform.ok("POST", execute(one), {})
        far.answer(json({}, 500))
        for _ in range(5):
            await platform.refused(502, "INTEGRATION_ERROR", "POST", execute(one), {})
        table: Any = IntegrationToken
        await table.of(world.tenant).update({"expires_at": 1, "refresh_at": 1}).where(table.id.is_not_null())
        far.seen.clear()
        await platform.refused(503, "CIRCUIT_OPEN", "POST", execute(one), {})
        assert not far.seen


async def test_a_signed_assertion(world: World) -> None:
    platform, key = Platform(world), RSAKey.generate_key(2048)
    secrets = {"privateKey": key.as_pem(private=True).decode(), "keyId": "k1"}
    auth = {"algorithm": "RS256", "issuer": "dovetail", "audience": "far", "lifetimeSeconds": 60}
    async with upstream() as far:
        far.answer(json({}))
        one = await connected(platform, far.base, method(), authType="jwt", authConfig=auth, credentials=secrets)
        await platform.ok("POST", execute(one), {})
        token = jwt.decode(far.seen[0].headers["Authorization"].removeprefix("Bearer "), key, algorithms=["RS256"])
        assert token.header["kid"] == "k1" and token.claims["iss"] == "dovetail" and token.claims["aud"] == "far"
        assert token.claims["exp"] - token.claims["iat"] == 60
        assert 28 <= world.runtime.clock.now_ms() // 1000 - token.claims["iat"] <= 60
        await platform.ok("PUT", f"{one}/credentials", {"credentials": {"privateKey": "no key at all"}})
        await platform.refused(500, "EXECUTION_ERROR", "POST", execute(one), {})
