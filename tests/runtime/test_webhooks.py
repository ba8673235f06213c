"""Webhooks over HTTP: what is taken, what is refused and how, and what happens to one that comes twice."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import msgspec
import pytest

from app.clock import DAY, SECOND, SettableClock
from app.ids import new_id
from services.integrations.instances.status import integrations_topic
from services.integrations.upkeep import delete_expired
from services.integrations.webhooks.storing import RECEIVED
from services.paging import statement
from tests.runtime.platform import Platform
from tests.runtime.webhooks import BODY, PARTS, SCHEMES, SECRET, Sender, receiving, sender
from tests.world import World

pytestmark = pytest.mark.runtime
KINDS = sorted(SCHEMES)


async def rows(world: World, instance: str) -> list[Any]:
    text = "SELECT * FROM integration_delivery WHERE tenant = {tenant}"
    found = await world.runtime.database.fetch(statement(text), tenant=world.tenant)
    return [row for row in found if str(row["instance"]) == instance]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_signed_is_taken_once(kind: str, platform: Platform) -> None:
    """The first is kept; the same again is answered like it, changes nothing, and says that it is a duplicate."""
    shop = await sender(platform, kind, SECRET)
    headers = shop.signed()
    first = await shop.post(headers=headers)
    assert (first.status_code, first.json()["status"]) == (200, "ACCEPTED"), first.text
    again = await shop.post(headers=headers)
    assert again.json() == {"status": "DUPLICATE", "id": first.json()["id"]}
    (one,) = await shop.deliveries()
    assert (one["id"], one["status"], one["sizeBytes"]) == (first.json()["id"], "accepted", len(BODY))
    assert one["eventType"] == (None if kind == "slack" else "order.paid")
    assert (one["signedAt"] is None) == (kind == "github")
    whole = await platform.ok("GET", f"{shop.path}/deliveries/{one['id']}")
    assert whole == one | {"payload": json.loads(BODY)}
    assert whole["headers"]["content-type"] == "application/json"
    proof = next(value for name, value in headers.items() if "ignature" in name)
    assert proof not in str(whole)


@pytest.mark.parametrize("kind", KINDS)
async def test_whoever_cannot_sign_learns_nothing(kind: str, platform: Platform) -> None:
    """An endpoint that is not there, a wrong secret, another body, no signature, an old one: the same answer."""
    shop, told = await sender(platform, kind, SECRET), []
    other = shop.signed(secret="whsec_" + "A" * 43 + "=")
    for headers, body, url in (
        (shop.signed(), BODY, shop.url[:-1] + ("A" if shop.url[-1] != "A" else "B")),
        (other, BODY, shop.url),
        (shop.signed(), BODY + b" ", shop.url),
        ({"Content-Type": "application/json"}, BODY, shop.url),
    ):
        answer = await platform.world.client.post(url, content=body, headers=headers)
        error = answer.json()["error"]
        error.pop("requestId")
        told.append((answer.status_code, answer.headers["www-authenticate"], json.dumps(error)))
    if kind != "github":
        old = await shop.post(headers=shop.signed(at=1_614_265_330))
        told.append((old.status_code, old.headers["www-authenticate"], told[0][2]))
        assert old.json()["error"]["message"] == json.loads(told[0][2])["message"]
    assert set(told) == {(401, "Signature", told[0][2])}
    assert json.loads(told[0][2])["kind"] == "webhook_refused"
    assert await shop.deliveries() == []


@pytest.mark.parametrize("kind", ["standard", "stripe", "slack"])
@pytest.mark.parametrize("way", [1, -1])
async def test_the_clock_may_differ_by_five_minutes(
    kind: str, way: int, platform: Platform, clock: SettableClock
) -> None:
    """Exactly 300 seconds are taken, before and after; a millisecond more is not."""
    shop = await sender(platform, kind, SECRET)
    at = clock.now_ms() // SECOND - way * 300
    clock.jump(way)
    assert (await shop.post(at=at)).status_code == 401
    clock.jump(-way)
    assert (await shop.post(at=at)).status_code == 200
    assert (await shop.post(at=at + way)).json()["status"] == ("DUPLICATE" if kind == "stripe" else "ACCEPTED")


@pytest.mark.parametrize("kind", KINDS)
async def test_two_at_once_are_one(kind: str, platform: Platform) -> None:
    """Eight of the same at the same moment: one is accepted, seven are duplicates of it, one event is told."""
    shop = await sender(platform, kind, SECRET)
    headers, runtime = shop.signed(), platform.world.runtime
    with runtime.bus.subscribe(integrations_topic(platform.tenant)) as events:
        answers = await asyncio.gather(*(shop.post(headers=headers) for _ in range(8)))
        await asyncio.sleep(0.05)
        told = [events._queue.get_nowait() for _ in range(events._queue.qsize())]
    assert sorted(answer.json()["status"] for answer in answers) == ["ACCEPTED"] + ["DUPLICATE"] * 7
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert [each["type"] for each in told] == [RECEIVED]
    assert len(await rows(platform.world, shop.made["id"])) == 1


async def test_a_retry_with_a_new_signature_is_the_same_delivery(platform: Platform) -> None:
    """Senders sign each try anew: the id says that it is the same."""
    shop = await sender(platform)
    status, first = await shop.taken(id="msg_1")
    assert status == "ACCEPTED"
    assert await shop.taken(id="msg_1", at=time.time() + 1) == ("DUPLICATE", first)
    assert (await shop.taken(id="msg_2"))[0] == "ACCEPTED"


async def test_an_id_that_is_not_signed_makes_nothing_new(platform: Platform) -> None:
    """A captured body with another X-GitHub-Delivery is the same delivery, and the history has the attempt."""
    shop = await sender(platform, "github", SECRET)
    _, first = await shop.taken(id="a")
    headers = shop.signed(id="a") | {"X-GitHub-Delivery": "b", "X-GitHub-Event": "order.refunded"}
    assert (await shop.post(headers=headers)).json() == {"status": "DUPLICATE", "id": first}
    assert "replay" in [event["rule"] for event in await history(platform)]


async def test_it_is_known_for_as_long_as_it_could_be_sent_again(platform: Platform, clock: SettableClock) -> None:
    """The payload goes after its days; what a replay is known by stays where no timestamp guards against it."""
    timed, plain = await sender(platform, "standard", SECRET), await sender(platform, "github", SECRET)
    await timed.taken()
    headers = plain.signed()
    assert (await plain.post(headers=headers)).status_code == 200
    runtime = platform.world.runtime
    clock.jump(31 * DAY)
    await delete_expired(runtime.database, clock.now_ms())
    assert await rows(platform.world, timed.made["id"]) == []
    (kept,) = await rows(platform.world, plain.made["id"])
    assert (kept["payload"], kept["key_id"], kept["headers"]) == (None, None, "{}")
    assert (await plain.post(headers=headers)).json()["status"] == "DUPLICATE"
    clock.jump(370 * DAY)
    await delete_expired(runtime.database, clock.now_ms())
    assert await rows(platform.world, plain.made["id"]) == []


async def test_an_integration_that_receives_nothing(platform: Platform) -> None:
    made = await platform.instance()
    for step in ("rotate-secret", "rotate-url"):
        path = f"/integrations/instances/{made['id']}/webhook/{step}"
        error = await platform.refused(422, "WEBHOOK_UNSUPPORTED", "POST", path)
        assert error["kind"] == "webhook_unsupported"


async def test_only_a_connected_one_receives(platform: Platform) -> None:
    """Disabled, waiting, disconnected, archived: refused, and only a sender who can sign learns why."""
    schema = {"type": "object", "properties": {"shop": {"type": "string"}}, "required": ["shop"]}
    shop = await sender(platform, configSchema=schema)
    assert shop.made["status"] == "PENDING_CONFIGURATION"
    assert (await shop.post()).json()["error"]["kind"] == "integration_not_ready"
    assert (await shop.post(secret=SECRET)).status_code == 401
    await platform.ok("PUT", shop.path, {"config": {"shop": "a"}})
    assert (await shop.taken())[0] == "ACCEPTED"
    await platform.ok("PUT", shop.path, {"enabled": False})
    refused = await shop.post()
    assert (refused.status_code, refused.json()["error"]["kind"]) == (409, "integration_disabled")
    await platform.ok("PUT", shop.path, {"enabled": True})
    await platform.ok("DELETE", f"{shop.path}/credentials", status=204)
    assert (await platform.ok("GET", shop.path))["status"] == "DISCONNECTED"
    assert (await shop.post()).status_code == 401
    shop.secret = (await platform.ok("POST", f"{shop.path}/webhook/rotate-secret", {}))["signingSecret"]
    assert (await platform.ok("GET", shop.path))["status"] == "CONNECTED"
    assert (await shop.taken())[0] == "ACCEPTED"
    definition = f"/integrations/definitions/{shop.made['integrationDefinitionId']}"
    await platform.ok("POST", f"{definition}/archive")
    gone = await shop.post()
    assert (gone.status_code, gone.json()["error"]["kind"]) == (410, "gone")
    await platform.ok("DELETE", shop.path, status=204)
    assert (await shop.post()).status_code == 401


async def test_a_test_of_one_that_calls_nobody(platform: Platform) -> None:
    """There is nothing to call: that it takes webhooks is what can be said."""
    shop = await sender(platform)
    found = (await platform.ok("POST", f"/integrations/{shop.made['id']}/test", {}))["data"]
    assert (found["success"], "webhooks come in" in found["message"]) == (True, True)
    await platform.ok("DELETE", f"{shop.path}/credentials", status=204)
    assert (await platform.ok("POST", f"/integrations/{shop.made['id']}/test", {}))["data"]["success"] is False


async def test_limits(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who cannot sign uses up its address's share and never the instance's."""
    runtime = platform.world.runtime
    few = msgspec.structs.replace(runtime.settings, deliveries_per_minute=2)
    monkeypatch.setattr(runtime, "settings", few)
    shop = await sender(platform)
    for _ in range(5):
        assert (await shop.post(secret=SECRET)).status_code == 401
    assert [(await shop.post()).status_code for _ in range(3)] == [200, 200, 429]
    limited = await shop.post()
    assert limited.json()["error"]["kind"] == "integration_rate_limit_exceeded"
    assert int(limited.headers["retry-after"]) >= 1


async def test_an_address_has_a_limit(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is looked up: whatever the token is."""
    runtime = platform.world.runtime
    few = msgspec.structs.replace(runtime.settings, deliveries_per_address_per_minute=2)
    monkeypatch.setattr(runtime, "settings", few)
    address = f"2001:db8::{new_id().hex[-4:]}"
    transport = httpx.ASGITransport(platform.world.app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://dovetail.test") as client:
        path = "/api/v1/integrations/webhooks/whk_nothing"
        answers = [await client.post(path, content=b"{}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert answers[-1].json()["error"]["kind"] == "rate_limit_exceeded"
    assert int(answers[-1].headers["retry-after"]) >= 1


async def history(platform: Platform) -> list[Any]:
    await platform.world.runtime.denials.flush(everything=True)
    text = "SELECT * FROM audit_event WHERE tenant = {tenant} ORDER BY at"
    found = await platform.world.runtime.database.fetch(statement(text), tenant=platform.tenant)
    return [row for row in found if row["action"].startswith("integration_webhook.")]


async def test_the_history_tells(platform: Platform) -> None:
    """What came in, what was refused and how often, and who rotated what; never a secret."""
    shop = await sender(platform)
    await shop.taken(id="msg_1")
    for _ in range(4):
        await shop.post(secret=SECRET)
    made = await platform.ok("POST", f"{shop.path}/webhook/rotate-secret", {})
    await platform.ok("POST", f"{shop.path}/webhook/rotate-url")
    events = await history(platform)
    told = [(event["action"], event["outcome"], event["rule"], event["repeats"]) for event in events]
    assert ("integration_webhook.received", "allow", None, 1) in told
    assert ("integration_webhook.refused", "deny", "signature", 1) in told
    assert ("integration_webhook.refused", "deny", "signature", 3) in told
    assert ("integration_webhook.secret_rotated", "allow", None, 1) in told
    assert ("integration_webhook.url_rotated", "allow", None, 1) in told
    received = next(event for event in events if event["action"] == "integration_webhook.received")
    assert received["actor_id"] == f"webhook:{shop.made['id']}"
    assert json.loads(received["after"])["delivery_id"] == "msg_1"
    assert made["signingSecret"] not in str([tuple(event) for event in events])


async def test_another_tenant_sees_nothing(platform: Platform) -> None:
    shop = await sender(platform)
    _, one = await shop.taken()
    stranger = Platform(await World(platform.world.app, platform.world.client).open())
    for path in (f"{shop.path}/deliveries", f"{shop.path}/deliveries/{one}"):
        await stranger.refused(404, "INTEGRATION_NOT_FOUND", "GET", path)
    other = await sender(platform)
    await platform.refused(404, "INTEGRATION_NOT_FOUND", "GET", f"{other.path}/deliveries/{one}")
    await platform.refused(404, "INTEGRATION_NOT_FOUND", "GET", f"{shop.path}/deliveries/{new_id()}")
    await platform.refused(404, "INTEGRATION_NOT_FOUND", "GET", f"{shop.path}/deliveries/nothing")
    viewer = Platform(platform.world, "viewer")
    await viewer.ok("GET", f"{shop.path}/deliveries")
    await viewer.refused(403, "FORBIDDEN", "GET", f"{shop.path}/deliveries/{one}")


async def test_the_envelope_gives_the_url_too(platform: Platform) -> None:
    definition = await platform.ok("POST", "/integrations/definitions", receiving(), 201)
    await platform.ok("POST", f"/integrations/definitions/{definition['id']}/publish")
    body = {"type": definition["name"], "name": "Shop", "config": {}}
    made = (await platform.ok("POST", "/integrations", body, 201))["data"]
    shop = Sender(platform, "standard", made, made["webhook"]["signingSecret"])
    assert (await shop.taken())[0] == "ACCEPTED"
    again = (await platform.ok("GET", f"/integrations/{made['id']}"))["data"]
    assert "url" not in again["webhook"] and made["webhook"]["url"].rpartition("/")[2].startswith(
        again["webhook"]["urlHint"]
    )
    kind = (await platform.ok("GET", f"/integration-types/{definition['id']}"))["data"]
    assert kind["capabilities"] == ["webhook"]


async def test_metrics(platform: Platform) -> None:
    shop = await sender(platform)
    headers = shop.signed()
    for _ in range(2):
        await shop.post(headers=headers)
    await shop.post(secret=SECRET)
    text = (await platform.world.client.get("/metrics")).text
    for outcome in ("accepted", "duplicate", "webhook_refused"):
        assert f'dovetail_webhooks_total{{outcome="{outcome}"}}' in text


async def test_the_definition_comes_back_as_it_was_sent(platform: Platform) -> None:
    for kind in KINDS:
        made = await platform.ok("POST", "/integrations/definitions", receiving(kind), 201)
        assert (await platform.ok("GET", f"/integrations/definitions/{made['id']}"))["webhook"] == PARTS[kind]
