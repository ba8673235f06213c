"""Clients whose credentials lie in a vault: read when a token is asked for, and never while a lease is held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from app.errors import IntegrationAuthFailed, IntegrationNotAuthenticated
from services.integrations.oauth2.clients import client_of
from services.paging import statement
from tests.oauth2.connecting import Connection, made, token_of
from tests.oauth2.rotating import CLIENT, SECRET, Rotating
from tests.oauth2.test_executing import execute
from tests.oauth2.test_refreshing import age, change, settled, token_row
from tests.runtime.platform import INSTANCES, Platform
from tests.runtime.vaults import INTEGRATIONS, TOKEN, KvVault, connected_vault, kv_vault

pytestmark = pytest.mark.runtime
BOTH = {"clientId": CLIENT, "clientSecret": SECRET, "other": 7}


@pytest_asyncio.fixture(loop_scope="session")
async def vault() -> AsyncIterator[KvVault]:
    async with kv_vault() as started:
        started.secrets["client"] = dict(BOTH)
        yield started


async def referring(platform: Platform, provider: Rotating, vault: KvVault, **given: Any) -> Connection:
    """An instance at the provider that refers to the vault; its methods ask the provider's own resource."""
    await connected_vault(platform, vault)
    names = {name: {"type": "string"} for name in ("organization", "tokenUrl")}
    address = {"baseUrl": provider.url, "allowedHosts": ["127.0.0.1"], "verification": None,
               "configSchema": {"type": "object", "properties": names}}  # fmt: skip
    reference = given.pop("reference", "vault://Our%20vault/client")
    return await made(platform, provider, definition=address, credentialRef=reference, **given)


def forget(platform: Platform) -> None:
    """As if the minute were over in which secrets are kept."""
    platform.world.runtime.vaults._kept.clear()


async def test_a_client_takes_its_token_with_what_lies_in_the_vault(
    platform: Platform, provider: Rotating, vault: KvVault
) -> None:
    """The vault is asked when a token is, and not by the calls that carry it."""
    connection = await referring(platform, provider, vault, auth_type="client_credentials")
    assert (await connection.shown())["status"] == "CONNECTED" and vault.seen == []
    assert await execute(connection) == {"status": "SUCCESS", "data": {"id": 1}}
    assert provider.authentications == ["client_secret_basic"] and vault.seen == ["client"]
    forget(platform)
    await execute(connection)
    assert vault.seen == ["client"] and len(provider.requests) == 1
    await age(connection, -1)
    tokens = await asyncio.gather(*(connection.token() for _ in range(20)))
    assert len(set(tokens)) == 1 and vault.seen == ["client"] * 2 and len(provider.requests) == 2


async def test_a_consent_with_the_secret_alone_in_the_vault(
    platform: Platform, provider: Rotating, vault: KvVault
) -> None:
    """One field is the client's secret where the definition names the client; the tokens are sealed here."""
    given = {"oauth2": {"clientId": CLIENT}, "reference": "vault://Our%20vault/client#clientSecret"}
    connection = await referring(platform, provider, vault, **given)
    assert (await connection.shown())["status"] == "PENDING_AUTHENTICATION"
    await connection.connect()
    assert (await connection.shown())["status"] == "CONNECTED"
    row = await token_row(connection)
    assert row["access_token"] and SECRET not in str(row)
    forget(platform)
    await age(connection, -1)
    assert await execute(connection) == {"status": "SUCCESS", "data": {"id": 1}}
    assert [form["grant_type"] for form in provider.requests] == ["authorization_code", "refresh_token"]
    assert set(provider.authentications) == {"client_secret_basic"} and len(vault.seen) == 2


@pytest.mark.parametrize("auth_type", ["oauth2", "client_credentials"])
async def test_a_secret_that_was_rotated_is_read_again(
    platform: Platform, provider: Rotating, vault: KvVault, auth_type: str
) -> None:
    """Where the token endpoint refuses the one that was kept; at a consent, at a refresh."""
    connection = await referring(platform, provider, vault, auth_type=auth_type)
    if auth_type == "oauth2":
        started = await connection.start()
        provider.secret = vault.secrets["client"]["clientSecret"] = "CANARY-second-secret"  # type: ignore[index]
        await connection.complete(connection.consent(started))
        assert len(vault.seen) == 2
    else:
        await execute(connection)
    asked, read = len(provider.requests), len(vault.seen)
    provider.secret = vault.secrets["client"]["clientSecret"] = "CANARY-third-secret"  # type: ignore[index]
    await age(connection, -1)
    assert await execute(connection) == {"status": "SUCCESS", "data": {"id": 1}}
    assert len(provider.requests) == asked + 2 and len(vault.seen) == read + 1
    assert (await token_row(connection))["lease_owner"] is None


async def test_a_vault_that_is_away_leaves_the_status(platform: Platform, provider: Rotating, vault: KvVault) -> None:
    """A token that is good is used meanwhile; else the call says AUTH_ERROR, and names no secret."""
    connection = await referring(platform, provider, vault, auth_type="client_credentials")
    await execute(connection)
    forget(platform)
    kept, vault.secrets["client"] = vault.secrets["client"], None
    await age(connection, 20_000)
    assert await execute(connection) == {"status": "SUCCESS", "data": {"id": 1}}
    await age(connection, -1)
    error = (await execute(connection, 502))["error"]
    assert error["code"] == "AUTH_ERROR" and "has no secret there" in error["message"] and "CANARY" not in str(error)
    assert (await connection.shown())["status"] == "CONNECTED" and len(provider.requests) == 1
    vault.secrets["client"] = {"clientId": CLIENT}
    error = (await execute(connection, 502))["error"]
    assert "clientSecret" in error["message"]
    vault.secrets["client"] = kept
    assert await execute(connection) == {"status": "SUCCESS", "data": {"id": 1}}


async def test_a_client_that_is_refused_is_mended_in_its_vault(
    platform: Platform, provider: Rotating, vault: KvVault
) -> None:
    """Nobody has to connect it again: the vault can be written at any time, and tells nobody."""
    connection = await (await referring(platform, provider, vault)).connect()
    forget(platform)
    await age(connection, -1)
    provider.secret = "CANARY-elsewhere"
    error = (await execute(connection, 502))["error"]
    assert "invalid_client" in error["message"] and "vault://" in error["message"] and "CANARY" not in str(error)
    shown = await connection.shown()
    assert (shown["status"], shown.get("error")) == ("CONNECTED", None)
    row = await token_row(connection)
    assert (row["lease_owner"], row["failures"]) == (None, 1)
    vault.secrets["client"]["clientSecret"] = provider.secret  # type: ignore[index]
    assert await execute(connection) == {"status": "SUCCESS", "data": {"id": 1}}
    provider.families.clear()
    await age(connection, -1)
    await execute(connection, 502)
    assert (await connection.shown())["status"] == "AUTH_ERROR"


async def test_a_slow_vault_holds_no_lease(platform: Platform, provider: Rotating, vault: KvVault) -> None:
    connection = await (await referring(platform, provider, vault)).connect()
    forget(platform)
    await age(connection, -1)
    vault.asked, vault.held = asyncio.Event(), asyncio.Event()
    asked = asyncio.create_task(connection.token())
    await vault.asked.wait()
    assert (await token_row(connection))["lease_owner"] is None and len(provider.requests) == 1
    vault.held.set()
    assert provider.accepts(await asked) and len(provider.requests) == 2


async def test_a_reference_that_was_changed_meanwhile_is_followed(
    platform: Platform, provider: Rotating, vault: KvVault
) -> None:
    """What was read for the one before is not sent."""
    vault.secrets["other"] = BOTH | {"clientSecret": "CANARY-other-secret"}
    connection = await referring(platform, provider, vault, auth_type="client_credentials")
    vault.asked, vault.held = asyncio.Event(), asyncio.Event()
    asked = asyncio.create_task(execute(connection))
    await vault.asked.wait()
    provider.secret = "CANARY-other-secret"
    await platform.ok("PUT", f"{INTEGRATIONS}/{connection.instance['id']}",
                      {"credentialRef": "vault://Our%20vault/other"})  # fmt: skip
    vault.held.set()
    assert await asked == {"status": "SUCCESS", "data": {"id": 1}}
    assert vault.seen == ["client", "other"] and len(provider.requests) == 1


async def test_a_client_by_reference_goes_nowhere_else(platform: Platform, provider: Rotating, vault: KvVault) -> None:
    """A new token endpoint takes the reference away; what is left of a race is refused before the vault is asked."""
    connection = await referring(platform, provider, vault, auth_type="client_credentials")
    row = await connection.row()
    context = platform.world.context()
    with pytest.raises(IntegrationNotAuthenticated, match="given for"):
        await context.runtime.refreshes.access_token(context, row, "https://thief.example")
    assert vault.seen == [] and provider.requests == []
    moved = {"config": {"organization": "ada", "tokenUrl": "http://127.0.0.1:9/token"}}
    shown = await platform.ok("PUT", f"{INSTANCES}/{connection.instance['id']}", moved)
    assert shown["status"] == "PENDING_AUTHENTICATION" and "credentialRef" not in shown
    with pytest.raises(IntegrationNotAuthenticated):
        await token_of(context.runtime.refreshes, context, await connection.row())
    assert vault.seen == [] and provider.requests == []


async def test_an_idle_token_waits_for_its_vault(platform: Platform, provider: Rotating, vault: KvVault) -> None:
    """Each round that finds it away puts the next one off; the token is refreshed once it is there."""
    connection = await (await referring(platform, provider, vault)).connect()
    forget(platform)
    await age(connection, 600_000)
    refreshes, row = platform.world.runtime.refreshes, await token_row(connection)
    kept, vault.secrets["client"] = vault.secrets["client"], None
    await refreshes.renew_idle(row["tenant"], row["instance"], row["version"])
    put_off = await token_row(connection)
    assert put_off["failures"] == 1 and put_off["refresh_at"] > platform.world.context().now
    assert put_off["lease_owner"] is None and len(provider.requests) == 1
    vault.secrets["client"] = kept
    await change(connection, refresh_at=row["refresh_at"])
    await refreshes.renew_idle(row["tenant"], row["instance"], row["version"])
    assert (await token_row(connection))["failures"] == 0 and len(provider.requests) == 2


async def test_an_authorization_says_what_its_vault_lacks(
    platform: Platform, provider: Rotating, vault: KvVault
) -> None:
    connection = await referring(platform, provider, vault, oauth2={"clientAuthentication": "client_secret_post"})
    vault.secrets["client"] = {"clientId": CLIENT}
    path, body = f"{connection.one}/auth/oauth2/start", {"redirectUri": "https://app.example.com/oauth/callback"}
    error = await platform.refused(409, "AUTH_ERROR", "POST", path, body)
    assert "clientSecret" in error["message"] and "vault://" in error["message"]
    forget(platform)
    vault.token = "another"
    error = await platform.refused(502, "AUTH_ERROR", "POST", path, body)
    assert "cannot be read from vault://" in error["message"] and TOKEN not in str(error)
    with pytest.raises(IntegrationAuthFailed):
        context = platform.world.context()
        await client_of(context, await connection.row())


async def test_no_secret_of_a_client_is_found_anywhere(platform: Platform, provider: Rotating, vault: KvVault) -> None:
    """Neither in a table, nor in a log line, an answer or an event."""
    with capture_logs() as logs:
        connection = await (await referring(platform, provider, vault)).connect()
        forget(platform)
        await age(connection, -1)
        seen = [await execute(connection), await connection.shown()]
        provider.secret = "CANARY-gone"
        await age(connection, -1)
        seen.append(await execute(connection, 502))
        await platform.ok("DELETE", f"{connection.one}/auth/oauth2", status=204)
        await settled(connection)
    assert SECRET not in str(seen) and SECRET not in str(logs)
    await platform.world.runtime.executions.flush()
    await platform.world.runtime.sealer.seal_all()
    tables = ("integration_instance", "integration_secret", "integration_token", "integration_execution", "audit_event")
    for table in tables:
        found = await platform.world.runtime.database.fetch(statement(f"SELECT * FROM {table}"))
        assert SECRET not in str([tuple(row) for row in found]), table
