"""What a reference to a vault may be, what it excludes, and what it keeps from being deleted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from graph.relay import to_global_id
from tests.runtime.platform import INSTANCES, Platform
from tests.runtime.vaults import INTEGRATIONS, both, connected_vault, referring, type_of
from tests.world import World

pytestmark = pytest.mark.runtime
#: The kind of definition, the reference (`{theirs}` and `{plain}` are ids), and what the refusal says.
REFUSED = [
    ("kind", "env://TOKEN", "must be vault://"),
    ("kind", "file:///etc/passwd", "must be vault://"),
    ("kind", "vault://Our%20vault", "must be vault://"),
    ("kind", "vault://Our%20vault/#token", "must be vault://"),
    ("kind", "vault://Our%20vault/a?version=1#token", "must be vault://"),
    ("kind", "vault://Our%20vault/a#", "must be vault://"),
    ("kind", "vault://Our%20vault/../sys#token", "none of them . or .."),
    ("kind", "vault://Our%20vault/a/%2E%2E/b#token", "none of them . or .."),
    ("kind", "vault://Our%20vault/a//b#token", "none of them . or .."),
    ("kind", "vault://Our%20vault/a%00#token", "control characters"),
    ("kind", "vault://Our%20vault/a%ff#token", "no UTF-8"),
    ("kind", "vault://Our%20vault/" + "a" * 500, "at most 500 characters"),
    ("kind", "vault://Nobody/a#token", "names no integration of the tenant"),
    ("kind", "vault://{theirs}/a#token", "names no integration of the tenant"),
    ("kind", "vault://Their%20vault/a#token", "names no integration of the tenant"),
    ("kind", "vault://{plain}/a#token", "is no vault"),
    ("basic", "vault://Our%20vault/a#password", "takes username, password: leave out"),
    ("vault", "vault://Our%20vault/a#apiKey", "from vault to vault"),
    ("oauth", "vault://Our%20vault/a#clientSecret", "takes clientId, clientSecret: leave out"),
    ("consent", "vault://Our%20vault/a#clientSecret", "takes clientId, clientSecret: leave out"),
    ("nothing", "vault://Our%20vault/a", "the type has no secrets, with authType none"),
]


async def test_what_a_reference_may_be(world: World) -> None:
    """Each refusal is 422 on `credentialRef`; what is another tenant's is as what is not there."""
    stranger = Platform(await World(world.app, world.client).open())
    async with both(world) as it:
        theirs = await connected_vault(stranger, it.vault, "Their vault")
        tokens = {"name": "Tokens", "authType": "client_credentials", "oauth2Config": {"tokenUrl": f"{it.far.base}/t"}}
        addresses = {"tokenUrl": f"{it.far.base}/t", "authorizationUrl": f"{it.far.base}/a"}
        consent = {"name": "Consent", "authType": "oauth2", "oauth2Config": addresses}
        kinds = {
            "vault": it.instance["integrationTypeId"],
            "kind": await type_of(it.platform, it.far.base),
            "basic": await type_of(it.platform, it.far.base, "basic"),
            "oauth": await type_of(it.platform, it.far.base, **tokens),
            "consent": await type_of(it.platform, it.far.base, **consent),
            "nothing": await type_of(it.platform, it.far.base, "none"),
        }
        given = {"integrationTypeId": kinds["nothing"], "name": "Plain", "config": {}}
        plain = (await it.platform.ok("POST", INTEGRATIONS, given, 201))["data"]
        for kind, written, rule in REFUSED:
            reference = written.format(theirs=theirs["id"], plain=plain["id"])
            body = {"integrationTypeId": kinds[kind], "name": "X", "config": {"baseUrl": it.vault.base},
                    "credentialRef": reference}  # fmt: skip
            error = await it.platform.refused(422, "INT_CONFIG_INVALID", "POST", INTEGRATIONS, body)
            assert error["details"]["errors"][0]["path"] == "credentialRef", reference
            assert rule in error["details"]["errors"][0]["message"], error


async def test_when_a_reference_is_refused(world: World) -> None:
    """Where the vault would refer to itself, beside secrets, and where the vault is disconnected."""
    async with both(world) as it:
        kind, own = await type_of(it.platform, it.far.base), it.instance["id"]
        # A vault that refers to itself leads nowhere.
        error = await it.platform.refused(422, "INT_CONFIG_INVALID", "PUT", f"{INTEGRATIONS}/{own}",
                                          {"credentialRef": f"vault://{own}/a#apiKey"})  # fmt: skip
        body = {"integrationTypeId": kind, "name": "X", "config": {}, "credentials": {"token": "t"},
                "credentialRef": "vault://Our%20vault/a#token"}  # fmt: skip
        error = await it.platform.refused(400, "VAL_FAILED", "POST", INTEGRATIONS, body)
        assert error["validationErrors"][0]["field"] == "credentialRef"
        await it.platform.ok("DELETE", f"{INSTANCES}/{own}/credentials", status=204)
        del body["credentials"]
        error = await it.platform.refused(422, "INT_CONFIG_INVALID", "POST", INTEGRATIONS, body)
        assert "is DISCONNECTED" in error["details"]["errors"][0]["message"]


async def test_references_and_secrets_take_each_others_place(world: World) -> None:
    """Never both; taken away, the instance is disconnected; null takes no secrets away."""
    async with both(world) as it:
        it.vault.secrets["a"] = {"token": "from-the-vault"}
        kind = await type_of(it.platform, it.far.base)
        body = {"integrationDefinitionId": kind, "name": "Far", "config": {}}
        made = await it.platform.ok("POST", INSTANCES, body, 201)
        one, hub = f"{INSTANCES}/{made['id']}", f"{INTEGRATIONS}/{made['id']}"
        assert made["status"] == "PENDING_AUTHENTICATION"
        path, reference = f"{one}/credentials", "vault://Our%20vault/a#token"
        for given in ({}, {"credentials": {"token": "t"}, "credentialRef": reference}):
            await it.platform.refused(400, "VALIDATION_ERROR", "PUT", path, given)
        found = await it.platform.ok("PUT", path, {"credentialRef": reference})
        assert (found["status"], found["credentialRef"][-8:]) == ("CONNECTED", "/a#token")
        await it.executed(made)
        found = await it.platform.ok("PUT", path, {"credentials": {"token": "given-by-hand"}})
        assert (found["credentialRef"], found["status"]) == (f"authref://store/{made['id']}", "CONNECTED")
        await it.platform.ok("PUT", hub, {"credentialRef": None, "name": "Still connected"})
        await it.executed(made)
        await it.platform.ok("PUT", one, {"credentialRef": reference})
        await it.executed(made)
        assert it.sent == ["Bearer from-the-vault", "Bearer given-by-hand", "Bearer from-the-vault"]
        assert (await it.platform.ok("PUT", hub, {"credentialRef": None}))["data"]["status"] == "DISCONNECTED"
        await it.platform.ok("PUT", one, {"credentialRef": reference})
        await it.platform.ok("DELETE", path, status=204)
        found = (await it.platform.ok("GET", hub))["data"]
        assert (found["credentialRef"], found["status"]) == (None, "DISCONNECTED")


async def test_secrets_that_were_given_are_told_by_where_they_lie(world: World) -> None:
    """In each dialect, in lists and on GraphQL alike; an answer sent back as it is changes nothing."""
    async with both(world) as it:
        kind, token = await type_of(it.platform, it.far.base), "given-and-never-shown"
        body = {"integrationTypeId": kind, "name": "Far", "config": {}, "credentials": {"token": token}}
        answer = await it.platform.ask("POST", INTEGRATIONS, body)
        made = answer.json()["data"]
        one, hub = f"{INSTANCES}/{made['id']}", f"{INTEGRATIONS}/{made['id']}"
        reference = f"authref://store/{made['id']}"
        listed = (await it.platform.ok("GET", INTEGRATIONS))["data"]
        shown = [made, *[each for each in listed if each["id"] == made["id"]], await it.platform.ok("GET", one)]
        assert [each["credentialRef"] for each in shown] == [reference] * 3 and token not in answer.text + str(shown)
        for path, sent in ((hub, {"name": "F", "config": {}}), (one, {}), (hub, {})):
            found = await it.platform.ok("PUT", path, sent | {"credentialRef": reference})
            assert found.get("data", found)["credentialRef"] == reference
        await it.executed(made)
        assert it.sent == [f"Bearer {token}"]
        nodes = (await world.graphql("{ integrationInstances(first: 50) { nodes { credentialRef } } }",
                                     world.token("admin"))).json()  # fmt: skip
        assert {"credentialRef": reference} in nodes["data"]["integrationInstances"]["nodes"], nodes


async def test_where_secrets_lie_gives_nobody_those_secrets(world: World) -> None:
    """Neither another integration, nor the same one at another address, nor one that has lost them."""
    async with both(world) as it:
        kind = await type_of(it.platform, it.far.base)
        body = {"integrationTypeId": kind, "name": "Far", "config": {}, "credentials": {"token": "for-one-alone"}}
        made = (await it.platform.ok("POST", INTEGRATIONS, body, 201))["data"]
        hub, reference = f"{INTEGRATIONS}/{made['id']}", made["credentialRef"]
        del body["credentials"]
        other = body | {"name": "Other", "credentialRef": reference}
        error = await it.platform.refused(422, "INT_CONFIG_INVALID", "POST", INTEGRATIONS, other)
        assert error["details"]["errors"][0]["path"] == "credentialRef"
        moved = {"config": {"baseUrl": "http://127.0.0.1:9"}, "credentialRef": reference}
        found = (await it.platform.ok("PUT", hub, moved))["data"]
        assert (found["status"], found["credentialRef"]) == ("PENDING_AUTHENTICATION", None)
        error = await it.platform.refused(422, "INT_CONFIG_INVALID", "PUT", hub, {"credentialRef": reference})
        assert "no longer there" in error["details"]["errors"][0]["message"]


async def test_a_vault_in_use_stays(world: World) -> None:
    """409 names who uses it, in each dialect; also where somebody begins to use it at the same time."""
    async with both(world) as it:
        it.vault.secrets["a"] = {"token": "t"}
        kind, own = await type_of(it.platform, it.far.base), f"{INTEGRATIONS}/{it.instance['id']}"
        assert (await it.platform.ok("GET", own))["data"]["usedBy"] == {"integrations": 0}
        made = [await referring(it.platform, kind, "vault://Our%20vault/a#token", name) for name in ("B", "A")]
        assert (await it.platform.ok("GET", own))["data"]["usedBy"] == {"integrations": 2}
        error = await it.platform.refused(409, "RES_IN_USE", "DELETE", own)
        names = [{"id": each["id"], "name": each["name"]} for each in reversed(made)]
        assert error["details"] == {"references": names, "count": 2}
        error = await it.platform.refused(409, "CONFLICT", "DELETE", f"{INSTANCES}/{it.instance['id']}")
        assert error["kind"] == "in_use" and error["details"]["count"] == 2
        for each in made:
            await it.platform.ok("DELETE", f"{INTEGRATIONS}/{each['id']}", status=204)
        body = {"integrationTypeId": kind, "name": "C", "config": {}, "credentialRef": "vault://Our%20vault/a#token"}
        deleted, begun = await asyncio.gather(
            it.platform.ask("DELETE", own), it.platform.ask("POST", INTEGRATIONS, body)
        )
        assert (deleted.status_code, begun.status_code) in ((204, 422), (409, 201)), (deleted.text, begun.text)


async def test_references_on_the_control_plane(world: World) -> None:
    async with both(world) as it:
        it.vault.secrets["a"] = {"token": "t"}
        kind = to_global_id("IntegrationDefinition", await type_of(it.platform, it.far.base))

        async def asked(query: str, **variables: Any) -> Any:
            answer = (await world.graphql(query, world.token("admin"), **variables)).json()
            assert "errors" not in answer, answer
            return next(iter(answer["data"].values()))

        create = """mutation ($input: CreateIntegrationInstanceInput!) { createIntegrationInstance(input: $input) {
          instance { id status credentialRef } errors { code path message } } }"""
        given = {"definition": kind, "name": "Far", "config": {}, "credentialRef": "vault://Our%20vault/a#token"}
        made = (await asked(create, input=given))["instance"]
        assert made["status"] == "CONNECTED" and made["credentialRef"].endswith("/a#token")
        refused = (await asked(create, input=given | {"name": "G", "credentialRef": "vault://x/a#token"}))["errors"]
        assert [(each["code"], each["path"]) for each in refused] == [("integration_config_invalid", ["credentialRef"])]
        give = """mutation ($id: ID!, $credentials: JSON, $ref: String) { setIntegrationCredentials(id: $id,
          credentials: $credentials, credentialRef: $ref) { instance { credentialRef } errors { code path } } }"""
        sealed = (await asked(give, id=made["id"], credentials={"token": "t"}))["instance"]["credentialRef"]
        assert sealed.startswith("authref://store/")
        assert (await asked(give, id=made["id"]))["errors"][0]["path"] == ["credentials"]
        found = await asked(give, id=made["id"], ref="vault://Our%20vault/a#token")
        assert found["instance"]["credentialRef"].endswith("/a#token")
        vault = to_global_id("IntegrationInstance", it.instance["id"])
        used = await asked("query ($id: ID!) { integrationInstance(id: $id) { usedBy { integrations } } }", id=vault)
        assert used == {"usedBy": {"integrations": 1}}
        delete = """mutation ($id: ID!) { deleteIntegrationInstance(id: $id) { errors { __typename code
          ... on Conflict { details } } } }"""
        [error] = (await asked(delete, id=vault))["errors"]
        assert (error["__typename"], error["code"], error["details"]["count"]) == ("Conflict", "in_use", 1)
