"""The whole way at the certified `oidc-provider`: consent, code with PKCE, rotation, reuse, revocation."""

from __future__ import annotations

import html
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit
from uuid import UUID

import httpx
import pytest

from app.errors import IntegrationAuthFailed
from app.ids import new_id
from models.integrations import IntegrationToken
from services.integrations.oauth2.idle import refresh_idle
from services.integrations.oauth2.tokens import find_token, held_tokens
from tests.auth.provider import ENTRY, find_node
from tests.endings import killed, next_line
from tests.oauth2.connecting import APP, Connection, made
from tests.oauth2.rotating import SECRET, Rotating
from tests.runtime.exchanges import exchanges_of, vendor
from tests.runtime.platform import INSTANCES, Platform
from tests.runtime.test_recorded import local

pytestmark = [pytest.mark.node, pytest.mark.runtime]
SCRIPT = Path(__file__).with_name("oidc_provider.mjs")
WAYS = ["client_secret_basic", "client_secret_post", "none"]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    process = subprocess.Popen(
        [find_node(), str(SCRIPT), str(ENTRY), APP],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"},
        text=True,
    )
    try:
        yield next_line(process).strip()
    finally:
        killed(process)


async def at(platform: Platform, issuer: str, way: str, **given: Any) -> Connection:
    config = {
        "authorizationUrl": f"{issuer}/auth",
        "tokenUrl": f"{issuer}/token",
        "revocationUrl": f"{issuer}/token/revocation",
        "issuer": issuer,
        "clientAuthentication": way,
        "scope": "openid offline_access",
        "authorizationParams": {"prompt": "consent"},
    } | given.pop("oauth2", {})
    credentials = {"clientId": way} | ({} if way == "none" else {"clientSecret": SECRET})
    nobody = Rotating()
    nobody.url = issuer
    return await made(platform, nobody, oauth2=config, credentials=credentials, **given)


async def consent(url: str) -> dict[str, str]:
    """What a browser comes back with whose user logs in and agrees to everything."""
    async with httpx.AsyncClient(timeout=60) as browser:
        for _ in range(12):
            answer = await browser.get(url)
            if answer.is_redirect:
                url = urljoin(url, answer.headers["Location"])
                if url.startswith(APP):
                    return dict(parse_qsl(urlsplit(url).query))
                continue
            assert answer.status_code == 200, answer.text
            found = re.search(r'action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert found and prompt, answer.text
            form = {"prompt": prompt[1], "login": "ada", "password": "x"}
            answer = await browser.post(urljoin(url, html.unescape(found[1])), data=form)
            url = urljoin(url, answer.headers["Location"])
    raise AssertionError("the browser did not come back")


async def expire(connection: Connection) -> None:
    now = connection.platform.world.context().now
    ended = {"obtained_at": now - 3_600_000, "expires_at": now - 1, "refresh_at": now - 1}
    where = IntegrationToken.instance == UUID(connection.instance["id"])
    await IntegrationToken.of(connection.platform.tenant).update(ended).where(where)


async def refresh_token_of(connection: Connection) -> str:
    token = await find_token(connection.platform.tenant, UUID(connection.instance["id"]))
    assert token is not None
    return held_tokens(connection.platform.world.runtime.encryption, token)["refresh_token"]


async def test_idle_it_stays_connected(platform: Platform, issuer: str) -> None:
    """Nobody calls it: the server itself uses each refresh token once, and the connection works afterwards."""
    connection = await at(platform, issuer, WAYS[0])
    await connection.complete(await consent((await connection.start())["authorizationUrl"]))
    seen = {await refresh_token_of(connection)}
    for _ in range(3):
        await expire(connection)
        await refresh_idle(platform.world.runtime)
        seen.add(await refresh_token_of(connection))
    assert len(seen) == 4 and await connection.token()
    assert (await connection.shown())["status"] == "CONNECTED"


@pytest.mark.parametrize("way", WAYS)
async def test_consent_code_and_rotation(platform: Platform, issuer: str, way: str) -> None:
    """Every refresh gives another refresh token; the one before, used again, ends the connection, and it is told."""
    connection = await at(platform, issuer, way)
    answer = await consent((await connection.start())["authorizationUrl"])
    assert set(answer) == {"code", "state", "iss"}
    assert await connection.complete(answer) == {
        "status": "SUCCESS",
        "integrationInstanceId": connection.instance["id"],
    }
    access, refresh = [await connection.token()], [await refresh_token_of(connection)]
    for _ in range(3):
        await expire(connection)
        access.append(await connection.token())
        refresh.append(await refresh_token_of(connection))
    assert len(set(access)) == 4
    assert (len(set(refresh)) == 4) and (await connection.shown())["status"] == "CONNECTED"
    form = {"grant_type": "refresh_token", "refresh_token": refresh[0], "client_id": way}
    async with httpx.AsyncClient(timeout=60) as thief:
        auth = (way, SECRET) if way == "client_secret_basic" else None
        if way == "client_secret_post":
            form["client_secret"] = SECRET
        stolen = await thief.post(f"{issuer}/token", data=form, auth=auth)  # type: ignore[arg-type]
    assert stolen.json()["error"] == "invalid_grant"
    await expire(connection)
    with pytest.raises(IntegrationAuthFailed, match="invalid_grant"):
        await connection.token()
    assert (await connection.shown())["status"] == "AUTH_ERROR"
    await connection.complete(await consent((await connection.start())["authorizationUrl"]))
    assert (await connection.shown())["status"] == "CONNECTED"


async def test_a_code_of_another_authorization_is_refused(platform: Platform, issuer: str) -> None:
    """PKCE: what was injected does not fit the verifier; and a code of another issuer is not sent at all."""
    connection, other = [await at(platform, issuer, "client_secret_basic") for _ in range(2)]
    mine, theirs = [await consent((await one.start())["authorizationUrl"]) for one in (connection, other)]
    path = f"{connection.one}/auth/oauth2/callback"
    await platform.refused(502, "AUTH_ERROR", "POST", path, mine | {"code": theirs["code"]})
    again = await consent((await connection.start())["authorizationUrl"])
    await platform.refused(400, "VALIDATION_ERROR", "POST", path, again | {"iss": "https://other.example"})


async def test_disconnecting_revokes_at_the_provider(platform: Platform, issuer: str) -> None:
    connection = await at(platform, issuer, "client_secret_basic")
    await connection.complete(await consent((await connection.start())["authorizationUrl"]))
    refresh = await refresh_token_of(connection)
    await platform.ok("DELETE", f"{connection.one}/auth/oauth2", status=204)
    async with httpx.AsyncClient(auth=("client_secret_basic", SECRET), timeout=60) as client:
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        assert (await client.post(f"{issuer}/token", data=form)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("way", WAYS[:2])
async def test_client_credentials(platform: Platform, issuer: str, way: str) -> None:
    connection = await at(platform, issuer, way, auth_type="client_credentials", oauth2={"scope": "repo"})
    first = await connection.token()
    assert await connection.token() == first
    await expire(connection)
    assert await connection.token() != first


async def test_a_method_is_called_with_what_the_user_consented_to(platform: Platform, issuer: str) -> None:
    """The protected resource is the provider's own: it knows its tokens."""
    user = {"name": "getUser", "request": {"method": "GET", "path": "/me"}, "resultSchema": {"required": ["sub"]}}
    address = {"baseUrl": issuer, "allowedHosts": ["127.0.0.1"], "verification": None, "methods": [user]}
    connection = await at(platform, issuer, "client_secret_post", definition=address)
    await connection.complete(await consent((await connection.start())["authorizationUrl"]))
    execute = f"{connection.one}/methods/getUser/execute"
    assert await platform.ok("POST", execute, {}) == {"status": "SUCCESS", "data": {"sub": "ada"}}
    await expire(connection)
    assert (await platform.ok("POST", execute, {}))["data"] == {"sub": "ada"}


async def test_a_built_in_definition_with_client_credentials(platform: Platform, issuer: str) -> None:
    """research.orcid, with the provider's token endpoint; its server asks the provider about the token it is sent."""
    exchanges, search = exchanges_of("research.orcid"), "family-name:Carberry"
    async with vendor("/v3.0", {}) as far:
        far.expected = exchanges["search"]
        definition = await local(platform, "research.orcid", far, "/v3.0")
        config = {"tokenUrl": f"{issuer}/token"}
        secrets = {"clientId": "client_secret_post", "clientSecret": SECRET}
        given = {"name": f"ORCID {new_id()}", "config": config, "credentials": secrets}
        one = await platform.instance(definition["id"], **given)
        asked = {"parameters": {"q": search, "rows": 1}}
        found = await platform.ok("POST", f"{INSTANCES}/{one['id']}/methods/search/execute", asked)
        assert found["data"]["num-found"] == 2 and far.faults == []
        sent = far.seen[-1].headers["Authorization"].removeprefix("Bearer ")
        async with httpx.AsyncClient(auth=("client_secret_basic", SECRET), timeout=60) as client:
            known = (await client.post(f"{issuer}/token/introspection", data={"token": sent})).json()
        assert (known["active"], known["client_id"], known["scope"]) == (True, "client_secret_post", "/read-public")


async def test_a_wrong_secret(platform: Platform, issuer: str) -> None:
    """Refused for good; the right one, given later, mends it."""
    connection = await at(platform, issuer, "client_secret_basic", auth_type="client_credentials", oauth2={"scope": ""})
    wrong, right = ({"clientId": "client_secret_basic", "clientSecret": text} for text in ("wrong", SECRET))
    await platform.ok("PUT", f"{connection.one}/credentials", {"credentials": wrong})
    with pytest.raises(IntegrationAuthFailed, match="invalid_client"):
        await connection.token()
    assert "invalid_client" in (await connection.shown())["error"]
    await platform.ok("PUT", f"{connection.one}/credentials", {"credentials": right})
    assert (await connection.shown())["status"] == "CONNECTED"
    assert await connection.token()
