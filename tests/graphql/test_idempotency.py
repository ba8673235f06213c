"""A mutation with an Idempotency-Key: done once, answered again, and refused where it is another one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from models.installations import Installation
from models.integrations import IdempotencyRecord
from models.people import Project
from tests.world import World

pytestmark = pytest.mark.runtime
CREATE = """mutation Create($title: String!, $funder: String) {
    createProject(input: {title: $title, funder: $funder}) { project { id title } errors { code } } }"""
IMPORT = """mutation ($document: String!) {
    importIntegrationDefinition(document: $document) { definition { name } errors { code } } }"""
DOCUMENT = '{"openapi": "3.1.0", "info": {"title": "Small", "version": "1.0.0"}, "paths": {}}'


async def ask(world: World, key: str | None, query: str, variables: dict[str, Any], **body: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {world.token('admin')}"} | ({} if key is None else {"Idempotency-Key": key})
    sent = {"query": query, "variables": variables, **body}
    return await world.client.post("/graphql", json=sent, headers=headers)


async def projects(world: World) -> int:
    return int(await Project.of(world.tenant).count())


async def test_a_repeated_mutation_is_done_once(world: World) -> None:
    first = await ask(world, "k1", CREATE, {"title": "One", "funder": None})
    again = await ask(world, "k1", CREATE, {"funder": None, "title": "One"})
    assert first.json()["data"] == again.json()["data"]
    assert first.json()["extensions"]["idempotency"] == {"replayed": False}
    assert again.json()["extensions"]["idempotency"] == {"replayed": True}
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert await projects(world) == 1
    plain = await ask(world, None, CREATE, {"title": "Two"})
    assert "idempotency" not in plain.json()["extensions"]
    assert await projects(world) == 2


async def test_another_request_of_the_same_key_is_refused(world: World) -> None:
    await ask(world, "k1", CREATE, {"title": "One"})
    for query, variables in ((CREATE, {"title": "Two"}), (CREATE.replace("title } ", "} "), {"title": "One"})):
        answer = await ask(world, "k1", query, variables)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["extensions"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert (await ask(world, "a b", CREATE, {"title": "One"})).json()["errors"][0]["extensions"]["fields"]
    assert await projects(world) == 1


async def test_two_at_once_are_one(world: World) -> None:
    answers = await asyncio.gather(*(ask(world, "k1", CREATE, {"title": "One"}) for _ in range(8)))
    done = [answer.json()["data"] for answer in answers if answer.status_code == 200]
    waiting = [answer.json()["errors"][0]["extensions"]["code"] for answer in answers if answer.status_code == 409]
    assert len(done) + len(waiting) == 8 and set(waiting) <= {"IDEMPOTENCY_IN_PROGRESS"}
    assert all(each == done[0] for each in done)
    assert await projects(world) == 1


async def test_a_key_goes_with_one_mutation_field(world: World) -> None:
    two = 'mutation { __typename a: createProject(input: {title: "A"}) { errors { code } } ...More } ' + (
        'fragment More on Mutation { createProject(input: {title: "B"}) { errors { code } } }'
    )
    answer = await ask(world, "k1", two, {})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "QUERY_REFUSED")
    assert await projects(world) == 0
    answer = await ask(world, "k1", "{ viewer { subject } }", {})
    assert "idempotency" not in answer.json()["extensions"], "a query changes nothing"


async def test_the_key_of_a_request_without_headers(world: World) -> None:
    key = {"idempotencyKey": "k1"}
    first = await ask(world, None, CREATE, {"title": "One"}, extensions=key)
    again = await ask(world, None, CREATE, {"title": "One"}, extensions=key)
    assert again.json()["extensions"]["idempotency"] == {"replayed": True}
    assert first.json()["data"] == again.json()["data"]
    answer = await ask(world, None, CREATE, {"title": "One"}, extensions={"idempotencyKey": 7})
    assert answer.json()["errors"][0]["extensions"]["code"] == "QUERY_REFUSED"


async def test_what_was_refused_before_it_began_leaves_the_key(world: World) -> None:
    with world.runtime.imports.held(world.context()):
        answer = await ask(world, "k1", IMPORT, {"document": DOCUMENT})
        assert answer.json()["errors"][0]["extensions"]["code"] == "RATE_LIMIT_EXCEEDED"
    answer = await ask(world, "k1", IMPORT, {"document": DOCUMENT})
    assert answer.json()["data"]["importIntegrationDefinition"]["errors"] == []
    refused = await ask(world, "k2", IMPORT, {"document": DOCUMENT})
    again = await ask(world, "k2", IMPORT, {"document": DOCUMENT})
    assert refused.json()["data"]["importIntegrationDefinition"]["errors"] == [{"code": "conflict"}]
    assert again.json()["extensions"]["idempotency"] == {"replayed": True}, "a refusal of the input is an answer"


async def test_keys_are_the_callers_own_and_answers_sealed(world: World) -> None:
    await ask(world, "k1", CREATE, {"title": "CANARY-TITLE"})
    rows = await IdempotencyRecord.of(world.tenant).select()
    assert "CANARY-TITLE" not in json.dumps(rows, default=str)
    other = await World(world.app, world.client).open()
    answer = await ask(other, "k1", CREATE, {"title": "Another"})
    assert answer.json()["data"]["createProject"]["project"]["title"] == "Another"


async def test_what_cannot_be_shown_was_done_all_the_same(world: World) -> None:
    """The caller may make an installation and may not read its audit; the key is kept with what was answered."""
    query = """mutation { createInstallation(input: {displayName: "A site"}) {
        installation { auditEvents(first: 1) { totalCount } } errors { code } } }"""
    token = world.token(permissions=["installations.write", "installations.read"])
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k1"}
    answers = [await world.client.post("/graphql", json={"query": query}, headers=headers) for _ in range(2)]
    first, again = (answer.json() for answer in answers)
    assert first["errors"] == again["errors"] and first["data"] == again["data"]
    assert await Installation.of(world.tenant).count() == 1
