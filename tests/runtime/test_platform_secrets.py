"""Secrets of integrations are nowhere: no answer, log line, audit event, event, error or table shows one."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from app.ids import new_id
from services.integrations.instances.secrets import open_secrets
from services.integrations.instances.status import integrations_topic
from services.keyring.sealed import SEALED
from services.paging import statement
from tests.runtime.platform import INSTANCES, Platform
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
        body = {"type": "Forge", "name": "Another", "config": {"organization": "a"}, "credentials": {"token": canary}}
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


async def test_what_was_set_is_what_a_call_will_use(world: World) -> None:
    platform = Platform(world)
    made = await platform.instance(credentials={"token": "first"})
    path = f"{INSTANCES}/{made['id']}/credentials"
    await platform.ok("PUT", path, {"credentials": {"token": "sécond ✓"}})
    keys = world.runtime.encryption
    assert await open_secrets(keys, world.runtime.database, world.tenant, UUID(made["id"])) == {"token": "sécond ✓"}
    await platform.ok("DELETE", path, status=204)
    assert await open_secrets(keys, world.runtime.database, world.tenant, UUID(made["id"])) == {}
