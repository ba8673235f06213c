"""Webhooks on the control plane: what is shown once, what came in, and the stream of what comes."""

from __future__ import annotations

import json
from typing import Any

import httpx

from app.ids import new_id
from graph.relay import to_global_id
from services.inputs import read_input
from services.integrations.definitions.lifecycle import publish_integration_definition
from services.integrations.definitions.model import Definition
from services.integrations.definitions.registry import create_integration_definition
from services.integrations.signing.verifying import sign
from tests.graphql.clients import StreamPeer
from tests.runtime.webhooks import BODY, SECRET, STANDARD, receiving
from tests.world import World

CREATE = """mutation ($input: CreateIntegrationInstanceInput!) { createIntegrationInstance(input: $input) {
  webhookUrl signingSecret instance { id status webhook { hint lastReceivedAt } definition { content { webhook } } }
  errors { code } } }"""
LIST = """query ($filter: IntegrationDeliveryFilter, $where: IntegrationDeliveryWhere) {
  integrationDeliveries(first: 20, filter: $filter, where: $where) { totalCount nodes {
    eventType deliveryId status error scheme signedAt headers sizeBytes payload instance { name } } } }"""


async def asked(world: World, query: str, role: str = "admin", **variables: Any) -> Any:
    answer = (await world.graphql(query, world.token(role), **variables)).json()
    assert "errors" not in answer, answer
    return answer["data"]


async def connected(world: World, **given: Any) -> dict[str, Any]:
    """A receiving instance, as the mutation answers."""
    made = await create_integration_definition(world.context(), read_input(Definition, receiving(**given)))
    await publish_integration_definition(world.context(), made["id"])
    wanted = {"definition": to_global_id("IntegrationDefinition", made["id"]), "name": f"The shop {new_id()}"}
    answer: dict[str, Any] = (await asked(world, CREATE, input=wanted))["createIntegrationInstance"]
    assert answer["errors"] == []
    return answer


async def sent(world: World, url: str, secret: str, body: bytes = BODY, **given: Any) -> httpx.Response:
    seconds = world.runtime.clock.now_ms() // 1_000
    headers = sign(STANDARD, secret, body, id=given.get("id", new_id().hex), seconds=seconds)
    return await world.client.post(url, content=body, headers=headers | {"Content-Type": "application/json"})


async def test_what_is_made_is_shown_once(world: World) -> None:
    """URL and secret in the answer that makes them; later only how the URL begins."""
    made = await connected(world)
    hint = made["instance"]["webhook"]["hint"]
    assert made["webhookUrl"].rpartition("/")[2].startswith(hint) and made["signingSecret"].startswith("whsec_")
    assert made["instance"]["definition"]["content"]["webhook"]["eventType"] == {"body": "type"}
    one = "query ($id: ID!) { integrationInstance(id: $id) { webhook { hint createdAt rotatedAt previousUntil } } }"
    shown = (await asked(world, one, id=made["instance"]["id"]))["integrationInstance"]["webhook"]
    assert shown["hint"] == hint and shown["previousUntil"] is None


async def test_rotation(world: World) -> None:
    made = await connected(world)
    instance, url, secret = made["instance"]["id"], made["webhookUrl"], made["signingSecret"]
    turn = """mutation ($id: ID!, $secret: String, $seconds: Int) {
      rotateIntegrationWebhookSecret(id: $id, secret: $secret, overlapSeconds: $seconds) {
        signingSecret previousSecretUntil instance { webhook { previousUntil } } errors { code path } } }"""
    turned = (await asked(world, turn, id=instance, seconds=60))["rotateIntegrationWebhookSecret"]
    assert turned["previousSecretUntil"] == turned["instance"]["webhook"]["previousUntil"] is not None
    for good in (secret, turned["signingSecret"]):
        assert (await sent(world, url, good)).status_code == 200
    given = (await asked(world, turn, id=instance, secret=SECRET, seconds=0))["rotateIntegrationWebhookSecret"]
    assert (given["signingSecret"], given["previousSecretUntil"], given["errors"]) == (None, None, [])
    assert [(await sent(world, url, each)).status_code for each in (SECRET, turned["signingSecret"])] == [200, 401]
    for wrong in ({"seconds": -1}, {"seconds": 604_801}, {"secret": "short"}):
        refused = (await asked(world, turn, id=instance, **wrong))["rotateIntegrationWebhookSecret"]
        assert [each["code"] for each in refused["errors"]] in (["validation_failed"], ["integration_config_invalid"])
    move = "mutation ($id: ID!) { rotateIntegrationWebhookUrl(id: $id) { url errors { code } } }"
    moved = (await asked(world, move, id=instance))["rotateIntegrationWebhookUrl"]
    assert (await sent(world, url, SECRET)).status_code == 401
    assert (await sent(world, moved["url"], SECRET)).status_code == 200


async def test_what_came_in_is_listed(world: World) -> None:
    """With its payload for those who may execute; filtered; the number of statements does not follow the page."""
    made = await connected(world)
    url, secret, instance = made["webhookUrl"], made["signingSecret"], made["instance"]["id"]
    await sent(world, url, secret, b'{"type":"order.sent","id":"\xc3\xa9"}', id="first")
    await world.runtime.sealer.seal_all()
    counts = []
    for number in (1, 18):
        for _ in range(number):
            assert (await sent(world, url, secret)).status_code == 200
        await world.runtime.sealer.seal_all()
        await asked(world, LIST)
        with world.runtime.database.count_statements() as statements:
            found = (await asked(world, LIST))["integrationDeliveries"]
        counts.append(statements.count)
    assert counts[0] == counts[1] <= 5
    assert found["totalCount"] == len(found["nodes"]) == 20
    oldest = found["nodes"][-1]
    assert oldest["payload"] == {"type": "order.sent", "id": "é"}
    assert (oldest["eventType"], oldest["deliveryId"], oldest["scheme"]) == ("order.sent", "first", "standard")
    for narrowed in (
        {"filter": {"instance": instance, "eventType": "order.sent"}},
        {"filter": {"deliveryId": "first", "status": "ACCEPTED"}},
        {"where": {"eventType": {"like": "%.sent"}, "or": [{"sizeBytes": {"gt": 1}}, {"status": {"eq": "REJECTED"}}]}},
    ):
        assert (await asked(world, LIST, **narrowed))["integrationDeliveries"]["nodes"] == [oldest]
    denied = (await world.graphql(LIST, world.token("viewer"))).json()
    assert {error["extensions"]["code"] for error in denied["errors"]} == {"SCOPE_DENIED"}
    stranger = await World(world.app, world.client).open()
    assert (await asked(stranger, LIST))["integrationDeliveries"]["totalCount"] == 0


async def test_the_stream_tells_each_once(world: World) -> None:
    """Of the instance that was asked for, with the delivery behind it; a duplicate is not told."""
    made, other = await connected(world), await connected(world)
    watched = made["instance"]["id"]
    query = f"""subscription {{ integrationDeliveryEvents(instance: "{watched}") {{ event {{
      eventType deliveryId status delivery {{ payload }} }} }} }}"""
    peer = StreamPeer(world.app, query, world.token("admin"))
    assert (await peer.heard())["status"] == 200
    await sent(world, other["webhookUrl"], other["signingSecret"], id="elsewhere")
    for name in ("a", "a", "b"):
        await sent(world, made["webhookUrl"], made["signingSecret"], id=name)
    heard = [(await peer.event()).removeprefix("event: next\ndata: ") for _ in range(2)]
    told = [json.loads(text)["data"]["integrationDeliveryEvents"]["event"] for text in heard]
    await peer.gone()
    assert [each["deliveryId"] for each in told] == ["a", "b"]
    assert told[0]["delivery"] == {"payload": {"type": "order.paid", "id": 7}}
