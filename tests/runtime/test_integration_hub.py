"""The ten endpoints of the integration hub, in the platform's envelope: what each takes, answers and refuses."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from models.integrations import IntegrationInstance
from services.integrations.instances.configs import open_config
from services.integrations.instances.status import integrations_topic
from tests.runtime.platform import SECRETS, Platform
from tests.runtime.upstreams import connected, json, method, upstream
from tests.world import World

pytestmark = pytest.mark.runtime
TYPES, INTEGRATIONS = "/integration-types", "/integrations"
BODY: dict[str, Any] = {
    "type": "Forge", "name": "The forge", "config": {"organization": "ada"}, "credentials": SECRETS,
}  # fmt: skip
PING: dict[str, Any] = {"verification": {"method": "call"}}
#: Secrets of a configuration in every place that a schema can mark: by name, in lists, behind references and branches.
DEEP: dict[str, Any] = {
    "type": "object",
    "$defs": {
        "login": {
            "type": "object",
            "properties": {"user": {"type": "string"}, "password": {"type": "string", "format": "password"}},
        },
        "tree": {
            "type": "object",
            "properties": {"key": {"x-secret": True}, "under": {"$ref": "#/$defs/tree"}},
        },
        "by-name": {"$anchor": "named", "type": "object"},
    },
    "properties": {
        "plain": {"type": "string"},
        "pin": {"type": "integer", "x-secret": True},
        "whole": {"type": "object", "x-secret": True},
        "logins": {"type": "array", "items": {"$ref": "#/$defs/login"}},
        "tree": {"$ref": "#/$defs/tree"},
        "either": {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"token": {"x-secret": True}}}]},
        "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "string", "x-secret": True}]},
        "named": {"$ref": "#named"},
    },
    "patternProperties": {"^secret_": {"x-secret": True}},
}
GIVEN: dict[str, Any] = {
    "plain": "shown", "pin": 1234, "whole": {"a": ["hide-me"]},
    "logins": [{"user": "ada", "password": "hide-1"}, {"user": "bob", "password": "hide-2"}],
    "tree": {"key": "hide-3", "under": {"key": "hide-4", "under": {"other": 1}}},
    "either": {"token": "hide-5", "host": "shown"}, "pair": ["user", "hide-6"], "named": {"a": "hide-7"},
    "secret_a": "hide-8",
}  # fmt: skip
MASK = "********"


async def test_a_type_is_a_published_definition(world: World) -> None:
    """Found by id and by name, the version that was published last; a draft is none, a deprecated one still is."""
    platform = Platform(world)
    draft = await platform.definition(publish=False)
    await platform.refused(404, "RES_NOT_FOUND", "GET", f"{TYPES}/{draft['id']}")
    made = await platform.ok("POST", f"/integrations/definitions/{draft['id']}/publish")
    newer = await platform.definition(version="1.1.0")
    assert (await platform.ok("GET", f"{TYPES}/Forge"))["data"]["id"] == newer["id"]
    assert (await platform.ok("GET", f"{TYPES}/{made['id']}"))["data"]["version"] == "1.0.0"
    await platform.ok("POST", f"/integrations/definitions/{newer['id']}/deprecate")
    assert (await platform.ok("GET", f"{TYPES}/Forge"))["data"]["id"] == made["id"]
    assert (await platform.ok("GET", f"{TYPES}/{newer['id']}"))["data"]["isBuiltin"] is False
    # What is no longer published cannot be connected by its id: a matter of state.
    body = {name: value for name, value in BODY.items() if name != "type"} | {"integrationTypeId": newer["id"]}
    error = await platform.refused(409, "RES_STATE_CONFLICT", "POST", INTEGRATIONS, body)
    assert error["details"] == {"status": "DEPRECATED", "allowedFrom": ["PUBLISHED"]}
    await platform.definition(name="anvil", category="ci")
    for name in ("name", "category"):
        for sign in ("", "-"):
            found = (await platform.ok("GET", f"{TYPES}?pageSize=100&sort={sign}{name}"))["data"]
            keys = [row[name].lower() for row in found]
            assert keys == sorted(keys, reverse=bool(sign))


async def test_an_integration_is_made_whole_or_not(world: World) -> None:
    platform = Platform(world)
    kind = (await platform.definition())["id"]
    for body, status, code, place in (
        (BODY | {"integrationTypeId": kind}, 400, "VAL_FAILED", "type"),
        ({name: BODY[name] for name in ("name", "config")}, 400, "VAL_FAILED", "type"),
        ({name: BODY[name] for name in ("name", "type")}, 400, "VAL_FAILED", "config"),
        (BODY | {"name": ""}, 400, "VAL_FAILED", "name"),
        (BODY | {"name": "two\nlines"}, 400, "VAL_FAILED", "name"),
        (BODY | {"name": "two\u2028lines"}, 400, "VAL_FAILED", "name"),
        (BODY | {"name": "a" * 256}, 400, "VAL_FAILED", "name"),
        (BODY | {"config": []}, 400, "VAL_FAILED", "config"),
        (BODY | {"config": {"organization": 1}}, 422, "INT_CONFIG_INVALID", "config.organization"),
        (BODY | {"credentials": {}}, 422, "INT_CONFIG_INVALID", "credentials"),
        (BODY | {"credentials": {"token": "a", "b": "c"}}, 422, "INT_CONFIG_INVALID", "credentials"),
        ({name: value for name, value in BODY.items() if name != "credentials"}, 422, "INT_CONFIG_INVALID",
         "credentials"),
    ):  # fmt: skip
        error = await platform.refused(status, code, "POST", INTEGRATIONS, body)
        faults = error.get("validationErrors") or error["details"]["errors"]
        assert [fault.get("field") or fault["path"] for fault in faults] == [place], body
    for changes in ({"type": "No forge"}, {"type": None, "integrationTypeId": "nothing"}):
        await platform.refused(422, "INT_TYPE_UNKNOWN", "POST", INTEGRATIONS, BODY | changes)
    assert (await platform.ok("GET", INTEGRATIONS))["data"] == []
    answers = await asyncio.gather(*(platform.ask("POST", INTEGRATIONS, BODY) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    codes = {answer.json()["error"]["code"] for answer in answers if answer.status_code == 409}
    assert codes == {"RES_ALREADY_EXISTS"}
    [made] = [answer.json()["data"] for answer in answers if answer.status_code == 201]
    assert (made["healthStatus"], made["enabled"], made["lastHealthCheck"]) == ("unknown", True, None)
    assert made["tenantId"] == str(platform.tenant)


async def test_what_changes_resets_the_health(world: World) -> None:
    """New configuration or credentials do; a name, the same configuration and the same type do not."""
    platform = Platform(world)
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "key": {"type": "string", "x-secret": True}}}
    async with upstream() as far:
        far.answer(json({}))
        made = await connected(
            platform, far.base, method(), authType="bearer", configSchema=schema, credentials={"token": "t"}, **PING
        )
        one = made.replace("/instances", "")

        async def health_after(body: dict[str, Any]) -> str:
            await platform.ok("POST", f"{one}/test")
            return str((await platform.ok("PUT", one, body))["data"]["healthStatus"])

        assert await health_after({"config": {"a": "1", "key": "k"}}) == "unknown"
        assert await health_after({"config": {"a": "1", "key": MASK}}) == "healthy"
        assert await health_after({"name": "Another", "enabled": True, "type": "Upstream"}) == "healthy"
        assert await health_after({"config": {"a": "1", "key": "other"}}) == "unknown"
        assert await health_after({"credentials": {"token": "u"}}) == "unknown"
        error = await platform.refused(422, "INT_CONFIG_INVALID", "PUT", one, {"type": "Forge"})
        assert error["details"]["errors"][0]["path"] == "type"
        await platform.ok("POST", INTEGRATIONS, {"type": "Upstream", "name": "Taken", "config": {},
                                                 "credentials": {"token": "t"}}, 201)  # fmt: skip
        await platform.refused(409, "RES_ALREADY_EXISTS", "PUT", one, {"name": "Taken"})
        await platform.refused(409, "RES_VERSION_CONFLICT", "PUT", one, {"name": "New"}, If_Match='"1"')


async def test_secrets_of_a_configuration_are_masked_at_every_depth(world: World) -> None:
    """In each answer of each dialect; sent back as they were shown, they stay what they were."""
    platform = Platform(world)
    kind = await platform.definition(name="Deep", authType="none", configSchema=DEEP)
    made = await platform.ok("POST", INTEGRATIONS, {"type": "Deep", "name": "D", "config": GIVEN}, 201)
    shown = made["data"]["config"]
    one = made["data"]["id"]
    assert shown == {
        "plain": "shown", "pin": MASK, "whole": MASK,
        "logins": [{"user": "ada", "password": MASK}, {"user": "bob", "password": MASK}],
        "tree": {"key": MASK, "under": {"key": MASK, "under": {"other": 1}}},
        "either": {"token": MASK, "host": "shown"}, "pair": ["user", MASK], "named": MASK, "secret_a": MASK,
    }  # fmt: skip
    for path in (f"{INTEGRATIONS}/{one}", INTEGRATIONS, f"{INTEGRATIONS}/instances/{one}"):
        assert "hide" not in (await platform.get(path)).text
    changed = shown | {"plain": "new", "pair": ["another", MASK]}
    await platform.ok("PUT", f"{INTEGRATIONS}/{one}", {"config": changed})
    [row] = await IntegrationInstance.of(world.tenant).select()
    assert msgspec.json.decode(row["config"]) == changed
    assert open_config(world.runtime.encryption, row) == GIVEN | {"plain": "new", "pair": ["another", "hide-6"]}
    assert kind["configSchema"] == DEEP


async def test_a_secret_of_a_configuration_is_redacted_from_what_comes_back(world: World) -> None:
    platform = Platform(world)
    schema = {"type": "object", "properties": {"login": {"type": "object", "properties": {"key": {"x-secret": True}}}}}
    async with upstream() as far:
        far.answer(json({"error": "bad key hide-me-please"}, 500))
        one = await connected(platform, far.base, method(), configSchema=schema)
        await platform.ok("PUT", one, {"config": {"login": {"key": "hide-me-please"}}})
        answer = await platform.ask("POST", f"{one}/methods/call/execute", {})
        assert answer.status_code == 502 and "hide-me" not in answer.text and MASK in answer.text


async def test_lists_are_sorted_by_what_they_document(world: World) -> None:
    platform = Platform(world)
    forge = (await platform.definition())["id"]
    async with upstream() as far:
        far.answer(json({}))
        one = await connected(platform, far.base, method(), **PING)
        for name in ("b", "A"):
            await platform.instance(forge, name=name)
        await platform.ok("POST", f"{one.replace('/instances', '')}/test")
        for sort, names in (
            ("name", ["A", "b", "Upstream"]), ("-name", ["Upstream", "b", "A"]), ("type,-name", ["b", "A", "Upstream"]),
            ("createdAt", ["Upstream", "b", "A"]), ("-lastHealthCheck,name", ["Upstream", "A", "b"]),
            ("healthStatus,-name", ["Upstream", "b", "A"]),
        ):  # fmt: skip
            found = (await platform.ok("GET", f"{INTEGRATIONS}?sort={sort}"))["data"]
            assert [row["name"] for row in found] == names, sort
        narrowed = f"{INTEGRATIONS}?type=Forge&category=scm&healthStatus=unknown&enabled=true&search=B"
        assert [row["name"] for row in (await platform.ok("GET", narrowed))["data"]] == ["b"]


async def test_each_change_is_an_event(world: World) -> None:
    """`integration.created`, `updated` and `deleted`, after the commit, without secrets; not for what was refused."""
    platform = Platform(world)
    await platform.definition()
    with world.runtime.bus.subscribe(integrations_topic(world.tenant)) as events:
        made = (await platform.ok("POST", INTEGRATIONS, BODY, 201))["data"]
        one = f"{INTEGRATIONS}/{made['id']}"
        await platform.refused(409, "RES_ALREADY_EXISTS", "POST", INTEGRATIONS, BODY)
        await platform.ok("PUT", one, {"enabled": False})
        await platform.refused(409, "RES_VERSION_CONFLICT", "PUT", one, {"name": "x"}, If_Match='"1"')
        await platform.ok("DELETE", one, status=204)
        await asyncio.sleep(0)
        told = [events._queue.get_nowait() for _ in range(events._queue.qsize())]
    changes = [event for event in told if event["type"] != "integration.instance.status"]
    assert [event["type"] for event in changes] == ["integration.created", "integration.updated", "integration.deleted"]
    assert {event["instance"] for event in changes} == {made["id"]} and SECRETS["token"] not in str(told)
    assert [event["enabled"] for event in changes] == [True, False, False]


async def test_what_a_test_and_a_discovery_refuse(world: World) -> None:
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json([]))
        one = (await connected(platform, far.base, method())).replace("/instances", "")
        for seconds in (0, 61, 1.5, "10", True):
            await platform.refused(400, "VAL_FAILED", "POST", f"{one}/test", {"timeoutSeconds": seconds})
        await platform.ok("POST", f"{one}/test", b"")
        error = await platform.refused(400, "VAL_FAILED", "POST", f"{one}/discover", {})
        assert error["validationErrors"][0] | {"message": ""} == {
            "field": "resourceType", "message": "", "code": "VAL_REQUIRED",
        }  # fmt: skip
        error = await platform.refused(
            422, "INT_DISCOVERY_UNSUPPORTED", "POST", f"{one}/discover", {"resourceType": "x"}
        )
        assert error["details"] == {"resourceTypes": []}
        await platform.ok("PUT", one, {"enabled": False})
        await platform.refused(422, "INT_DISABLED", "POST", f"{one}/test")
    stranger = Platform(await World(world.app, world.client).open())
    for verb, path in (("POST", "test"), ("POST", "discover"), ("GET", "health")):
        asked = {"resourceType": "x"} if path == "discover" else None
        await stranger.refused(404, "RES_NOT_FOUND", verb, f"{one}/{path}", asked)
