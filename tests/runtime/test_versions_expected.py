"""`If-Match`: whoever read another version of a row than there is changes nothing of it, by whichever path."""

from __future__ import annotations

from typing import Any

import pytest

from tests.runtime.platform import DEFINITIONS, INSTANCES, SECRETS, Platform
from tests.runtime.webhooks import sender
from tests.world import World

pytestmark = pytest.mark.runtime
HUB = "/integrations"


async def _refused_then_done(platform: Platform, verb: str, path: str, body: Any, read: str, status: int) -> None:
    """A stale version is a conflict that leaves the row as it is; the present one is taken."""
    before = await platform.get(read)
    code = "RES_VERSION_CONFLICT" if path.startswith(HUB) and path.count("/") == 2 else "CONFLICT"
    for stale in ('"77"', 'W/"1"', "nothing"):
        await platform.refused(409, code, verb, path, body, If_Match=stale)
    after = await platform.get(read)
    shown = [answer.json() for answer in (before, after)]
    for each in shown:
        each.pop("meta", None)
    assert shown[0] == shown[1] and after.headers["ETag"] == before.headers["ETag"]
    assert (await platform.ask(verb, path, body, If_Match=before.headers["ETag"])).status_code == status


@pytest.mark.parametrize(
    ("verb", "path", "body", "status"),
    [
        ("PUT", "/credentials", {"credentials": SECRETS}, 200),
        ("DELETE", "/credentials", None, 204),
        ("PUT", "", {"name": "Another"}, 200),
        ("DELETE", "", None, 204),
    ],
)
async def test_an_instance(world: World, verb: str, path: str, body: Any, status: int) -> None:
    platform = Platform(world)
    one = f"{INSTANCES}/{(await platform.instance(credentials=SECRETS))['id']}"
    await _refused_then_done(platform, verb, f"{one}{path}", body, one, status)


@pytest.mark.parametrize(("verb", "body", "status"), [("PUT", {"name": "Another"}, 200), ("DELETE", None, 204)])
async def test_an_integration(world: World, verb: str, body: Any, status: int) -> None:
    platform = Platform(world)
    one = f"{HUB}/{(await platform.instance(credentials=SECRETS))['id']}"
    await _refused_then_done(platform, verb, one, body, one, status)


async def test_a_definition(world: World) -> None:
    platform = Platform(world)
    one = f"{DEFINITIONS}/{(await platform.definition(publish=False))['id']}"
    for step in ("publish", "deprecate", "archive"):
        await _refused_then_done(platform, "POST", f"{one}/{step}", None, one, 200)


async def test_webhooks(world: World) -> None:
    platform = Platform(world)
    one = (await sender(platform)).path
    await _refused_then_done(platform, "POST", f"{one}/webhook/rotate-url", None, one, 200)
    await _refused_then_done(platform, "POST", f"{one}/webhook/rotate-secret", {}, one, 200)


async def test_an_authorization(world: World) -> None:
    platform = Platform(world)
    config = {"authorizationUrl": "https://login.example/a", "tokenUrl": "https://login.example/t"}
    definition = await platform.definition(authType="oauth2", oauth2Config=config)
    one = f"{INSTANCES}/{(await platform.instance(definition['id']))['id']}"
    await _refused_then_done(platform, "DELETE", f"{one}/auth/oauth2", None, one, 204)
