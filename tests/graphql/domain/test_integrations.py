"""Integrations on the control plane: bounded statements, nodes, refusals as data, and the stream of statuses."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import msgspec
import pytest

from graph.relay import to_global_id
from services.inputs import read_input
from services.integrations.definitions.lifecycle import publish_integration_definition
from services.integrations.definitions.model import Definition
from services.integrations.definitions.registry import create_integration_definition
from services.integrations.instances.credentials import delete_integration_credentials, set_integration_credentials
from services.integrations.instances.registry import NewInstance, create_integration_instance
from tests.graphql.clients import StreamPeer
from tests.graphql.toys import until
from tests.services.integrations.samples import forge
from tests.world import World

LIST = """query ($first: Int!) { integrationInstances(first: $first) { totalCount nodes {
  id name status config definition { name version content { methods { name timeoutMs } } } } } }"""


async def definition_of(world: World, **changes: Any) -> UUID:
    made = await create_integration_definition(world.context(), read_input(Definition, forge(**changes)))
    await publish_integration_definition(world.context(), made["id"])
    return UUID(str(made["id"]))


async def instance_of(world: World, definition: UUID, name: str, **given: Any) -> dict[str, Any]:
    request = NewInstance(definition=definition, name=name, config={"organization": "ada", "token": "x"}, **given)
    return await create_integration_instance(world.context(), request)


async def asked(world: World, query: str, **variables: Any) -> Any:
    answer = (await world.graphql(query, world.token("admin"), **variables)).json()
    assert "errors" not in answer, answer
    return answer["data"]


async def test_the_number_of_statements_does_not_follow_the_page(world: World) -> None:
    """Thirty instances of three definitions cost what one costs."""
    kinds = [await definition_of(world, name=f"Forge {number}") for number in range(3)]
    for number in range(30):
        await instance_of(world, kinds[number % 3], f"I {number}")
    # The sealer of the history has statements of its own.
    await world.runtime.sealer.seal_all()
    counts = []
    for first in (1, 30):
        await asked(world, LIST, first=first)
        with world.runtime.database.count_statements() as sent:
            found = await asked(world, LIST, first=first)
        counts.append(sent.count)
    assert counts[0] == counts[1] <= 5
    nodes = found["integrationInstances"]["nodes"]
    assert len(nodes) == found["integrationInstances"]["totalCount"] == 30
    assert nodes[0]["config"] == {"organization": "ada", "token": "********"}
    assert nodes[0]["definition"]["content"]["methods"] == [{"name": "getRepository", "timeoutMs": 5000}]


async def test_nodes(world: World) -> None:
    definition = await definition_of(world)
    instance = await instance_of(world, definition, "A")
    ids = [to_global_id("IntegrationDefinition", definition), to_global_id("IntegrationInstance", instance["id"])]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    assert [node["id"] for node in (await asked(world, query, ids=ids))["nodes"]] == ids
    stranger = await World(world.app, world.client).open()
    assert (await asked(stranger, query, ids=ids))["nodes"] == [None, None]


async def test_faults_of_a_definition_are_data(world: World) -> None:
    """Each with its place in the document, as REST tells it."""
    mutation = """mutation ($document: String!) { createIntegrationDefinition(document: $document) {
      definition { id } errors { code path ... on ValidationError { fields { field message } } } } }"""
    text = msgspec.json.encode(forge(version="one", baseUrl="nowhere")).decode()
    told = (await asked(world, mutation, document=text))["createIntegrationDefinition"]
    assert told["definition"] is None
    assert {fault["field"] for fault in told["errors"][0]["fields"]} == {"version", "baseUrl"}
    told = (await asked(world, mutation, document="{"))["createIntegrationDefinition"]
    assert told["errors"][0]["code"] == "malformed_body"


class Listener:
    """The stream of statuses over server-sent events."""

    def __init__(self, world: World, arguments: str = "") -> None:
        head = f"integrationInstanceEvents({arguments})" if arguments else "integrationInstanceEvents"
        query = f"subscription {{ {head} {{ event {{ name previous status instance {{ name }} }} }} }}"
        self.world, self.peer = world, StreamPeer(world.app, query, world.token("viewer"))

    async def started(self) -> Listener:
        assert (await self.peer.heard())["status"] == 200
        await until(lambda: self.world.runtime.bus.readers() > 0)
        return self

    async def next(self) -> tuple[Any, ...]:
        text = (await self.peer.event()).removeprefix("event: next\ndata: ")
        event = json.loads(text)["data"]["integrationInstanceEvents"]["event"]
        return event["name"], event["previous"], event["status"], (event["instance"] or {}).get("name")


async def test_every_change_of_a_status_is_told(world: World) -> None:
    """With the status before; what is none of the tenant's is not."""
    definition = await definition_of(world)
    listener = await Listener(world).started()
    stranger = await World(world.app, world.client).open()
    await instance_of(stranger, await definition_of(stranger), "Not yours")
    made = await instance_of(world, definition, "A")
    assert await listener.next() == ("A", None, "PENDING_AUTHENTICATION", "A")
    await set_integration_credentials(world.context(), made["id"], {"token": "t"})
    assert await listener.next() == ("A", "PENDING_AUTHENTICATION", "CONNECTED", "A")
    await set_integration_credentials(world.context(), made["id"], {"token": "u"})
    await delete_integration_credentials(world.context(), made["id"])
    assert await listener.next() == ("A", "CONNECTED", "DISCONNECTED", "A")
    await listener.peer.gone()


async def test_since_tells_what_changed_meanwhile(world: World) -> None:
    await instance_of(world, await definition_of(world), "A", credentials={"token": "t"})
    listener = await Listener(world, 'since: "2020-01-01T00:00:00Z"').started()
    assert await listener.next() == ("A", None, "CONNECTED", "A")
    await listener.peer.gone()


async def test_nothing_is_told_of_a_change_that_was_undone(world: World) -> None:
    """An event follows the commit: two of one name, and the second never was."""
    from app.errors import Conflict

    definition = await definition_of(world)
    await instance_of(world, definition, "A")
    listener = await Listener(world).started()
    with pytest.raises(Conflict):
        await instance_of(world, definition, "A")
    await instance_of(world, definition, "B")
    assert (await listener.next())[0] == "B"
    await listener.peer.gone()
