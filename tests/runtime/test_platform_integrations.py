"""The integration service over HTTP: states, tenants, scopes, two at once, idempotent POSTs, both dialects."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from app.ids import new_id
from services.integrations.instances.configs import open_config
from tests.runtime.platform import DEFINITIONS, INSTANCES, SECRETS, Platform
from tests.services.integrations.samples import forge
from tests.world import World

pytestmark = pytest.mark.runtime
TYPES, INTEGRATIONS = "/integration-types", "/integrations"


async def stranger_of(world: World) -> Platform:
    return Platform(await World(world.app, world.client).open())


async def test_a_definition_lives_forward_alone(world: World) -> None:
    """DRAFT → PUBLISHED → DEPRECATED → ARCHIVED; every other step is 409, and published content never changes."""
    platform = Platform(world)
    made = await platform.definition(publish=False)
    one = f"{DEFINITIONS}/{made['id']}"
    for step in ("deprecate", "archive"):
        await platform.refused(409, "CONFLICT", "POST", f"{one}/{step}")
    changed = await platform.ok("PUT", one, forge(description="Changed"))
    assert changed["description"] == "Changed"
    assert (await platform.ok("POST", f"{one}/publish"))["publishedAt"]
    await platform.refused(409, "CONFLICT", "PUT", one, forge(description="Again"))
    await platform.refused(409, "CONFLICT", "POST", f"{one}/publish")
    await platform.ok("POST", f"{one}/deprecate")
    await platform.ok("POST", f"{one}/archive")
    for step in ("publish", "deprecate", "archive"):
        error = await platform.refused(409, "CONFLICT", "POST", f"{one}/{step}")
        assert error["details"]["status"] == "ARCHIVED"


async def test_publishing_says_what_is_missing(world: World) -> None:
    platform = Platform(world)
    made = await platform.definition(publish=False, methods=[{"name": "a"}], baseUrl=None, verification=None)
    error = await platform.refused(400, "VALIDATION_ERROR", "POST", f"{DEFINITIONS}/{made['id']}/publish")
    assert {fault["path"] for fault in error["details"]} == {"baseUrl", "methods.0.request"}


async def test_name_and_version_are_unique_also_at_once(world: World) -> None:
    platform = Platform(world)
    answers = await asyncio.gather(*(platform.ask("POST", DEFINITIONS, forge()) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    await platform.ok("POST", DEFINITIONS, forge(version="1.0.1"), 201)
    assert (await (await stranger_of(world)).ask("POST", DEFINITIONS, forge())).status_code == 201


async def test_instances_of_one_name_at_once(world: World) -> None:
    platform = Platform(world)
    definition = (await platform.definition())["id"]
    body = {"integrationDefinitionId": definition, "name": "The forge"}
    answers = await asyncio.gather(*(platform.ask("POST", INSTANCES, body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]


async def test_two_changes_at_once_lose_none(world: World) -> None:
    """With If-Match one of them wins, and the other is told; without a match nothing is written."""
    platform = Platform(world)
    for path, bodies in (
        (f"{DEFINITIONS}/{(await platform.definition(publish=False))['id']}", [forge(description=d) for d in "ab"]),
        (f"{INSTANCES}/{(await platform.instance(await _published(platform)))['id']}", [{"name": n} for n in "ab"]),
    ):
        tag = (await platform.get(path)).headers["ETag"]
        answers = await asyncio.gather(*(platform.ask("PUT", path, body, If_Match=tag) for body in bodies))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        for stale in (tag, '"nothing"', 'W/"1"'):
            await platform.refused(409, "CONFLICT", "PUT", path, bodies[0], If_Match=stale)
        await platform.refused(400, "VALIDATION_ERROR", "PUT", path, bodies[0], If_Match='"1", "2"')


async def _published(platform: Platform) -> str:
    return str((await platform.definition(version=f"1.0.{new_id().int % 10_000}", name=f"Forge {new_id()}"))["id"])


async def test_the_status_of_an_instance(world: World) -> None:
    """It follows configuration and credentials, step by step."""
    platform = Platform(world)
    definition = (await platform.definition())["id"]
    body: dict[str, Any] = {"integrationDefinitionId": definition, "name": "The forge"}
    error = await platform.refused(400, "VALIDATION_ERROR", "POST", INSTANCES, body | {"config": {"organization": 1}})
    assert error["details"] == [{"path": "config.organization", "message": 'the value is not of type "string"'}]
    assert (await platform.ok("GET", INSTANCES))["pagination"]["total"] == 0
    made = await platform.ok("POST", INSTANCES, body, 201)
    one = f"{INSTANCES}/{made['id']}"
    assert made["status"] == "PENDING_CONFIGURATION" and "config" not in made

    async def status(method: str, path: str, body: Any = None) -> str:
        answer = await platform.ask(method, path, body)
        assert answer.status_code in (200, 204), answer.text
        return str((await platform.ok("GET", one))["status"])

    assert await status("PUT", one, {"config": {"organization": "ada"}}) == "PENDING_AUTHENTICATION"
    await platform.refused(400, "VALIDATION_ERROR", "PUT", f"{one}/credentials", {"credentials": {"password": "x"}})
    assert await status("PUT", f"{one}/credentials", {"credentials": SECRETS}) == "CONNECTED"
    assert (await platform.ok("GET", one))["lastConnectedAt"]
    assert await status("DELETE", f"{one}/credentials") == "DISCONNECTED"
    assert await status("PUT", one, {"config": {"organization": "lovelace"}}) == "DISCONNECTED"
    assert await status("PUT", f"{one}/credentials", {"credentials": SECRETS}) == "CONNECTED"
    connected = await platform.ok(
        "POST", INSTANCES, body | {"name": "B", "config": {"organization": "a"}, "credentials": SECRETS}, 201
    )
    assert connected["status"] == "CONNECTED"
    none = await platform.definition(name="Open", authType="none")
    assert (await platform.instance(none["id"], name="Open"))["status"] == "CONNECTED"


async def test_only_what_is_published_can_be_connected(world: World) -> None:
    platform = Platform(world)
    made = await platform.definition(publish=False)
    body = {"integrationDefinitionId": made["id"], "name": "The forge"}
    await platform.refused(409, "CONFLICT", "POST", INSTANCES, body)
    body["integrationDefinitionId"] = "integration-def-1"
    await platform.refused(404, "INTEGRATION_NOT_FOUND", "POST", INSTANCES, body)


async def test_a_stranger_finds_nothing(world: World) -> None:
    platform, stranger = Platform(world), await stranger_of(world)
    instance = await platform.instance()
    for path in (f"{DEFINITIONS}/{instance['integrationDefinitionId']}", f"{INSTANCES}/{instance['id']}"):
        await stranger.refused(404, "INTEGRATION_NOT_FOUND", "GET", path)
        await stranger.refused(404, "INTEGRATION_NOT_FOUND", "PUT", path, forge() if "def" in path else {"name": "x"})
    await stranger.refused(404, "INTEGRATION_NOT_FOUND", "DELETE", f"{INSTANCES}/{instance['id']}")
    path = f"{INSTANCES}/{instance['id']}/credentials"
    await stranger.refused(404, "INTEGRATION_NOT_FOUND", "PUT", path, {"credentials": SECRETS})
    await stranger.refused(404, "RES_NOT_FOUND", "GET", f"{INTEGRATIONS}/{instance['id']}")
    assert (await stranger.ok("GET", INSTANCES))["items"] == []
    body = {"integrationDefinitionId": instance["integrationDefinitionId"], "name": "Mine"}
    await stranger.refused(404, "INTEGRATION_NOT_FOUND", "POST", INSTANCES, body)


async def test_scopes(world: World) -> None:
    """Reading and writing each need their own scope; without a token nothing is told."""
    reader = Platform(world, "viewer")
    await reader.ok("GET", DEFINITIONS)
    error = await reader.refused(403, "FORBIDDEN", "POST", DEFINITIONS, forge())
    assert error["kind"] == "scope_denied"
    await reader.refused(403, "PERM_DENIED", "DELETE", f"{INTEGRATIONS}/{new_id()}")
    nobody = Platform(world, permissions=["people.read"])
    nobody._token = world.token(permissions=["people.read"])
    await nobody.refused(403, "FORBIDDEN", "GET", INSTANCES)
    answer = await world.client.get("/api/v1/integrations/definitions")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    answer = await world.client.get("/api/v1/integrations")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AUTH_TOKEN_MISSING")


# --- what is sent is not right --------------------------------------------------------------------------


async def test_refusals_have_the_form_of_their_dialect(world: World) -> None:
    platform = Platform(world)
    service = [
        (404, "NOT_FOUND", "GET", f"{DEFINITIONS}/a/b/c", None),
        (405, "METHOD_NOT_ALLOWED", "DELETE", DEFINITIONS, None),
        (400, "VALIDATION_ERROR", "POST", DEFINITIONS, b"{"),
        (400, "VALIDATION_ERROR", "POST", DEFINITIONS, b"[]"),
        (400, "VALIDATION_ERROR", "GET", f"{DEFINITIONS}?page=0", None),
        (400, "VALIDATION_ERROR", "GET", f"{INSTANCES}?limit=101", None),
        (400, "VALIDATION_ERROR", "GET", f"{INSTANCES}?status=GOOD", None),
        (413, "PAYLOAD_TOO_LARGE", "POST", DEFINITIONS, b" " * 1_100_000),
    ]
    for status, code, method, path, body in service:
        error = await platform.refused(status, code, method, path, body)
        assert error["requestId"].startswith("req_")
    envelope = [
        (404, "NOT_FOUND", "GET", "/nothing", None),
        (405, "METHOD_NOT_ALLOWED", "PATCH", INTEGRATIONS, None),
        (400, "VAL_MALFORMED_JSON", "POST", INTEGRATIONS, b"{"),
        (400, "VAL_FAILED", "POST", INTEGRATIONS, b"[]"),
        (400, "VAL_FAILED", "GET", f"{INTEGRATIONS}?pageSize=101", None),
        (400, "VAL_FAILED", "GET", f"{INTEGRATIONS}?sort=secret", None),
        (404, "RES_NOT_FOUND", "GET", f"{INTEGRATIONS}/nothing", None),
        (413, "PAYLOAD_TOO_LARGE", "POST", INTEGRATIONS, b" " * 1_100_000),
    ]
    for status, code, method, path, body in envelope:
        answer = await platform.ask(method, path, body)
        told = answer.json()
        assert (answer.status_code, told["error"]["code"], told["success"]) == (status, code, False), answer.text
        assert told["meta"]["requestId"] == answer.headers["x-request-id"]
    for path, methods in (
        (INTEGRATIONS, "GET, OPTIONS, POST"), (f"{INTEGRATIONS}/x", "DELETE, GET, OPTIONS, PUT"),
        (DEFINITIONS, "GET, OPTIONS, POST"), (INSTANCES, "GET, OPTIONS, POST"),
        (f"{DEFINITIONS}/x", "GET, OPTIONS, PUT"), (f"{DEFINITIONS}/import", "OPTIONS, POST"),
    ):  # fmt: skip
        assert (await platform.ask("PATCH", path)).headers["Allow"] == methods, path
    answer = await platform.ask("POST", DEFINITIONS, b"{}", Content_Type="text/plain")
    assert answer.status_code == 415


async def test_an_unknown_field_is_named(world: World) -> None:
    platform = Platform(world)
    error = await platform.refused(400, "VALIDATION_ERROR", "POST", DEFINITIONS, forge(colour="red"))
    assert error["details"] == [{"path": "colour", "message": "is not a field here"}]
    answer = await platform.ask("POST", INTEGRATIONS, {"name": "a", "config": {}, "tenantId": str(new_id())})
    assert answer.json()["error"]["validationErrors"] == [
        {"field": "tenantId", "message": "is not a field here", "code": "VAL_UNKNOWN_FIELD"}
    ]


@pytest.mark.parametrize("segment", ["definitions", "instances"])
async def test_literal_segments_are_no_ids(world: World, segment: str) -> None:
    """`definitions` and `instances` stand where an id could: each of the pair answers in its own dialect."""
    platform = Platform(world)
    assert "items" in await platform.ok("GET", f"{INTEGRATIONS}/{segment}")
    await platform.refused(404, "INTEGRATION_NOT_FOUND", "GET", f"{INTEGRATIONS}/{segment}/{new_id()}")
    answer = await platform.get(f"{INTEGRATIONS}/{new_id()}")
    assert answer.json()["error"]["code"] == "RES_NOT_FOUND"
    answer = await platform.get(f"{INTEGRATIONS}/{segment}x")
    assert answer.json()["error"]["code"] == "RES_NOT_FOUND"


# --- idempotency ----------------------------------------------------------------------------------------


async def test_a_repeated_post_is_done_once(world: World) -> None:
    platform = Platform(world)
    key = str(new_id())
    first = await platform.ask("POST", DEFINITIONS, forge(), Idempotency_Key=key)
    again = await platform.ask("POST", DEFINITIONS, forge(), Idempotency_Key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content and again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
    await platform.refused(
        422, "IDEMPOTENCY_KEY_REUSED", "POST", DEFINITIONS, forge(version="2.0.0"), Idempotency_Key=key
    )
    await platform.refused(400, "VALIDATION_ERROR", "POST", DEFINITIONS, forge(), Idempotency_Key="a b")
    refused = await platform.ask("POST", DEFINITIONS, forge(), Idempotency_Key="another")
    replayed = await platform.ask("POST", DEFINITIONS, forge(), Idempotency_Key="another")
    assert (refused.status_code, replayed.status_code) == (409, 409)
    assert replayed.headers["Idempotency-Replayed"] == "true"
    other = Platform(world)
    assert (await other.ask("POST", DEFINITIONS, forge(), Idempotency_Key=key)).status_code == 409


async def test_the_same_key_at_once(world: World) -> None:
    """One is done; the others are told to wait, or given its answer."""
    platform, key = Platform(world), str(new_id())
    # A name that no built-in definition has: another test may have loaded those.
    body = forge(name="Anvil at once")
    asked = (platform.ask("POST", DEFINITIONS, body, Idempotency_Key=key) for _ in range(8))
    answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} <= {201, 409}
    ids = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(ids) == 1
    assert (await platform.ok("GET", f"{DEFINITIONS}?search=anvil%20at%20once"))["pagination"]["total"] == 1


async def test_an_answer_is_kept_sealed(world: World) -> None:
    """The table of answers holds none in the clear: what an upstream said is in there too."""
    from models.integrations import IdempotencyRecord

    platform = Platform(world)
    await platform.ask("POST", DEFINITIONS, forge(description="CANARY-ANSWER"), Idempotency_Key="sealed")
    rows = await IdempotencyRecord.of(world.tenant).select()
    assert len(rows) == 1 and "CANARY-ANSWER" not in str(rows) and rows[0]["key_id"]


# --- the platform's envelope ------------------------------------------------------------------------------


async def test_the_hub_sees_the_same_rows(world: World) -> None:
    """Types are published definitions, integrations are instances; the list is filtered and sorted."""
    platform = Platform(world)
    draft = await platform.definition(publish=False, name="Draft")
    made = await platform.definition()
    own = quote('{"isBuiltin":false}')
    types = await platform.ok("GET", f"{TYPES}?category=scm&sort=-name&filter={own}")
    assert [kind["name"] for kind in types["data"]] == ["Forge"]
    assert types["meta"]["pagination"]["totalItems"] == 1
    kind = (await platform.ok("GET", f"{TYPES}/Forge"))["data"]
    assert kind["id"] == made["id"] and kind["capabilities"] == ["test"]
    assert kind["secretsSchema"]["required"] == ["token"]
    assert (await platform.ok("GET", f"{TYPES}/{made['id']}"))["data"] == kind
    await platform.refused(404, "RES_NOT_FOUND", "GET", f"{TYPES}/Draft")
    await platform.refused(422, "INT_TYPE_UNKNOWN", "POST", INTEGRATIONS, {"type": "x", "name": "a", "config": {}})
    body: dict[str, Any] = {"type": "Forge", "name": "The forge", "config": {}}
    error = await platform.refused(422, "INT_CONFIG_INVALID", "POST", INTEGRATIONS, body)
    assert error["details"]["errors"] == [{"path": "config", "message": '"organization" is a required property'}]
    body["config"] = {"organization": "ada", "token": "config-secret"}
    error = await platform.refused(422, "INT_CONFIG_INVALID", "POST", INTEGRATIONS, body)
    assert error["details"]["errors"] == [{"path": "credentials", "message": '"token" is a required property'}]
    body["credentials"] = SECRETS
    answer = await platform.ok("POST", INTEGRATIONS, body, 201)
    one = f"{INTEGRATIONS}/{answer['data']['id']}"
    assert answer["data"]["config"] == {"organization": "ada", "token": "********"}
    assert (answer["data"]["healthStatus"], answer["data"]["type"]) == ("unknown", "Forge")
    await platform.refused(409, "RES_ALREADY_EXISTS", "POST", INTEGRATIONS, body)
    await platform.refused(422, "INT_CONFIG_INVALID", "PUT", one, {"type": "Draft"})
    changed = await platform.ok("PUT", one, {"config": answer["data"]["config"], "enabled": False})
    assert changed["data"]["enabled"] is False
    found = await platform.ok("GET", f"{INTEGRATIONS}?type=Forge&enabled=false&healthStatus=unknown&sort=-createdAt")
    assert [each["id"] for each in found["data"]] == [answer["data"]["id"]]
    assert (await platform.ok("GET", f"{INTEGRATIONS}?enabled=true"))["data"] == []
    assert draft["status"] == "DRAFT"
    await platform.ok("DELETE", one, status=204)
    await platform.refused(404, "RES_NOT_FOUND", "GET", one)


async def test_a_masked_value_that_comes_back_stands_for_the_old_one(world: World) -> None:
    from models.integrations import IntegrationInstance

    platform = Platform(world)
    made = await platform.instance(config={"organization": "ada", "token": "config-secret"})
    assert made["config"]["token"] == "********"
    await platform.ok("PUT", f"{INSTANCES}/{made['id']}", {"config": made["config"] | {"organization": "b"}})
    rows = await IntegrationInstance.of(world.tenant).select()
    assert "config-secret" not in rows[0]["config"]
    whole = open_config(world.runtime.encryption, rows[0])
    assert whole == {"organization": "b", "token": "config-secret"}


async def test_a_request_that_was_cut_off_is_not_done_again(world: World) -> None:
    """Its process died: whether it was done is not known, and to do it again is what the key rules out."""
    from models.integrations import IdempotencyRecord

    platform = Platform(world)
    await platform.ask("POST", DEFINITIONS, forge(), Idempotency_Key="cut-off")
    died = {"status": "running", "leased_until": world.runtime.clock.now_ms() - 1, "answer_body": None}
    await IdempotencyRecord.of(world.tenant).update(died).where(IdempotencyRecord.key == "cut-off")
    error = await platform.refused(409, "CONFLICT", "POST", DEFINITIONS, forge(), Idempotency_Key="cut-off")
    assert error["kind"] == "idempotency_in_progress" and "outcome is not known" in error["message"]


async def test_what_breaks_is_not_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of 500 says nothing but the request id, and the key is free for another try."""
    from services.integrations.definitions import registry

    platform = Platform(world)

    def broken(_: Any) -> None:
        raise RuntimeError("CANARY of the inside")

    with monkeypatch.context() as patched:
        patched.setattr(registry, "check_definition", broken)
        answer = await platform.ask("POST", DEFINITIONS, forge(), Idempotency_Key="broken")
    assert answer.status_code == 500 and "CANARY" not in answer.text
    assert answer.json()["error"]["code"] == "INTERNAL_ERROR"
    await platform.ok("POST", DEFINITIONS, forge(), 201, Idempotency_Key="broken")
