"""Access tokens for calls: ahead of their end, once for all who wait, kept through whatever goes wrong meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from app.clock import HOUR, MINUTE, SECOND
from app.errors import IntegrationAuthFailed, IntegrationFailed, IntegrationNotAuthenticated
from models.audit import AuditEvent
from models.integrations import IntegrationToken
from services.integrations.oauth2.refreshing import Refreshes
from tests.oauth2.connecting import Connection, made, token_of
from tests.oauth2.rotating import Rotating
from tests.runtime.platform import Platform

pytestmark = pytest.mark.runtime


async def token_row(connection: Connection) -> dict[str, Any]:
    table = IntegrationToken
    where = table.instance == UUID(connection.instance["id"])
    row = await table.of(connection.platform.tenant).one(*table.all_columns(), where=where)
    assert row is not None
    return row


async def change(connection: Connection, **values: Any) -> None:
    where = IntegrationToken.instance == UUID(connection.instance["id"])
    await IntegrationToken.of(connection.platform.tenant).update(values).where(where)


async def age(connection: Connection, left: int) -> None:
    """As if an hour had passed, and the token were to end in `left` ms."""
    now = connection.platform.world.context().now
    await change(connection, obtained_at=now - HOUR, expires_at=now + left, refresh_at=now - 1)


async def settled(connection: Connection) -> None:
    """What runs in the background has ended."""
    await connection.platform.world.runtime.refreshes.stop()


async def test_a_hundred_calls_are_one_refresh(platform: Platform, provider: Rotating) -> None:
    connection = await (await made(platform, provider)).connect()
    old = await connection.token()
    await age(connection, -1)
    tokens = await asyncio.gather(*(connection.token() for _ in range(100)))
    assert len(set(tokens)) == 1 and tokens[0] != old and provider.accepts(tokens[0])
    assert [form["grant_type"] for form in provider.requests] == ["authorization_code", "refresh_token"]
    row = await token_row(connection)
    assert (row["version"], row["lease_owner"], row["failures"]) == (2, None, 0)


async def test_when_a_token_is_refreshed(platform: Platform, provider: Rotating) -> None:
    """15 minutes ahead of its end, or half of its life; nobody waits while it is good for long enough."""
    for lifetime, ahead in ((3_600, 15 * MINUTE), (60, 30 * SECOND)):
        provider.lifetime = lifetime
        connection = await (await made(platform, provider)).connect()
        row = await token_row(connection)
        assert row["expires_at"] - row["obtained_at"] == lifetime * SECOND
        assert row["expires_at"] - row["refresh_at"] == ahead
    old = await connection.token()
    await age(connection, 2 * MINUTE)
    assert await connection.token() == old
    await settled(connection)
    assert await connection.token() != old


async def test_the_old_refresh_token_is_kept_where_none_comes(platform: Platform, provider: Rotating) -> None:
    connection = await (await made(platform, provider)).connect()
    provider.rotates = False
    for _ in range(2):
        await age(connection, -1)
        assert provider.accepts(await connection.token())
    assert len({form["refresh_token"] for form in provider.requests[1:]}) == 1


async def test_a_forced_refresh(platform: Platform, provider: Rotating) -> None:
    """Another token, once: who was refused with the one before takes the new one."""
    connection = await (await made(platform, provider)).connect()
    old = await connection.token()
    await change(connection, obtained_at=(await token_row(connection))["obtained_at"] - MINUTE)
    fresh = await connection.token(force=True)
    assert fresh != old and provider.accepts(fresh)
    assert await connection.token(force=True) == fresh and len(provider.requests) == 2


async def test_what_the_provider_refuses_is_an_auth_error(
    platform: Platform, provider: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its event; every waiter is told, nobody asks again, and connecting again mends it."""
    refreshes, waiting, all_wait = platform.world.runtime.refreshes, list[None](), asyncio.Event()
    join = refreshes._join

    def joined(*given: Any) -> Any:
        waiting.append(None)
        if len(waiting) == 10:
            all_wait.set()
        return join(*given)

    monkeypatch.setattr(refreshes, "_join", joined)
    connection = await (await made(platform, provider)).connect()
    [family] = provider.families.values()
    family.revoked = True
    await age(connection, -1)
    provider.held_first = asyncio.Event()
    calls = [asyncio.ensure_future(connection.token()) for _ in range(10)]
    await all_wait.wait()
    provider.held_first.set()
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(one) for one in found} == {IntegrationAuthFailed} and len(provider.requests) == 2
    shown = await connection.shown()
    assert shown["status"] == "AUTH_ERROR" and "invalid_grant" in shown["error"]
    with pytest.raises(IntegrationNotAuthenticated):
        await connection.token()
    assert len(provider.requests) == 2
    where = (AuditEvent.tenant == platform.tenant) & (AuditEvent.action == "integration_authorization.lost")
    [event] = await AuditEvent.select().where(where)
    assert (event["outcome"], event["actor_id"]) == ("error", "system:refresh")
    await connection.connect()
    assert provider.accepts(await connection.token())


async def test_a_provider_that_is_away_breaks_nothing(platform: Platform, provider: Rotating) -> None:
    """A good token is used meanwhile, and the next try waits; without one the call fails and may be made again."""
    connection = await (await made(platform, provider)).connect()
    old, now = await connection.token(), platform.world.context().now
    provider.instead = lambda: web.Response(status=503)
    await age(connection, 20 * SECOND)
    assert [await connection.token() for _ in range(5)] == [old] * 5
    assert len(provider.requests) == 2
    row = await token_row(connection)
    assert (row["failures"], row["lease_owner"]) == (1, None) and now < row["refresh_at"] <= row["expires_at"]
    await age(connection, -1)
    with pytest.raises(IntegrationFailed) as failed:
        await connection.token()
    assert failed.value.can_retry
    assert (await connection.shown())["status"] == "CONNECTED"
    provider.instead = None
    assert provider.accepts(await connection.token())


async def test_a_holder_that_is_late_keeps_the_connection(platform: Platform, provider: Rotating) -> None:
    """Its lease ran out, another process used the old token and was refused: the late answer counts, and mends."""
    connection = await (await made(platform, provider)).connect()
    await age(connection, -1)
    provider.held, provider.exchanged = asyncio.Event(), asyncio.Event()
    first = asyncio.ensure_future(connection.token())
    await provider.exchanged.wait()
    await change(connection, lease_until=platform.world.context().now - 1)
    other = Refreshes(platform.world.runtime)
    second = asyncio.ensure_future(token_of(other, platform.world.context(), await connection.row()))
    await provider.reused.wait()
    provider.held.set()
    found = await asyncio.gather(first, second, return_exceptions=True)
    assert isinstance(found[0], str) and (found[1] == found[0] or isinstance(found[1], IntegrationAuthFailed))
    assert (await connection.shown())["status"] == "CONNECTED"
    assert await connection.token() == found[0]


async def test_two_processes_refresh_once(platform: Platform, provider: Rotating) -> None:
    """The other waits on the row, and takes what was stored."""
    connection = await (await made(platform, provider)).connect()
    await age(connection, -1)
    provider.slow_share, provider.slow_seconds = 1.0, 0.3
    other, row = Refreshes(platform.world.runtime), await connection.row()
    found = await asyncio.gather(connection.token(), token_of(other, platform.world.context(), row))
    assert found[0] == found[1] and len(provider.requests) == 2 and provider.reuses == 0


async def test_disconnected_while_it_is_refreshed(platform: Platform, provider: Rotating) -> None:
    """What comes back then is revoked: nobody else knows it."""
    connection = await (await made(platform, provider, oauth2={"revocationUrl": f"{provider.url}/revoke"})).connect()
    await age(connection, -1)
    provider.held, provider.exchanged = asyncio.Event(), asyncio.Event()
    asked = asyncio.ensure_future(connection.token())
    await provider.exchanged.wait()
    await platform.ok("DELETE", f"{connection.one}/auth/oauth2", status=204)
    provider.held.set()
    with pytest.raises(IntegrationNotAuthenticated):
        await asked
    [family] = provider.families.values()
    assert provider.revocations[-1]["token"] == family.current and family.revoked
    assert (await connection.shown())["status"] == "DISCONNECTED"


async def test_client_credentials_fetch_their_first_token_once(platform: Platform, provider: Rotating) -> None:
    connection = await made(platform, provider, auth_type="client_credentials")
    assert (await connection.shown())["status"] == "CONNECTED"
    assert len(set(await asyncio.gather(*(connection.token() for _ in range(50))))) == 1
    await age(connection, -1)
    assert provider.accepts(await connection.token())
    assert [(form["grant_type"], form["scope"]) for form in provider.requests] == 2 * [
        ("client_credentials", "repo user")
    ]
    await platform.ok("DELETE", f"{connection.one}/auth/oauth2", status=204)
    with pytest.raises(IntegrationNotAuthenticated):
        await connection.token()


async def test_a_clock_that_was_set_back(platform: Platform, provider: Rotating) -> None:
    """A token from the future is refreshed; a lease that no clock of now can have given counts as run out."""
    connection = await (await made(platform, provider)).connect()
    old, now = await connection.token(), platform.world.context().now
    ahead = {"obtained_at": now + HOUR, "expires_at": now + 2 * HOUR, "refresh_at": now + HOUR + 45 * MINUTE}
    await change(connection, **ahead, lease_owner="gone", lease_until=now + HOUR)
    assert await connection.token() == old
    await settled(connection)
    assert await connection.token() != old
    assert (await token_row(connection))["obtained_at"] < now + MINUTE


@pytest.mark.parametrize("lifetime", [3_600, None])
async def test_without_a_refresh_token(platform: Platform, provider: Rotating, lifetime: int | None) -> None:
    """It is used to its end, and forever where the provider tells none; then the instance is to be connected again."""
    provider.gives_refresh, provider.lifetime = False, lifetime
    connection = await (await made(platform, provider)).connect()
    old = await connection.token()
    assert (await token_row(connection))["refresh_at"] is None
    if lifetime is None:
        await change(connection, obtained_at=0)
        assert await connection.token() == old
        return
    await change(connection, obtained_at=0, expires_at=platform.world.context().now)
    with pytest.raises(IntegrationAuthFailed):
        await connection.token()
    assert (await connection.shown())["status"] == "AUTH_ERROR" and len(provider.requests) == 1
