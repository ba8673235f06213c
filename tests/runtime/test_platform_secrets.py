"""Secrets of integrations are nowhere: no answer, log line, audit event, event, error or table shows one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec
import pytest
from structlog.testing import capture_logs

from app.ids import new_id
from app.logs import configure_logs
from services.integrations.instances.secrets import open_secrets
from services.integrations.instances.status import integrations_topic
from services.keyring.sealed import SEALED
from services.paging import statement
from tests.runtime.platform import INSTANCES, Platform
from tests.runtime.webhooks import BODY, receiving, sender
from tests.world import World

pytestmark = pytest.mark.runtime


async def test_a_canary_is_found_nowhere(world: World) -> None:
    """Set, refused, set again, read on every surface, deleted: the canaries stand in the vault alone."""
    canary = f"CANARY-{new_id().hex}"
    platform, seen = Platform(world), []

    async def note(method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = await platform.ask(method, path, body, **headers)
        seen.append(f"{answer.headers} {answer.text}")
        return answer

    with capture_logs() as logs, world.runtime.bus.subscribe(integrations_topic(world.tenant)) as events:
        made = await platform.instance(credentials={"token": canary})
        seen.append(str(made))
        one = f"{INSTANCES}/{made['id']}"
        for body in (
            {"credentials": {"token": canary, "extra": canary}},
            {"credentials": {"password": canary}},
            {"credentials": {"token": [canary]}},
            {"credentials": canary},
            {"credentials": {"token": canary}, "more": canary},
            {"credentials": {"token": canary * 3_000}},
        ):
            assert (await note("PUT", f"{one}/credentials", body)).status_code == 400
        assert (await note("PUT", f"{one}/credentials", {"credentials": {"token": canary}})).status_code == 200
        await note("PUT", f"{one}/credentials", f'{{"credentials": {{"token": "{canary}"'.encode())
        config = {"organization": "a", "token": canary}
        body = {"type": "Forge", "name": "Another", "config": config, "credentials": {"token": canary}}
        for wrong in ({"organization": "", "token": canary}, {"organization": "a", "token": [canary]}):
            assert (await note("POST", "/integrations", body | {"config": wrong})).status_code == 422
            assert (await note("PUT", one, {"config": wrong})).status_code == 400
        assert (await note("PUT", one, {"config": config})).status_code == 200
        assert (await note("POST", "/integrations", body, Idempotency_Key="canary")).status_code == 201
        assert (await note("POST", "/integrations", body, Idempotency_Key="canary")).status_code == 201
        for path in (one, INSTANCES, f"/integrations/{made['id']}", "/integrations", f"{one}/nothing"):
            await note("GET", path)
        seen.append(await _over_graphql(world, canary))
        await note("DELETE", f"{one}/credentials")
        await asyncio.sleep(0)
        told = [str(events._queue.get_nowait()) for _ in range(events._queue.qsize())]
    assert told and canary not in str(told)
    assert not [text for text in seen if canary in text]
    assert canary not in str(logs)
    await world.runtime.sealer.seal_all()
    for table in (*(table.name for table in SEALED), "integration_instance", "audit_event"):
        rows = await world.runtime.database.fetch(statement(f"SELECT * FROM {table}"))
        assert canary not in str([tuple(row) for row in rows]), table


async def _over_graphql(world: World, canary: str) -> str:
    mutation = """mutation ($input: CreateIntegrationInstanceInput!) {
      createIntegrationInstance(input: $input) { instance { id config status } errors { code message path } } }"""
    said = ""
    for credentials in ({"token": canary}, {"token": [canary]}, {"wrong": canary}, canary):
        given = {"type": "Forge", "name": f"G {new_id()}", "config": {"organization": "a"}, "credentials": credentials}
        said += (await world.graphql(mutation, world.token("admin"), input=given)).text
    assert '"CONNECTED"' in said and "integration_config_invalid" in said
    return said


_CREATE = """mutation ($input: CreateIntegrationInstanceInput!) {
  createIntegrationInstance(input: $input) { errors { code } } }"""
_SET = "mutation ($id: ID!) { setIntegrationCredentials(id: $id, %s) { errors { code } } }"


@pytest.mark.parametrize(
    ("document", "given", "rule"),
    [
        (_CREATE, {"credentials": {"token": "CANARY"}, "extra": 1}, "unknown field 'extra'"),
        (_CREATE, {"credentials": {"token": "CANARY"}, "names": 1}, "Did you mean 'name'?"),
        (_CREATE, {"name": ["CANARY"], "credentialRef": ["CANARY"]}, "String cannot represent a non string value."),
        (_CREATE, ["CANARY"], "to be an object."),
        (_CREATE, {"name": "a", "definition": ["CANARY"]}, "ID cannot represent value."),
        (_CREATE, {"name": "a", "enabled": "CANARY"}, "Boolean cannot represent a non boolean value."),
        (_SET % 'credentials: {token: "CANARY"}, credentialRef: ["CANARY"]', None, "cannot represent"),
        (
            _SET % 'credentials: {token: "CANARY"}, credentialRef: {a: "CANARY", found: "CANARY"}',
            None,
            "cannot represent",
        ),
        (_SET % 'credentials: {token: "CANARY" "CANARY"}', None, "Expected Name, found String."),
        (
            _SET % 'credentials: {token: """CANARY""" """CANARY"""}',
            None,
            "Expected Name, found BlockString.",
        ),
    ],
)
async def test_a_refused_document_does_not_repeat_its_values(
    world: World, document: str, given: Any, rule: str
) -> None:
    """What is wrong is told by its name and the rule: the value beside it may be a secret."""
    canary = f"CANARY-{new_id().hex}"
    document, given = (
        msgspec.json.decode(msgspec.json.encode(each).replace(b"CANARY", canary.encode())) for each in (document, given)
    )
    answer = await world.graphql(document, world.token("admin"), input=given)
    assert answer.status_code == 400 and canary not in answer.text
    assert any(rule in error["message"] for error in answer.json()["errors"]), answer.text


@pytest.fixture
def loud() -> Iterator[None]:
    """Everything is logged, each request with its path too."""
    configure_logs("debug", settled=False)
    yield
    configure_logs("error", settled=False)


@pytest.mark.usefixtures("loud")
async def test_webhooks_show_their_secrets_once(world: World) -> None:
    """URL token, given and made secrets, signatures, payloads: in the one answer that makes them, and nowhere else."""
    canary = f"CANARY-{new_id().hex}"
    platform, seen, hidden = Platform(world), [], [canary]
    body = f'{{"type":"{"a" * 201}","note":"{canary}"}}'.encode()
    with capture_logs() as logs, world.runtime.bus.subscribe(integrations_topic(world.tenant)) as events:
        shop, other = await sender(platform), await sender(platform, "github", f"given-{canary}")
        moved = await platform.ok("POST", f"{shop.path}/webhook/rotate-url")
        turned = await platform.ok("POST", f"{shop.path}/webhook/rotate-secret", {})
        given = await platform.ok("POST", f"{shop.path}/webhook/rotate-secret", {"secret": turned["signingSecret"]})
        assert "signingSecret" not in given and "signingSecret" not in other.made["webhook"]
        tokens = [url.rpartition("/")[2] for url in (shop.url, moved["url"], other.url)]
        hidden += [shop.secret, turned["signingSecret"], *tokens]
        shop.url, shop.secret = moved["url"], turned["signingSecret"]
        headers = shop.signed(note := f'{{"type":"note","note":"{canary}"}}'.encode())
        hidden.append(headers["webhook-signature"])
        for sent in (headers, headers, shop.signed(), {}):
            seen.append((await shop.post(note, headers=sent)).text)
        seen.append((await shop.post(body)).text)
        seen.append((await world.client.get(shop.url)).text)
        seen.append((await other.post(BODY)).text)
        bad = receiving(webhook={"signatures": [{"scheme": "standard"}]}, secretsSchema=canary)
        assert (await platform.ask("POST", "/integrations/definitions", bad)).status_code == 400
        for secret in (f"short{canary[-8:]}", f"no base64 {canary}"):
            hidden.append(secret)
            for step, wrong in (
                ("webhook/rotate-secret", {"secret": secret}),
                ("webhook/rotate-secret", {"secret": [secret]}),
                ("credentials", {"credentials": {"signingSecret": secret}}),
            ):
                answer = await platform.ask("PUT" if step == "credentials" else "POST", f"{shop.path}/{step}", wrong)
                assert answer.status_code == 400
                seen.append(answer.text)
        for path in (shop.path, INSTANCES, f"/integrations/{shop.made['id']}", f"{shop.path}/deliveries"):
            seen.append((await platform.get(path)).text)
        query = """{ integrationInstances(first: 9) { nodes { webhook { hint previousUntil } } }
          integrationDeliveries(first: 9) { nodes { id headers error } } }"""
        seen.append((await world.graphql(query, world.token("admin"))).text)
        seen.append((await world.client.get("/metrics")).text)
        await asyncio.sleep(0)
        told = [str(events._queue.get_nowait()) for _ in range(events._queue.qsize())]
    assert "integration.webhook.received" in str(told) and "whk_" in str(seen)
    await world.runtime.denials.flush(everything=True)
    await world.runtime.sealer.seal_all()
    for table in (*(table.name for table in SEALED), "integration_instance", "integration_endpoint", "audit_event"):
        rows = await world.runtime.database.fetch(statement(f"SELECT * FROM {table}"))
        seen.append(str([tuple(row) for row in rows]))
    found = [(place, text) for text in hidden for place in (*seen, *told, str(logs)) if text in place]
    assert not found
    assert "/api/v1/integrations/webhooks/***" in [entry.get("path") for entry in logs]
    # The one answer that may: whoever may execute is shown what came in.
    (one,) = [each for each in await shop.deliveries() if each["eventType"] == "note"]
    assert canary in (await platform.get(f"{shop.path}/deliveries/{one['id']}")).text


async def test_what_was_set_is_what_a_call_will_use(world: World) -> None:
    platform = Platform(world)
    made = await platform.instance(credentials={"token": "first"})
    path = f"{INSTANCES}/{made['id']}/credentials"
    await platform.ok("PUT", path, {"credentials": {"token": "sécond ✓"}})
    keys, forge = world.runtime.encryption, "https://api.forge.example"
    sealed = (keys, world.runtime.database, world.tenant, UUID(made["id"]), forge)
    assert await open_secrets(*sealed) == {"token": "sécond ✓"}
    await platform.ok("DELETE", path, status=204)
    assert await open_secrets(*sealed) == {}
