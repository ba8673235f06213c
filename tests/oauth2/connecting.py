"""An OAuth2 integration of a tenant, and its way through the provider, as an application would go it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app.ids import new_id
from services.context import Context
from services.integrations.instances.binding import destinations_of_row
from services.integrations.instances.rows import find_instance
from services.integrations.oauth2.refreshing import Refreshes
from tests.oauth2.rotating import CLIENT, SECRET, Rotating
from tests.runtime.platform import INSTANCES, Platform

APP = "https://app.example.com/oauth/callback"
REDIRECTS = "/integrations/auth/oauth2/redirects"


class Connection:
    """One instance at a provider; `one` is its path."""

    def __init__(self, platform: Platform, provider: Rotating, instance: dict[str, Any]) -> None:
        self.platform, self.provider, self.instance = platform, provider, instance
        self.one = f"{INSTANCES}/{instance['id']}"

    async def start(self, redirect_uri: str = APP) -> dict[str, Any]:
        started: dict[str, Any] = await self.platform.ok(
            "POST", f"{self.one}/auth/oauth2/start", {"redirectUri": redirect_uri}
        )
        return started

    def consent(self, started: dict[str, Any]) -> dict[str, str]:
        """What the browser comes back with when its user has said yes."""
        asked = dict(parse_qsl(urlsplit(started["authorizationUrl"]).query))
        code = self.provider.code(asked.get("code_challenge"), asked["redirect_uri"])
        return {"code": code, "state": asked["state"]}

    async def complete(self, answer: dict[str, str], status: int = 200) -> Any:
        return await self.platform.ok("POST", f"{self.one}/auth/oauth2/callback", answer, status)

    async def connect(self, redirect_uri: str = APP) -> Connection:
        await self.complete(self.consent(await self.start(redirect_uri)))
        return self

    async def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.platform.ok("GET", self.one)
        return found

    async def row(self) -> dict[str, Any]:
        return await find_instance(self.platform.tenant, self.instance["id"])

    async def token(self, *, force: bool = False) -> str:
        context: Context = self.platform.world.context()
        return await token_of(context.runtime.refreshes, context, await self.row(), force=force)


async def token_of(refreshes: Refreshes, context: Context, row: dict[str, Any], *, force: bool = False) -> str:
    """A token of an instance, for where it is."""
    return await refreshes.access_token(context, row, await destinations_of_row(context, row), force=force)


async def made(platform: Platform, provider: Rotating, **given: Any) -> Connection:
    """An instance with its client's credentials, and its redirect URI on the list; `oauth2` adds to the config."""
    config = {
        "authorizationUrl": f"{provider.url}/authorize",
        "tokenUrl": f"{provider.url}/token",
        "scope": "repo user",
    } | given.pop("oauth2", {})
    kind = given.pop("auth_type", "oauth2")
    credentials = given.pop("credentials", {"clientId": CLIENT, "clientSecret": SECRET})
    more = given.pop("definition", {})
    definition = await platform.definition(name=f"Forge {new_id()}", authType=kind, oauth2Config=config, **more)
    if "credentialRef" not in given:
        given["credentials"] = credentials
    given = {"name": f"The forge {new_id()}", **given}
    instance = await platform.instance(definition["id"], **given)
    answer = await platform.ask("POST", REDIRECTS, {"uri": APP})
    assert answer.status_code in (201, 409)
    return Connection(platform, provider, instance)
