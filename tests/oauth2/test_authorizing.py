"""Authorizations over HTTP: begun, completed once by who began them, refused, connected again, given up."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web

from app.clock import MINUTE
from models.audit import AuditEvent
from models.integrations import IntegrationOauthState, IntegrationToken
from tests.oauth2.connecting import APP, made
from tests.oauth2.rotating import CLIENT, Rotating
from tests.runtime.platform import Platform
from tests.world import World

pytestmark = pytest.mark.runtime


async def actions(world: World) -> list[str]:
    where = (AuditEvent.tenant == world.tenant) & (AuditEvent.resource == "integration_instance")
    return [row["action"] for row in await AuditEvent.select(AuditEvent.action).where(where).order_by(AuditEvent.id)]


async def test_the_published_examples(platform: Platform, provider: Rotating) -> None:
    """Start and callback word for word; the state and the code are made, and PKCE comes after what is published."""
    connection = await made(
        platform,
        provider,
        oauth2={"authorizationUrl": "https://github.com/login/oauth/authorize", "scope": "repo,user"},
    )
    started = await connection.start("https://app.example.com/oauth/callback")
    assert set(started) == {"authorizationUrl", "state"}
    published = (
        "https://github.com/login/oauth/authorize?client_id=client123"
        "&redirect_uri=https%3A%2F%2Fapp.example.com%2Foauth%2Fcallback&response_type=code&state=abc123"
    )
    assert started["authorizationUrl"].startswith(published.replace("abc123", started["state"]) + "&code_challenge=")
    asked = dict(parse_qsl(urlsplit(started["authorizationUrl"]).query))
    assert (asked["code_challenge_method"], asked["scope"], len(asked["code_challenge"])) == ("S256", "repo,user", 43)
    answer = await connection.complete(connection.consent(started))
    assert answer == {"status": "SUCCESS", "integrationInstanceId": connection.instance["id"]}
    shown = await connection.shown()
    assert (shown["status"], "error" in shown) == ("CONNECTED", False) and shown["lastConnectedAt"]


async def test_without_pkce_the_address_is_the_published_one(platform: Platform, provider: Rotating) -> None:
    """Only where the definition opts out; what a definition adds replaces nothing of the request."""
    more = {"state": "mine", "client_id": "other", "prompt": "consent"}
    config: dict[str, Any] = {"pkce": "none", "scope": None, "authorizationParams": more}
    config["authorizationUrl"] = f"{provider.url}/authorize?realm=main"
    connection = await made(platform, provider, oauth2=config)
    started = await connection.start()
    asked = parse_qsl(urlsplit(started["authorizationUrl"]).query)
    assert asked == [
        ("realm", "main"), ("client_id", CLIENT), ("redirect_uri", APP), ("response_type", "code"),
        ("state", started["state"]), ("prompt", "consent"),
    ]  # fmt: skip
    await connection.complete(connection.consent(started))
    assert "code_verifier" not in provider.requests[0]


async def test_a_state_is_kept_as_a_digest_alone(platform: Platform, provider: Rotating) -> None:
    connection = await made(platform, provider)
    started = await connection.start()
    [row] = await IntegrationOauthState.of(platform.tenant).select()
    assert started["state"] not in str(row) and len(row["digest"]) == 64
    assert row["expires_at"] - row["created_at"] == 10 * MINUTE
    assert (row["caller"], row["redirect_uri"]) == (f"user:{platform.user}", APP)
    assert row["key_id"] and len(started["state"]) == 43


async def test_a_state_is_good_once_also_at_once(platform: Platform, provider: Rotating) -> None:
    """Six completions at the same moment: one exchange, and five refusals that ask the provider nothing."""
    connection = await made(platform, provider)
    answer = connection.consent(await connection.start())
    path = f"{connection.one}/auth/oauth2/callback"
    answers = await asyncio.gather(*(platform.ask("POST", path, answer) for _ in range(6)))
    assert sorted(one.status_code for one in answers) == [200, 400, 400, 400, 400, 400]
    assert len(provider.requests) == 1
    error = await platform.refused(400, "VALIDATION_ERROR", "POST", path, answer)
    assert [fault["path"] for fault in error["details"]] == ["state"]


async def test_a_state_is_bound(world: World, platform: Platform, provider: Rotating) -> None:
    """To its caller, its instance, its tenant and its time; whoever tries with it wrongly uses it up."""
    connection, other = await made(platform, provider), await made(platform, provider)
    colleague = Platform(world)
    for who, where in ((colleague, connection), (platform, other)):
        answer = connection.consent(await connection.start())
        path = f"{where.one}/auth/oauth2/callback"
        await who.refused(400, "VALIDATION_ERROR", "POST", path, answer)
        await platform.refused(400, "VALIDATION_ERROR", "POST", f"{connection.one}/auth/oauth2/callback", answer)
    answer = connection.consent(await connection.start())
    stranger = Platform(await World(world.app, world.client).open())
    path = f"{connection.one}/auth/oauth2/callback"
    await stranger.refused(404, "INTEGRATION_NOT_FOUND", "POST", path, answer)
    theirs = await made(stranger, provider)
    await stranger.refused(400, "VALIDATION_ERROR", "POST", f"{theirs.one}/auth/oauth2/callback", answer)
    await (
        IntegrationOauthState.of(world.tenant)
        .update({"expires_at": world.context().now})
        .where(IntegrationOauthState.instance == connection.instance["id"])
    )
    await platform.refused(400, "VALIDATION_ERROR", "POST", path, answer)
    assert provider.requests == []
    assert (await actions(world)).count("integration_authorization.refused") == 2


async def test_only_listed_redirects(platform: Platform, provider: Rotating) -> None:
    """Letter by letter; what was begun before an entry was removed is still completed."""
    connection = await made(platform, provider)
    path = f"{connection.one}/auth/oauth2/start"
    for wrong in (f"{APP}/", f"{APP}?x=1", APP.upper(), "https://evil.example/", "", "javascript:alert(1)"):
        error = await platform.refused(400, "VALIDATION_ERROR", "POST", path, {"redirectUri": wrong})
        assert error["details"][0]["path"] == "redirectUri"
    redirects = "/integrations/auth/oauth2/redirects"
    for wrong in ("http://app.example.com/", "https://a.example/#x", "ftp://a.example", "x", "https://u:p@a.example/"):
        error = await platform.refused(400, "VALIDATION_ERROR", "POST", redirects, {"uri": wrong})
        assert error["details"][0]["path"] == "uri"
    await platform.refused(409, "CONFLICT", "POST", redirects, {"uri": APP})
    developer = Platform(platform.world, "developer")
    await developer.refused(403, "FORBIDDEN", "POST", redirects, {"uri": "https://evil.example/"})
    [entry] = (await developer.ok("GET", redirects))["items"]
    answer = connection.consent(await connection.start())
    await platform.ok("DELETE", f"{redirects}/{entry['id']}", status=204)
    await platform.refused(400, "VALIDATION_ERROR", "POST", path, {"redirectUri": APP})
    await connection.complete(answer)


@pytest.mark.parametrize(
    ("iss", "status"), [("https://issuer.example", 200), (None, 200), ("https://other.example", 400), ("", 400)]
)
async def test_the_issuer_is_checked_where_it_is_sent(
    platform: Platform, provider: Rotating, iss: str | None, status: int
) -> None:
    """RFC 9207: a code of another server is not sent to this one."""
    connection = await made(platform, provider, oauth2={"issuer": "https://issuer.example"})
    answer = connection.consent(await connection.start()) | ({} if iss is None else {"iss": iss})
    await connection.complete(answer, status)
    assert len(provider.requests) == (1 if status == 200 else 0)


@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post", "none"])
async def test_how_the_client_says_who_it_is(platform: Platform, provider: Rotating, way: str) -> None:
    credentials = {"clientId": CLIENT} if way == "none" else None
    given: dict[str, Any] = {"oauth2": {"clientAuthentication": way}}
    await (await made(platform, provider, **given, **({"credentials": credentials} if credentials else {}))).connect()
    assert provider.authentications == [way]


async def test_what_is_missing_is_named(platform: Platform, provider: Rotating) -> None:
    """No client id, no secret, another kind of integration, no configuration: 409, and nothing was begun."""
    for given in (
        {"credentials": None},
        {"credentials": {"clientId": "a"}, "oauth2": {"clientAuthentication": "client_secret_post"}},
    ):
        connection = await made(platform, provider, **given)
        path = f"{connection.one}/auth/oauth2/start"
        error = await platform.refused(409, "AUTH_ERROR", "POST", path, {"redirectUri": APP})
        assert "client" in error["message"]
    bearer = await platform.instance((await platform.definition(name="Plain"))["id"], name="Plain")
    path = f"/integrations/instances/{bearer['id']}/auth/oauth2"
    await platform.refused(409, "AUTH_ERROR", "POST", f"{path}/start", {"redirectUri": APP})
    await platform.refused(409, "CONFLICT", "DELETE", path)
    machine = await made(platform, provider, auth_type="client_credentials")
    await platform.refused(409, "CONFLICT", "POST", f"{machine.one}/auth/oauth2/start", {"redirectUri": APP})
    bare = await made(platform, provider, config=None)
    await platform.refused(409, "CONFLICT", "POST", f"{bare.one}/auth/oauth2/start", {"redirectUri": APP})
    assert await IntegrationOauthState.of(platform.tenant).count() == 0


async def test_a_refused_code_is_an_auth_error(platform: Platform, provider: Rotating) -> None:
    """And connecting again in place mends it; an instance that works is not broken by a code that does not."""
    connection = await made(platform, provider)
    started = await connection.start()
    path = f"{connection.one}/auth/oauth2/callback"
    error = await platform.refused(502, "AUTH_ERROR", "POST", path, {"code": "wrong", "state": started["state"]})
    assert error["kind"] == "integration_auth_failed" and "invalid_grant" in error["message"]
    shown = await connection.shown()
    assert shown["status"] == "AUTH_ERROR" and "invalid_grant" in shown["error"]
    await connection.connect()
    assert "error" not in await connection.shown()
    again = await connection.start()
    await platform.refused(502, "AUTH_ERROR", "POST", path, {"code": "wrong", "state": again["state"]})
    assert (await connection.shown())["status"] == "CONNECTED"
    first = await connection.token()
    await connection.connect()
    assert await connection.token() != first
    assert await IntegrationToken.of(platform.tenant).count() == 1


async def test_a_refused_consent_changes_nothing(platform: Platform, provider: Rotating) -> None:
    connection = await made(platform, provider)
    path = f"{connection.one}/auth/oauth2/callback"
    started = await connection.start()
    answer = {"error": "access_denied", "state": started["state"]}
    error = await platform.refused(502, "AUTH_ERROR", "POST", path, answer)
    assert "access_denied" in error["message"]
    assert (await connection.shown())["status"] == "PENDING_AUTHENTICATION"
    await platform.refused(400, "VALIDATION_ERROR", "POST", path, answer)
    for body in ({"state": started["state"]}, {"code": "", "state": "x"}, {"code": "a"}):
        await platform.refused(400, "VALIDATION_ERROR", "POST", path, body)


async def test_disconnecting_revokes(world: World, platform: Platform, provider: Rotating) -> None:
    """The tokens are gone here and there, the client's credentials stay, and it can be connected again."""
    connection = await (await made(platform, provider, oauth2={"revocationUrl": f"{provider.url}/revoke"})).connect()
    await platform.ok("DELETE", f"{connection.one}/auth/oauth2", status=204)
    assert [form["token_type_hint"] for form in provider.revocations] == ["refresh_token", "access_token"]
    assert all(family.revoked for family in provider.families.values())
    assert (await connection.shown())["status"] == "DISCONNECTED"
    assert await IntegrationToken.of(platform.tenant).count() == 0
    await platform.ok("DELETE", f"{connection.one}/auth/oauth2", status=204)
    await connection.connect()
    assert (await connection.shown())["status"] == "CONNECTED"
    seen = await actions(world)
    assert [name for name in seen if name.startswith("integration_authorization")] == [
        "integration_authorization.started", "integration_authorization.completed",
        "integration_authorization.ended", "integration_authorization.revoked",
        "integration_authorization.started", "integration_authorization.completed",
    ]  # fmt: skip


async def test_a_provider_that_is_away_is_no_refusal(platform: Platform, provider: Rotating) -> None:
    connection = await made(platform, provider)
    path = f"{connection.one}/auth/oauth2/callback"
    strange: list[dict[str, Any]] = [
        {"status": 503}, {"text": "<html>"}, {"status": 404}, {"text": "[" * 10_000}, {"text": '{"access_token": 5}'},
        {"text": '{"access_token": "a\\nb"}'}, {"status": 302, "headers": {"Location": "http://x/"}},
        {"text": '{"access_token": "a", "token_type": "mac"}'}, {"body": b"\xff"}, {"text": " " * 100_000},
    ]  # fmt: skip
    for answer in strange:
        provider.instead = partial(web.Response, **answer)
        await platform.refused(502, "INTEGRATION_ERROR", "POST", path, connection.consent(await connection.start()))
        assert (await connection.shown())["status"] == "PENDING_AUTHENTICATION"
