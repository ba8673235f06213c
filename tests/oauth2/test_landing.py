"""The page where browsers land, what secrets leave behind, and the same over GraphQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from graph.relay import to_global_id
from models.integrations import IntegrationOauthState, IntegrationRedirect, IntegrationToken
from models.piccolo_app import TABLES
from tests.oauth2.connecting import APP, Connection, made
from tests.oauth2.rotating import SECRET, Rotating
from tests.runtime.platform import Platform
from tests.world import World

pytestmark = pytest.mark.runtime
LANDING = "/api/v1/integrations/auth/oauth2/callback"
HERE = f"https://dovetail.example.org{LANDING}"


@pytest_asyncio.fixture(loop_scope="session")
async def browser(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Without a credential."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url="http://dovetail.test") as client:
        yield client


async def landing(platform: Platform, provider: Rotating, **given: Any) -> Connection:
    """An instance whose browser comes back here."""
    connection = await made(platform, provider, **given)
    await platform.ask("POST", "/integrations/auth/oauth2/redirects", {"uri": HERE})
    return connection


async def test_a_browser_lands(platform: Platform, provider: Rotating, browser: httpx.AsyncClient) -> None:
    """It is connected in the name of who began; the page runs nothing, and is good once."""
    connection = await landing(platform, provider, name="The <b>forge</b>")
    answer = connection.consent(await connection.start(HERE))
    page = await browser.get(LANDING, params=answer)
    assert page.status_code == 200 and "The &lt;b&gt;forge&lt;/b&gt; is connected" in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; base-uri 'none'; form-action 'none'")
    assert (page.headers["Referrer-Policy"], page.headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert "<script" not in page.text and "http" not in page.text
    assert (await connection.shown())["status"] == "CONNECTED"
    assert (await browser.get(LANDING, params=answer)).status_code == 400
    assert len(provider.requests) == 1


async def test_what_the_provider_says_is_shown_as_text(
    platform: Platform, provider: Rotating, browser: httpx.AsyncClient
) -> None:
    connection = await landing(platform, provider)
    started = await connection.start(HERE)
    text = "<script>alert('no')</script>\u202e"
    said = {"error": "access_denied", "error_description": text, "state": started["state"]}
    page = await browser.get(LANDING, params=said)
    assert page.status_code == 502 and "access_denied" in page.text
    assert "<script" not in page.text and "&lt;script&gt;alert(&#x27;no&#x27;)" in page.text
    assert (await connection.shown())["status"] == "PENDING_AUTHENTICATION"
    assert await IntegrationOauthState.of(platform.tenant).count() == 0


@pytest.mark.parametrize(
    "query", ["", "state=x", "code=a&state=x", "state=%ff%00&code=%0d%0a", "&&=&state", "a=1&" * 300]
)
async def test_a_browser_that_brings_nothing(browser: httpx.AsyncClient, query: str) -> None:
    page = await browser.get(f"{LANDING}?{query}")
    assert page.status_code == 400 and "Not connected" in page.text


async def test_an_authorization_of_an_application_does_not_land_here(
    platform: Platform, provider: Rotating, browser: httpx.AsyncClient
) -> None:
    """And is not used up by who tries."""
    connection = await landing(platform, provider)
    answer = connection.consent(await connection.start(APP))
    assert (await browser.get(LANDING, params=answer)).status_code == 400
    await connection.complete(answer)


async def test_secrets_leave_no_trace(
    world: World, platform: Platform, provider: Rotating, browser: httpx.AsyncClient
) -> None:
    """Not in the database, nor in logs, answers, errors or the history: neither what worked nor what failed."""
    seen: list[str] = []
    with capture_logs() as logs:
        connection = await landing(platform, provider, oauth2={"revocationUrl": f"{provider.url}/revoke"})
        started = await connection.start(HERE)
        seen.append((await browser.get(LANDING, params=connection.consent(started))).text)
        path = f"{connection.one}/auth/oauth2/callback"
        again = await connection.start()
        bad = {"code": "CANARY-code-that-is-wrong", "state": again["state"]}
        seen.append((await platform.ask("POST", path, bad)).text)
        await connection.token(force=True)
        for family in provider.families.values():
            family.revoked = True
        now = world.context().now
        await _end_tokens(platform, now)
        with pytest.raises(Exception) as refused:
            await connection.token()
        seen += [str(refused.value), repr(refused.value.__dict__), (await platform.get(connection.one)).text]
        left = [dict(row) for table in TABLES for row in await _rows(table)]
        await platform.ok("DELETE", f"{connection.one}/auth/oauth2", status=204)
        await world.runtime.sealer.seal_all()
    left += [dict(row) for table in TABLES for row in await _rows(table)]
    told = "\n".join([*seen, str(logs), str(left)])
    secret = [SECRET, "CANARY-code", "CANARY-access", "CANARY-refresh", started["state"], again["state"]]
    assert not [text for text in secret if text in told]
    assert len(left) > 20 and "integration_authorization.lost" in told


async def _end_tokens(platform: Platform, now: int) -> None:
    ended = {"obtained_at": now - 3_600_000, "expires_at": now - 1, "refresh_at": now - 1}
    await IntegrationToken.of(platform.tenant).update(ended).where(IntegrationToken.version > 0)


async def _rows(table: Any) -> list[Any]:
    return list(await table._meta.db.send("rows", f"SELECT * FROM {table._meta.tablename}", []))


async def test_over_graphql(world: World, platform: Platform, provider: Rotating) -> None:
    """Begun and completed, refused as data, given up; and the list of redirects."""
    connection, token = await made(platform, provider), world.token("admin")
    ident = to_global_id("IntegrationInstance", connection.instance["id"])

    async def ask(text: str, **variables: Any) -> Any:
        body = (await world.graphql(text, token, **variables)).json()
        assert "errors" not in body, body
        return body["data"]

    start = """mutation ($id: ID!, $uri: String!) { startIntegrationAuthorization(id: $id, redirectUri: $uri) {
      authorizationUrl state errors { code path } } }"""
    refused = (await ask(start, id=ident, uri="https://evil.example/"))["startIntegrationAuthorization"]
    assert refused == {
        "authorizationUrl": None,
        "state": None,
        "errors": [{"code": "validation_failed", "path": ["redirectUri"]}],
    }
    started = (await ask(start, id=ident, uri=APP))["startIntegrationAuthorization"]
    answer = connection.consent(started)
    complete = """mutation ($input: CompleteIntegrationAuthorizationInput!) {
      completeIntegrationAuthorization(input: $input) { instance { status } errors { code } } }"""
    found = (await ask(complete, input={"id": ident, **answer}))["completeIntegrationAuthorization"]
    assert found == {"instance": {"status": "CONNECTED"}, "errors": []}
    again = (await ask(complete, input={"id": ident, **answer}))["completeIntegrationAuthorization"]
    assert again["errors"] == [{"code": "validation_failed"}]
    ended = await ask("mutation ($id: ID!) { disconnectIntegration(id: $id) { instance { status } } }", id=ident)
    assert ended["disconnectIntegration"]["instance"]["status"] == "DISCONNECTED"
    [entry] = (await ask("{ integrationRedirects { id uri createdAt } }"))["integrationRedirects"]
    assert entry["uri"] == APP
    gone = await ask("mutation ($id: ID!) { removeIntegrationRedirect(id: $id) { redirect { uri } } }", id=entry["id"])
    assert gone["removeIntegrationRedirect"]["redirect"]["uri"] == APP
    assert await IntegrationRedirect.of(platform.tenant).count() == 0
