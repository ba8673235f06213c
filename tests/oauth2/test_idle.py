"""Tokens that no call uses: refreshed ahead of their end by one process, and given up for one reason alone."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from app.clock import MINUTE, SECOND
from app.database import Statement
from services.duties import duties
from services.integrations.oauth2.idle import refresh_idle
from services.integrations.oauth2.refreshing import Refreshes
from tests.oauth2.connecting import made
from tests.oauth2.rotating import Rotating
from tests.oauth2.test_refreshing import age, change, settled, token_row
from tests.runtime.platform import Platform

pytestmark = pytest.mark.runtime


async def looked(platform: Platform) -> None:
    """One look of the server for idle tokens; those of other tests are not due any more."""
    await refresh_idle(platform.world.runtime)


@pytest.fixture(autouse=True)
async def alone(platform: Platform) -> None:
    await platform.world.runtime.database.execute(Statement("UPDATE integration_token SET refresh_at = NULL"))


async def test_it_is_refreshed_ahead_of_its_end(platform: Platform, provider: Rotating) -> None:
    """Again and again without a call, and not before it is due; the metric counts it."""
    connection = await (await made(platform, provider)).connect()
    await looked(platform)
    assert len(provider.requests) == 1
    for version in (2, 3, 4):
        await age(connection, 5 * MINUTE)
        await looked(platform)
        assert (await token_row(connection))["version"] == version
    assert provider.reuses == 0 and provider.accepts(await connection.token())
    assert len(provider.requests) == 4
    told = (await platform.world.client.get("/metrics")).text
    [line] = [line for line in told.splitlines() if 'refreshes_total{result="refreshed"}' in line]
    assert float(line.split()[-1]) >= 3


async def test_who_is_left_alone(platform: Platform, provider: Rotating) -> None:
    """Disabled, disconnected, without a refresh token, or held by somebody who refreshes."""
    ready = [await (await made(platform, provider)).connect() for _ in range(4)]
    own = await made(platform, provider, auth_type="client_credentials")
    await own.token()
    asked = len(provider.requests)
    for connection in (*ready, own):
        await age(connection, -1)
    await platform.ok("PUT", ready[0].one, {"enabled": False})
    await change(ready[1], refresh_token=None)
    await change(ready[2], lease_owner="somebody", lease_until=platform.world.context().now + MINUTE)
    await platform.ok("DELETE", f"{ready[3].one}/auth/oauth2", status=204)
    await looked(platform)
    assert len(provider.requests) == asked


async def test_two_processes_refresh_it_once(platform: Platform, provider: Rotating) -> None:
    connections = [await (await made(platform, provider)).connect() for _ in range(5)]
    for connection in connections:
        await age(connection, -1)
    runtime, results = platform.world.runtime, []
    other = SimpleNamespace(database=runtime.database, clock=runtime.clock, refreshes=Refreshes(runtime))
    other.refreshes.observe = results.append
    provider.slow_share, provider.slow_seconds = 1.0, 0.1
    both: Any = other
    await asyncio.gather(refresh_idle(runtime), refresh_idle(both))
    assert len(provider.requests) == 10 and provider.reuses == 0
    assert set(results) <= {"refreshed", "superseded"}
    assert [(await token_row(connection))["version"] for connection in connections] == [2] * 5


async def test_a_provider_that_is_away_is_asked_less_and_less(platform: Platform, provider: Rotating) -> None:
    """Also after the token has ended; a call asks at once all the same, and the connection is kept."""
    connection = await (await made(platform, provider)).connect()
    provider.instead = lambda: web.Response(status=503)
    pauses = []
    for _ in range(3):
        await change(connection, refresh_at=1, obtained_at=1, expires_at=2)
        before = platform.world.context().now
        for _ in range(3):
            await looked(platform)
        pauses.append(((await token_row(connection))["refresh_at"] - before) / SECOND)
    assert len(provider.requests) == 4
    assert 24 <= pauses[0] <= 32 and 48 <= pauses[1] <= 62 and 96 <= pauses[2] <= 122
    assert (await connection.shown())["status"] == "CONNECTED"
    provider.instead = None
    assert provider.accepts(await connection.token())


async def test_only_a_refused_grant_gives_it_up(platform: Platform, provider: Rotating) -> None:
    connection = await (await made(platform, provider)).connect()
    provider.instead = lambda: web.json_response({"error": "invalid_client"}, status=401)
    await age(connection, -1)
    await looked(platform)
    assert (await connection.shown())["status"] == "CONNECTED"
    assert (await token_row(connection))["failures"] == 1
    provider.instead = None
    [family] = provider.families.values()
    family.revoked = True
    await age(connection, -1)
    await looked(platform)
    shown = await connection.shown()
    assert shown["status"] == "AUTH_ERROR" and "invalid_grant" in shown["error"]


async def test_a_refresh_that_was_cut_off_is_told(platform: Platform, provider: Rotating) -> None:
    """Whoever held the lease is gone, and the provider takes the old token for a stolen one: nobody has to call."""
    connection = await (await made(platform, provider)).connect()
    [family] = provider.families.values()
    family.revoked = True
    await age(connection, -1)
    await change(connection, lease_owner="gone", lease_until=1)
    await looked(platform)
    shown = await connection.shown()
    assert shown["status"] == "AUTH_ERROR" and "cut off before its answer was stored" in shown["error"]


async def test_a_server_that_stops_stores_what_it_asked_for(platform: Platform, provider: Rotating) -> None:
    connection = await (await made(platform, provider)).connect()
    await age(connection, -1)
    provider.held, provider.exchanged = asyncio.Event(), asyncio.Event()
    duty = asyncio.ensure_future(looked(platform))
    await provider.exchanged.wait()
    duty.cancel()
    await asyncio.gather(duty, return_exceptions=True)
    provider.held.set()
    await settled(connection)
    assert (await token_row(connection))["version"] == 2 and provider.accepts(await connection.token())


async def test_it_can_be_switched_off(platform: Platform) -> None:
    import msgspec

    runtime = platform.world.runtime
    for on in (True, False):
        settings = msgspec.structs.replace(runtime.settings, oauth2_refresh_idle=on)
        seen: Any = SimpleNamespace(**vars(runtime) | {"settings": settings})
        assert ("idle tokens" in [duty.name for duty in duties(seen)]) is on
