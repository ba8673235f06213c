"""Methods of an OAuth2 integration are called with its token; a token that is refused is refreshed once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oauth2.connecting import Connection, made
from tests.oauth2.rotating import Rotating
from tests.oauth2.test_refreshing import age, change
from tests.runtime.platform import Platform

pytestmark = pytest.mark.runtime


async def connected(platform: Platform, provider: Rotating, **given: Any) -> Connection:
    """The upstream is the provider's own protected resource."""
    address = {"baseUrl": provider.url, "allowedHosts": ["127.0.0.1"], "verification": None}
    return await made(platform, provider, definition=address, **given)


async def execute(connection: Connection, status: int = 200) -> Any:
    body = {"parameters": {"owner": "ada", "repo": "engine"}}
    return await connection.platform.ok("POST", f"{connection.one}/methods/getRepository/execute", body, status)


@pytest.mark.parametrize("auth_type", ["oauth2", "client_credentials"])
async def test_a_method_is_called_with_the_token(platform: Platform, provider: Rotating, auth_type: str) -> None:
    connection = await connected(platform, provider, auth_type=auth_type)
    if auth_type == "oauth2":
        error = (await execute(connection, 409))["error"]
        assert error["code"] == "AUTH_ERROR"
        await connection.connect()
    assert await execute(connection) == {"status": "SUCCESS", "data": {"id": 1}}
    await age(connection, -1)
    asked = len(provider.requests)
    assert await execute(connection) == {"status": "SUCCESS", "data": {"id": 1}}
    assert len(provider.requests) == asked + 1


async def test_a_token_that_is_refused_is_refreshed_once(platform: Platform, provider: Rotating) -> None:
    """The call is made again with the new one; where that is refused too, it is told."""
    connection = await (await connected(platform, provider)).connect()
    await change(connection, obtained_at=platform.world.context().now - 60_000)
    for family in provider.families.values():
        family.access.clear()
    assert await execute(connection) == {"status": "SUCCESS", "data": {"id": 1}}
    assert [form["grant_type"] for form in provider.requests] == ["authorization_code", "refresh_token"]
    provider.refuses_all = True
    await change(connection, obtained_at=platform.world.context().now - 60_000)
    error = (await execute(connection, 502))["error"]
    assert (error["code"], error["kind"]) == ("AUTH_ERROR", "integration_auth_failed")
    assert len(provider.requests) == 3 and "CANARY" not in str(error)
