"""Assertions that are exchanged for a token, as GitHub Apps do: signed here, sent once for all who wait."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey
from structlog.testing import capture_logs

from services.inputs import read_input
from services.integrations.definitions.checking import check_definition
from services.integrations.definitions.model import Definition
from services.integrations.definitions.publishing import check_publishable
from services.integrations.instances.rows import find_instance
from services.integrations.oauth2.refreshing import Refreshes
from services.integrations.reviewing.linting import lint_definition
from services.paging import statement
from tests.docs.pages import DOCS, blocks
from tests.egress.servers import serving
from tests.oauth2.connecting import token_of
from tests.oauth2.test_refreshing import age, token_row
from tests.runtime.platform import INSTANCES, Platform
from tests.runtime.upstreams import method
from tests.runtime.vaults import connected_vault, kv_vault

pytestmark = pytest.mark.runtime
KEY = RSAKey.generate_key(2048)
PEM = KEY.as_pem(private=True).decode()
AUTH = {
    "algorithm": "RS256", "lifetimeSeconds": 540,
    "exchange": {"path": "/app/installations/{_config.installationId}/access_tokens", "tokenPath": "token",
                 "expiresPath": "expires_at"},
}  # fmt: skip
CONFIG = {"type": "object", "properties": {"installationId": {"type": "integer"}, "baseUrl": {"type": "string"}},
          "required": ["installationId"]}  # fmt: skip
SECRETS = {"type": "object", "properties": {"clientId": {"type": "string"}, "privateKey": {"type": "string"}},
           "required": ["clientId", "privateKey"]}  # fmt: skip


class Forge:
    """Knows an app by its key, and gives its installations tokens of an hour.

    As GitHub's, an assertion is not issued in its future, and ends at most ten minutes ahead of its clock.
    """

    def __init__(self) -> None:
        self.base = ""
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.good: set[str] = set()
        self.expires: Any = None
        self.status = 201
        self.pause = 0.0
        #: How far its clock is ahead; seconds.
        self.ahead = 0

    async def exchange(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.pause)
        token = jwt.decode(request.headers["Authorization"].removeprefix("Bearer "), KEY, algorithms=["RS256"])
        self.asked.append((request.match_info["id"], token.claims))
        now = time.time() + self.ahead
        if not (token.claims["iat"] <= now < token.claims["exp"] <= now + 600):
            return web.json_response({"message": "A JSON web token could not be decoded"}, status=401)
        if self.status != 201:
            return web.json_response({"message": "no"}, status=self.status)
        made = f"CANARY-installation-{request.match_info['id']}-{len(self.asked)}"
        self.good.add(made)
        until = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
        expires = until.isoformat().replace("+00:00", "Z") if self.expires is None else self.expires
        return web.json_response({"token": made, "expires_at": expires}, status=201)

    async def resource(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return web.json_response({"you": given}, status=200 if given in self.good else 401)


class App:
    """One instance of a definition that exchanges, at a forge."""

    def __init__(self, platform: Platform, forge: Forge, instance: dict[str, Any]) -> None:
        self.platform, self.forge, self.instance = platform, forge, instance
        self.one = f"{INSTANCES}/{instance['id']}"

    async def call(self, status: int = 200) -> Any:
        return await self.platform.ok("POST", f"{self.one}/methods/call/execute", {"parameters": {}}, status)


@asynccontextmanager
async def app(platform: Platform, auth: dict[str, Any] = AUTH, **given: Any) -> AsyncIterator[App]:
    forge = Forge()
    routes = {"/app/installations/{id}/access_tokens": forge.exchange, "/thing": forge.resource}
    async with serving(routes) as base:
        forge.base = base
        changes = {"authType": "jwt", "authConfig": auth, "baseUrl": base, "allowedHosts": ["127.0.0.1"],
                   "methods": [method()], "configSchema": CONFIG, "secretsSchema": SECRETS,
                   "verification": None}  # fmt: skip
        definition = await platform.definition(**changes)
        body: dict[str, Any] = {"config": {"installationId": 7}}
        body |= given or {"credentials": {"clientId": "Iv1.app", "privateKey": PEM}}
        yield App(platform, forge, await platform.instance(definition["id"], **body))


async def test_calls_carry_the_token_that_the_assertion_gave(platform: Platform) -> None:
    async with app(platform) as it:
        assert it.instance["status"] == "CONNECTED" and it.forge.asked == []
        for _ in range(3):
            assert (await it.call())["status"] == "SUCCESS"
        [(installation, claims)] = it.forge.asked
        assert installation == "7" and claims["iss"] == "Iv1.app" and claims["exp"] - claims["iat"] == 540
        row = await token_row(it)  # type: ignore[arg-type]
        assert 3_500_000 < row["expires_at"] - row["obtained_at"] <= 3_600_000 and row["refresh_token"] is None


@pytest.mark.parametrize("ahead", [-55, 55])
@pytest.mark.parametrize("lifetime", [None, 120, 600])
async def test_a_clock_that_is_off_takes_it_too(platform: Platform, ahead: int, lifetime: int | None) -> None:
    """Up to a minute either way, also where the assertion lasts as long as the peer allows."""
    async with app(platform, {**AUTH, "lifetimeSeconds": lifetime}) as it:
        it.forge.ahead = ahead
        assert (await it.call())["status"] == "SUCCESS"


async def test_a_token_is_exchanged_once_for_all_who_wait(platform: Platform) -> None:
    """In one process, and in two: who has the lease asks, and the others take what was stored."""
    async with app(platform) as it:
        it.forge.pause = 0.1
        await asyncio.gather(*(it.call() for _ in range(20)))
        assert len(it.forge.asked) == 1
        await age(it, -1)  # type: ignore[arg-type]
        runtime = platform.world.runtime
        context, row = platform.world.context(), await _row(platform, it)
        both = [runtime.refreshes, Refreshes(runtime)]
        tokens = await asyncio.gather(*(token_of(both[n % 2], context, row) for n in range(10)))
        assert len(set(tokens)) == 1 and len(it.forge.asked) == 2


async def _row(platform: Platform, it: App) -> dict[str, Any]:
    return await find_instance(platform.tenant, UUID(it.instance["id"]))


async def test_a_token_that_is_refused_is_exchanged_anew(platform: Platform) -> None:
    async with app(platform) as it:
        await it.call()
        await age(it, 3_000_000)  # type: ignore[arg-type]
        it.forge.good.clear()
        assert (await it.call())["status"] == "SUCCESS" and len(it.forge.asked) == 2


@pytest.mark.parametrize(
    ("status", "code", "after"),
    [
        (401, "AUTH_ERROR", "AUTH_ERROR"),
        (404, "INTEGRATION_ERROR", "CONNECTED"),
        (503, "INTEGRATION_ERROR", "CONNECTED"),
    ],
)
async def test_an_exchange_that_fails(platform: Platform, status: int, code: str, after: str) -> None:
    """Only that the assertion is refused says something of the connection; no secret is in what is told."""
    async with app(platform) as it:
        it.forge.status = status
        error = (await it.call(502))["error"]
        assert error["code"] == code and "PRIVATE" not in str(error)
        assert (await platform.ok("GET", it.one))["status"] == after


@pytest.mark.parametrize("expires", [3_600, "3600", "never", "\u00b2", "9" * 400, 10**400, None, True])
async def test_how_long_a_token_is_good(platform: Platform, expires: Any) -> None:
    """A span, an instant, or nothing that can be read: then until it is refused."""
    async with app(platform) as it:
        it.forge.expires = [] if expires is None else expires
        await it.call()
        row = await token_row(it)  # type: ignore[arg-type]
        known = expires in (3_600, "3600") and expires is not True
        assert (row["expires_at"] is not None) == known
        assert not known or row["expires_at"] - row["obtained_at"] == 3_600_000


async def test_a_token_stands_for_its_configuration(platform: Platform) -> None:
    """Another installation has another token, and so have other credentials."""
    async with app(platform) as it:
        await it.call()
        await platform.ok("PUT", it.one, {"config": {"installationId": 8}})
        assert "CANARY" not in str(await it.call()) and [each for each, _ in it.forge.asked] == ["7", "8"]
        given = {"credentials": {"clientId": "Iv1.other", "privateKey": PEM}}
        await platform.ok("PUT", f"{it.one}/credentials", given)
        await it.call()
        assert [claims["iss"] for _, claims in it.forge.asked] == ["Iv1.app", "Iv1.app", "Iv1.other"]
        await platform.ok("PUT", it.one, {"config": {"installationId": 8, "baseUrl": "http://127.0.0.1:9"}})
        assert (await it.call(409))["error"]["code"] == "AUTH_ERROR" and len(it.forge.asked) == 3


async def test_a_private_key_that_lies_in_a_vault(platform: Platform) -> None:
    """Asked for when a token is, and not by the calls that carry it."""
    async with kv_vault() as vault:
        vault.secrets["app"] = {"clientId": "Iv1.app", "privateKey": PEM}
        await connected_vault(platform, vault)
        async with app(platform, credentialRef="vault://Our%20vault/app") as it:
            await it.call()
            platform.world.runtime.vaults._kept.clear()
            await it.call()
            assert vault.seen == ["app"] and len(it.forge.asked) == 1


async def test_neither_key_nor_token_is_found_anywhere(platform: Platform) -> None:
    async with app(platform) as it:
        with capture_logs() as logs:
            seen = [str(await it.call()), str(await platform.ok("GET", it.one))]
        assert "CANARY" not in str(seen) + str(logs) and "PRIVATE KEY" not in str(seen) + str(logs)
        for table in ("integration_token", "integration_secret", "integration_execution"):
            rows = await platform.world.runtime.database.fetch(statement(f"SELECT * FROM {table}"))
            assert "CANARY-installation" not in str([tuple(row) for row in rows]), table


@pytest.mark.parametrize(
    ("changes", "path", "rule"),
    [
        ({"authType": "bearer", "secretsSchema": None}, "authConfig.exchange", "takes jwt"),
        ({"authConfig": {"exchange": {"path": "/a/{id}", "tokenPath": "t"}}}, "authConfig.exchange.path",
         "configuration"),
        ({"authConfig": {"exchange": {"path": "/a/{_config.x}", "tokenPath": "t"}}}, "authConfig.exchange.path",
         "configuration"),
        ({"authConfig": {"exchange": {"path": "a", "tokenPath": "t"}}}, "authConfig.exchange.path", "one slash"),
        ({"authConfig": {"exchange": {"path": "/a", "tokenPath": "t["}}}, "authConfig.exchange.tokenPath", "JMESPath"),
    ],
)  # fmt: skip
async def test_what_an_exchange_may_be(platform: Platform, changes: dict[str, Any], path: str, rule: str) -> None:
    body = {"name": "App", "description": "", "version": "1.0.0", "type": "http", "authType": "jwt", "authConfig": AUTH,
            "baseUrl": "https://forge.example", "methods": [method()], "configSchema": CONFIG,
            "secretsSchema": SECRETS} | changes  # fmt: skip
    error = await platform.refused(400, "VALIDATION_ERROR", "POST", "/integrations/definitions", body)
    assert any(each["path"] == path and rule in each["message"] for each in error["details"]), error


def test_the_page_shows_a_definition_that_can_be_published() -> None:
    """And lint tells where nothing says how long a token is good."""
    page = DOCS / "operations" / "connect-an-oauth2-provider.md"
    [shown] = [block.body for block in blocks(page) if '"exchange"' in block.body]
    found = read_input(Definition, shown.encode())
    check_definition(found)
    check_publishable(found)
    assert "expires" not in {each.rule for each in lint_definition(found)}
    without = read_input(Definition, shown.replace(',\n      "expiresPath": "expires_at"', "").encode())
    assert "expires" in {each.rule for each in lint_definition(without)}
