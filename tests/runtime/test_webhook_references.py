"""Signing secrets that lie in a vault: read when a webhook comes in, and two of them while one is rotated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.ids import new_id
from models.audit import AuditEvent
from services.integrations.execution.vaults import KEPT_SECONDS
from services.integrations.webhooks.proofs import REREAD_SECONDS
from services.paging import statement
from tests.runtime.platform import INSTANCES, Platform
from tests.runtime.vaults import INTEGRATIONS, KvVault, connected_vault, kv_vault
from tests.runtime.webhooks import SECRET, Sender, receiving
from tests.world import World

pytestmark = pytest.mark.runtime
REFERENCE = "vault://Our%20vault/hooks/orders"
NEXT = "whsec_bmV4dC1zZWNyZXQtb2YtdGhpcnR5LXR3by1ieXRlcyE="


@asynccontextmanager
async def referring(
    world: World, reference: str = f"{REFERENCE}#signing", kind: str = "standard", **changes: Any
) -> AsyncIterator[tuple[Sender, KvVault]]:
    """Who sends to an instance whose secret lies in a vault."""
    platform = Platform(world)
    async with kv_vault() as vault:
        vault.secrets["hooks/orders"] = {"signing": SECRET, "signingSecret": SECRET}
        await connected_vault(platform, vault)
        definition = await platform.definition(
            **(receiving(kind, **changes) | {"configSchema": None, "allowedHosts": None})
        )
        body = {"integrationDefinitionId": definition["id"], "name": f"Orders {new_id()}", "credentialRef": reference}
        made = await platform.ok("POST", INSTANCES, body, 201)
        assert made["status"] == "CONNECTED" and "signingSecret" not in made["webhook"]
        yield Sender(platform, kind, made, SECRET), vault


def older(world: World, seconds: float) -> None:
    """As if what is kept of vaults had been read so much earlier."""
    kept = world.runtime.vaults._kept
    for key, (until, fields) in list(kept.items()):
        kept[key] = (until - seconds, fields)


@pytest.mark.parametrize("reference", [f"{REFERENCE}#signing", REFERENCE])
async def test_a_webhook_is_verified_with_what_lies_in_the_vault(world: World, reference: str) -> None:
    async with referring(world, reference) as (it, vault):
        assert (await it.taken())[0] == "ACCEPTED" and vault.seen == ["hooks/orders"]
        assert (await it.taken(b'{"type":"order.paid","id":8}'))[0] == "ACCEPTED" and vault.seen == ["hooks/orders"]
        # No secret of its own was made, and none is stored.
        rows = await world.runtime.database.fetch(statement("SELECT * FROM integration_secret WHERE name LIKE 'sig%'"))
        assert [row for row in rows if str(row["instance"]) == it.made["id"]] == []


async def test_two_secrets_hold_while_the_vault_has_both(world: World) -> None:
    """The operator writes the new one, and the one before beside it; the sender may sign with either."""
    async with referring(world, REFERENCE) as (it, vault):
        await it.taken()
        vault.secrets["hooks/orders"] = {"signingSecret": NEXT, "previousSigningSecret": SECRET}
        older(world, REREAD_SECONDS)
        for number, secret in enumerate((NEXT, SECRET)):
            body = b'{"type":"order.paid","id":%d}' % (number + 10)
            assert (await it.taken(body, secret=secret))[0] == "ACCEPTED"
        assert len(vault.seen) == 2
        vault.secrets["hooks/orders"] = {"signingSecret": NEXT}
        older(world, KEPT_SECONDS)
        assert (await it.post(b'{"type":"order.paid","id":20}')).status_code == 401
        path = f"{it.path}/webhook/rotate-secret"
        error = await it.platform.refused(400, "VALIDATION_ERROR", "POST", path, {"secret": SECRET})
        assert error["details"][0]["path"] == "credentialRef" and "previousSigningSecret" in error["message"]


async def test_a_rotated_secret_is_read_again_and_no_stranger_asks_the_vault(world: World) -> None:
    """A signature that does not hold makes it read once in five seconds, however many of them there are."""
    async with referring(world) as (it, vault):
        await it.taken()
        for _ in range(3):
            assert (await it.post(secret=NEXT)).status_code == 401
        assert len(vault.seen) == 1
        vault.secrets["hooks/orders"] = {"signing": NEXT}
        older(world, REREAD_SECONDS)
        assert (await it.taken(b'{"type":"order.paid","id":9}', secret=NEXT))[0] == "ACCEPTED" and len(vault.seen) == 2
        # What is not signed at all asks for nothing.
        older(world, REREAD_SECONDS)
        assert (await it.post(headers={"Content-Type": "application/json"})).status_code == 401
        assert len(vault.seen) == 2


async def test_a_vault_that_is_away_makes_the_sender_try_again(world: World) -> None:
    """503, which says nothing of the vault; the log and the history say what is wrong."""
    async with referring(world) as (it, vault):
        for broken in (None, {"signing": "too short"}, {"signing": 7}, {"other": SECRET}):
            world.runtime.vaults._kept.clear()
            vault.secrets["hooks/orders"] = broken
            with capture_logs() as logs:
                answer = await it.post()
            assert answer.status_code == 503 and "Retry-After" in answer.headers
            assert "vault" not in answer.text and "hooks" not in answer.text
            told = [line for line in logs if line["event"] == "a signing secret cannot be read from its vault"]
            assert len(told) == 1 and told[0]["instance"] == it.made["id"] and "too short" not in str(told)
        await world.runtime.denials.flush()
        told = (AuditEvent.tenant == world.tenant) & (AuditEvent.action == "integration_webhook.refused")
        events = await AuditEvent.select(AuditEvent.code, AuditEvent.rule).where(told)
        assert {(event["code"], event["rule"]) for event in events} == {("service_unavailable", "vault")}
        world.runtime.vaults._kept.clear()
        vault.secrets["hooks/orders"] = {"signing": SECRET}
        assert (await it.taken())[0] == "ACCEPTED"
        assert len(await it.deliveries()) == 1


async def test_a_moved_integration_takes_no_secret_from_the_vault(world: World) -> None:
    """The reference was given for an address; pointed elsewhere, nothing comes in until it is given again."""
    changes = {"baseUrl": "https://orders.example", "authType": "bearer"}
    async with referring(world, REFERENCE, **changes) as (it, vault):
        vault.secrets["hooks/orders"] = {"signingSecret": SECRET, "token": "for-its-calls"}
        assert (await it.taken())[0] == "ACCEPTED"
        table = f"UPDATE integration_instance SET bound_to = 'https://elsewhere.example' WHERE id = '{it.made['id']}'"
        await world.runtime.database.fetch(statement(f"{table} RETURNING id"))
        assert (await it.post(b'{"type":"order.paid","id":30}')).status_code == 503
        await it.platform.ok("PUT", f"{INTEGRATIONS}/{it.made['id']}", {"config": {"baseUrl": "https://new.example"}})
        assert (await it.post(b'{"type":"order.paid","id":31}')).status_code == 401
        given = {"credentialRef": REFERENCE}
        found = (await it.platform.ok("PUT", f"{INTEGRATIONS}/{it.made['id']}", given))["data"]
        assert found["status"] == "CONNECTED"
        assert (await it.taken(b'{"type":"order.paid","id":32}'))[0] == "ACCEPTED"
