"""Credentials go where they were given for: who points an integration elsewhere takes none along."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from app.errors import IntegrationNotAuthenticated
from graph.relay import to_global_id
from models.audit import AuditEvent
from models.integrations import IntegrationInstance, IntegrationSecret, IntegrationToken
from services.integrations.execution.executing import start_run
from services.integrations.execution.targets import find_method, find_target
from services.integrations.instances.destinations import origin_of
from services.integrations.instances.status import integrations_topic
from services.integrations.oauth2.clients import client_of
from tests.runtime.platform import DEFINITIONS, INSTANCES, Platform
from tests.runtime.test_execute_with_tokens import CLIENT, Provider
from tests.runtime.upstreams import connected, execute, json, method, upstream
from tests.runtime.vaults import both, referring, type_of
from tests.world import World

pytestmark = pytest.mark.runtime
SECRET = {"token": "s3cret-of-the-good-host"}
HUB = "/integrations"
CONFIG = {
    "type": "object",
    "properties": {"baseUrl": {"type": "string"}, "key": {"type": "string", "x-secret": True}},
}
UPDATE = """mutation ($input: UpdateIntegrationInstanceInput!) {
  updateIntegrationInstance(input: $input) { errors { code } instance { status error } } }"""
Change = Callable[[Platform, str, dict[str, Any]], Awaitable[dict[str, Any]]]


async def by_seed(platform: Platform, one: str, config: dict[str, Any]) -> dict[str, Any]:
    return dict(await platform.ok("PUT", one, {"config": config}))


async def by_hub(platform: Platform, one: str, config: dict[str, Any]) -> dict[str, Any]:
    await platform.ok("PUT", one.replace(INSTANCES, HUB), {"config": config})
    return dict(await platform.ok("GET", one))


async def by_graphql(platform: Platform, one: str, config: dict[str, Any]) -> dict[str, Any]:
    given = {"id": to_global_id("IntegrationInstance", one.rpartition("/")[2]), "config": config}
    world = platform.world
    found = (await world.graphql(UPDATE, world.token("admin"), input=given)).json()["data"]
    assert found["updateIntegrationInstance"]["errors"] == []
    return dict(found["updateIntegrationInstance"]["instance"])


async def bearer(platform: Platform, base: str, **changes: Any) -> str:
    """The path of an instance that is called at `base` with a token."""
    return await connected(
        platform, base, method(), authType="bearer", configSchema=CONFIG, credentials=SECRET, **changes
    )


@pytest.mark.parametrize("change", [by_seed, by_hub, by_graphql])
async def test_another_host_gets_no_credentials(world: World, change: Change) -> None:
    """They are removed, the status says so to who listens and in the history, and given anew they go there."""
    platform = Platform(world)
    async with upstream() as good, upstream() as bad:
        good.answer(json({}))
        bad.answer(json({}))
        one = await bearer(platform, good.base)
        with world.runtime.bus.subscribe(integrations_topic(world.tenant)) as live:
            moved = await change(platform, one, {"baseUrl": bad.base})
            message = await anext(live.messages())
        assert moved["status"] == "PENDING_AUTHENTICATION"
        assert moved["error"] == (
            f"The credentials were given for {good.base}, and would go to {bad.base} now. "
            "They were removed: give them again."
        )
        await platform.refused(409, "AUTH_ERROR", "POST", execute(one), {})
        assert not bad.seen and await IntegrationSecret.of(world.tenant).count() == 0
        assert (message["previous"], message["status"]) == ("CONNECTED", "PENDING_AUTHENTICATION")
        told = (AuditEvent.tenant == world.tenant) & (AuditEvent.action == "integration_instance.updated")
        [event] = await AuditEvent.select().where(told)
        assert "would go to" in event["after"] and "CONNECTED" in event["before"]
        # Neither the way back nor another path brings back what is gone.
        for base in (good.base, f"{bad.base}/below", bad.base):
            assert (await change(platform, one, {"baseUrl": base}))["status"] == "PENDING_AUTHENTICATION"
        given = await platform.ok("PUT", f"{one}/credentials", {"credentials": {"token": "of-the-other-host"}})
        assert (given["status"], given.get("error")) == ("CONNECTED", None)
        await platform.ok("POST", execute(one), {})
        assert bad.seen[0].headers["Authorization"] == "Bearer of-the-other-host"


@pytest.mark.parametrize("change", [by_seed, by_hub, by_graphql])
async def test_another_path_of_the_same_host_keeps_them(world: World, change: Change) -> None:
    platform = Platform(world)
    async with upstream() as good:
        good.answer(json({}))
        one = await bearer(platform, good.base)
        for base in (f"{good.base}/v2", good.base.replace("http", "HTTP") + "/v3/"):
            assert (await change(platform, one, {"baseUrl": base}))["status"] == "CONNECTED"
            await platform.ok("POST", execute(one), {})
        assert {request.headers["Authorization"] for request in good.seen} == {f"Bearer {SECRET['token']}"}


@pytest.mark.parametrize("prefix", [INSTANCES, HUB])
async def test_credentials_that_come_with_the_address(world: World, prefix: str) -> None:
    """In one request with it, they are used there."""
    platform = Platform(world)
    async with upstream() as good, upstream() as other:
        other.answer(json({}))
        one = await bearer(platform, good.base)
        given = {"config": {"baseUrl": other.base}, "credentials": {"token": "of-the-other"}}
        await platform.ok("PUT", one.replace(INSTANCES, prefix), given)
        await platform.ok("POST", execute(one), {})
        assert other.seen[0].headers["Authorization"] == "Bearer of-the-other"


async def test_a_masked_secret_of_the_configuration_does_not_move(world: World) -> None:
    """`********` stands for what was given for another host, and is refused with its name; nothing changes."""
    platform = Platform(world)
    async with upstream() as good, upstream() as bad:
        calls = method(request={"method": "GET", "path": "/thing", "headers": {"X-Key": "{config.key}"}})
        one = await connected(platform, good.base, calls, configSchema=CONFIG)
        await platform.ok("PUT", one, {"config": {"baseUrl": good.base, "key": "secret-key-1"}})
        moved = {"config": {"baseUrl": bad.base, "key": "********"}}
        error = await platform.refused(400, "VALIDATION_ERROR", "PUT", one, moved)
        assert error["details"][0]["path"] == "config.key" and "give it again" in error["details"][0]["message"]
        shown = await platform.ok("PUT", one, {"config": {"baseUrl": f"{good.base}/x", "key": "********"}})
        assert shown["status"] == "CONNECTED"
        await platform.ok("PUT", one, {"config": {"baseUrl": bad.base, "key": "of-another"}})


async def test_a_type_that_needs_no_credentials_waits_too(world: World) -> None:
    """Where they are optional, going on without is for a person to say."""
    platform = Platform(world)
    async with upstream() as good, upstream() as other:
        schema = {"type": "object", "properties": {"token": {"type": "string"}}}
        one = await bearer(platform, good.base, secretsSchema=schema)
        for base in (other.base, f"{other.base}/x"):
            moved = await platform.ok("PUT", one, {"config": {"baseUrl": base}})
            assert moved["status"] == "PENDING_AUTHENTICATION"
        await platform.ok("DELETE", f"{one}/credentials", status=204)
        assert (await platform.ok("GET", one))["status"] == "CONNECTED"


async def test_credentials_before_there_is_an_address(world: World) -> None:
    """They were given for none, and the first one does not get them."""
    platform = Platform(world)
    body = {"name": "Late", "description": "", "version": "1.0.0", "type": "http", "authType": "bearer",
            "methods": [method()], "configSchema": CONFIG | {"required": ["baseUrl"]}}  # fmt: skip
    made = await platform.ok("POST", DEFINITIONS, body, 201)
    await platform.ok("POST", f"{DEFINITIONS}/{made['id']}/publish")
    given = {"integrationDefinitionId": made["id"], "name": "L", "credentials": SECRET}
    one = f"{INSTANCES}/{(await platform.ok('POST', INSTANCES, given, 201))['id']}"
    moved = await platform.ok("PUT", one, {"config": {"baseUrl": "https://example.org"}})
    assert moved["status"] == "PENDING_AUTHENTICATION" and "given for no address" in moved["error"]


async def test_a_reference_is_given_for_an_address(world: World) -> None:
    """It is taken away with the address, and may be given again with the new one, also as it was shown."""
    async with both(world) as it, upstream() as other:
        other.answer(json({}))
        it.vault.secrets["a"] = {"token": "from-the-vault"}
        kind = await type_of(it.platform, it.far.base, configSchema=CONFIG)
        made = await referring(it.platform, kind, "vault://Our%20vault/a#token")
        one = f"{HUB}/{made['id']}"
        moved = (await it.platform.ok("PUT", one, {"config": {"baseUrl": other.base}}))["data"]
        assert (moved["status"], moved["credentialRef"]) == ("PENDING_AUTHENTICATION", None)
        await it.platform.refused(409, "AUTH_ERROR", "POST", execute(f"{INSTANCES}/{made['id']}"), {})
        again = {"config": {"baseUrl": it.far.base}, "credentialRef": made["credentialRef"]}
        assert (await it.platform.ok("PUT", one, again))["data"]["status"] == "CONNECTED"
        given = {"config": {"baseUrl": other.base}, "credentialRef": made["credentialRef"]}
        assert (await it.platform.ok("PUT", one, given))["data"]["status"] == "CONNECTED"
        await it.executed(made)
        assert not it.far.seen and other.seen[0].headers["Authorization"] == "Bearer from-the-vault"


@pytest.mark.parametrize("moved", ["tokenUrl", "baseUrl"])
async def test_tokens_and_the_secret_of_a_client(world: World, moved: str) -> None:
    """Neither goes to another token endpoint, nor the token to another host."""
    platform = Platform(world)
    async with upstream() as good, upstream() as bad:
        good.answer(Provider())
        bad.answer(Provider())
        schema = {"type": "object", "properties": {"baseUrl": {"type": "string"}, "tokenUrl": {"type": "string"}}}
        one = await connected(
            platform, good.base, method(), authType="client_credentials", configSchema=schema,
            oauth2Config={"tokenUrl": f"{good.base}/token"}, credentials=CLIENT,
        )  # fmt: skip
        await platform.ok("POST", execute(one), {})
        assert await IntegrationToken.of(world.tenant).count() == 1
        changed = await platform.ok("PUT", one, {"config": {moved: f"{bad.base}/token"}})
        assert changed["status"] == "PENDING_AUTHENTICATION"
        assert await IntegrationToken.of(world.tenant).count() == 0
        await platform.refused(409, "AUTH_ERROR", "POST", execute(one), {})
        assert not bad.seen
        await platform.ok("PUT", f"{one}/credentials", {"credentials": CLIENT})
        assert (await platform.ok("POST", execute(one), {}))["status"] == "SUCCESS" and bad.seen


async def test_a_call_that_a_change_overtakes(world: World) -> None:
    """What a call began with, the old address or the new, it gets no credentials of the other."""
    platform, context = Platform(world), world.context()
    async with upstream() as good, upstream() as bad:
        one = await bearer(platform, good.base)
        instance = UUID(one.rpartition("/")[2])
        before = await find_target(context, instance)
        given = {"config": {"baseUrl": bad.base}, "credentials": {"token": "of-the-other"}}
        await platform.ok("PUT", one.replace(INSTANCES, HUB), given)
        with pytest.raises(IntegrationNotAuthenticated, match="were given for"):
            await start_run(context, before, find_method(before, "call"), None)  # type: ignore[arg-type]
        # As if the row of the instance alone had been changed.
        table: Any = IntegrationInstance
        await table.of(world.tenant).update({"config": '{"baseUrl": "http://127.0.0.1:9"}'}).where(table.id == instance)
        await platform.refused(409, "AUTH_ERROR", "POST", execute(one), {})
        assert not good.seen and not bad.seen


async def test_a_token_of_a_call_that_a_change_overtakes(world: World) -> None:
    platform, context = Platform(world), world.context()
    async with upstream() as good:
        good.answer(Provider())
        one = await connected(
            platform, good.base, method(), authType="client_credentials",
            oauth2Config={"tokenUrl": f"{good.base}/token"}, credentials=CLIENT,
        )  # fmt: skip
        await platform.ok("POST", execute(one), {})
        target = await find_target(context, UUID(one.rpartition("/")[2]))
        seen = len(good.seen)
        with pytest.raises(IntegrationNotAuthenticated, match="were given for"):
            await world.runtime.refreshes.access_token(context, target.row, "https://elsewhere.example")
        assert len(good.seen) == seen
        client = await client_of(context, target.row)
        assert client.destinations == f"{good.base}, token endpoint {good.base}"
        # A row that another process left for other addresses is replaced, where the client can fetch one by itself.
        await IntegrationToken.of(world.tenant).update({"bound_to": "x"}).where(IntegrationToken.id.is_not_null())
        assert (await platform.ok("POST", execute(one), {}))["data"] == {"n": "2"}


async def test_rows_of_before_are_bound_to_where_they_go(world: World) -> None:
    """The migration gives them what a call compares with; without it nothing is sent."""
    async with both(world) as it:
        it.far.answer(json({}))
        it.vault.secrets["a"] = {"token": "from-the-vault"}
        made = await referring(it.platform, await type_of(it.platform, it.far.base), "vault://Our%20vault/a#token")
        one = await bearer(it.platform, it.far.base)
        for table in (IntegrationInstance, IntegrationSecret):
            await table.of(world.tenant).update({"bound_to": None}).where(table.id.is_not_null())  # type: ignore[attr-defined]
        for path in (one, f"{INSTANCES}/{made['id']}"):
            await it.platform.refused(409, "AUTH_ERROR", "POST", execute(path), {})
        migration = importlib.import_module("migrations.dovetail_2026_11_21t05_11_00_000000")
        await migration.bind(world.runtime.database.engine)
        for path in (one, f"{INSTANCES}/{made['id']}"):
            await it.platform.ok("POST", execute(path), {})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://Example.ORG/a", "https://example.org:443/b?c", True),
        ("http://example.org:80", "HTTP://example.org.", True),
        ("https://bücher.example", "https://xn--bcher-kva.example/", True),
        ("http://[0:0:0:0:0:0:0:1]:8080", "http://[::1]:8080/x", True),
        ("https://example.org", "http://example.org", False),
        ("https://example.org", "https://example.org:8443", False),
        ("https://example.org", "https://example.org.evil.example", False),
        ("https://example.org", "https://example.org@evil.example", False),
        ("https://example.org", "https://example.org\\@evil.example", False),
        ("https://example.org", "https://evil.example/example.org", False),
        ("https://example.org", "https://example。org", False),
        ("https://a@example.org", "https://b@example.org", False),
    ],
)
def test_origins(one: str, other: str, same: bool) -> None:
    assert (origin_of(one) == origin_of(other)) is same
