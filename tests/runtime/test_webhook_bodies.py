"""What a webhook may carry: its size, its type, its schema, and bodies that are none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from services.integrations.instances.status import integrations_topic
from services.integrations.webhooks.storing import RECEIVED, REJECTED
from tests.runtime.platform import Platform
from tests.runtime.webhooks import sender

pytestmark = pytest.mark.runtime


async def test_a_payload_that_breaks_its_schema(platform: Platform) -> None:
    """It is kept as rejected, the sender is told the rule, again too, and listeners hear that it was rejected."""
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
    events = [{"name": "order.paid", "payloadSchema": schema}]
    shop = await sender(platform, webhook={"events": events})
    with platform.world.runtime.bus.subscribe(integrations_topic(platform.tenant)) as live:
        for _ in range(2):
            bad = await shop.post(b'{"type":"order.paid","id":"x\\u0000"}', id="one")
            error = bad.json()["error"]
            assert (bad.status_code, error["code"]) == (400, "VALIDATION_ERROR")
            assert error["details"][0]["path"] == "payload.id"
        assert (await shop.taken(b'{"type":"order.sent","id":"x"}'))[0] == "ACCEPTED", "no schema is no rule"
        assert (await shop.post(b'{"id":"x"}')).json()["error"]["details"][0]["path"] == "eventType"
        await asyncio.sleep(0.05)
        told = [live._queue.get_nowait()["type"] for _ in range(live._queue.qsize())]
    assert told == [REJECTED, RECEIVED, REJECTED]
    assert [one["status"] for one in await shop.deliveries()] == ["rejected", "accepted", "rejected"]
    (one,) = await shop.deliveries("?status=rejected&eventType=order.paid")
    assert "payload.id" in one["error"]
    assert await shop.deliveries("?deliveryId=one") == [one]


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


MEGABYTE = b'{"type":"a","x":"' + b"x" * (1_048_576 - 19) + b'"}'


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 400, "malformed_body"),
        (b"{", 400, "malformed_body"),
        (b'{"type":"\xff\xfe"}', 400, "malformed_body"),
        (b"\xef\xbb\xbf{}", 400, "malformed_body"),
        (b"[" * 5_000 + b"]" * 5_000, 400, "malformed_body"),
        (b"[" * 100 + b"]" * 100, 400, "malformed_body"),
        (b'{"type":"' + b"t" * 201 + b'"}', 400, "validation_failed"),
        (b'{"type":"a\\u0000b"}', 400, "validation_failed"),
        (MEGABYTE + b" ", 413, "payload_too_large"),
    ],
    ids=["empty", "broken", "not utf-8", "bom", "very deep", "deep", "long type", "nul type", "a byte too many"],
)
async def test_hostile_bodies(body: bytes, status: int, kind: str, platform: Platform) -> None:
    """Signed or not: nothing is kept, and the answer names the fault."""
    shop = await sender(platform)
    answer = await shop.post(body)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (status, kind), answer.text
    assert await shop.deliveries() == []


async def test_a_whole_megabyte_and_chunks(platform: Platform) -> None:
    """1 MiB is taken, with or without a length; one byte more is not, whichever way it comes."""
    shop = await sender(platform)
    assert len(MEGABYTE) == 1_048_576
    client = platform.world.client
    assert (await client.post(shop.url, content=chunks(MEGABYTE), headers=shop.signed(MEGABYTE))).status_code == 200
    more = MEGABYTE + b" "
    answer = await client.post(shop.url, content=chunks(more), headers=shop.signed(more))
    assert answer.status_code == 413
    (one,) = await shop.deliveries()
    assert one["sizeBytes"] == 1_048_576


async def test_the_server_may_take_less(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never more than 1 MiB, and no more than the server takes elsewhere."""
    shop, runtime = await sender(platform), platform.world.runtime
    body = b'{"type":"' + b"t" * 2_000 + b'"}'
    for most, status in ((1_024, 413), (10 * 1_048_576, 400)):
        monkeypatch.setattr(runtime, "settings", msgspec.structs.replace(runtime.settings, max_body_bytes=most))
        assert (await shop.post(body)).status_code == status
    more = MEGABYTE + b" "
    answer = await platform.world.client.post(shop.url, content=chunks(more), headers=shop.signed(more))
    assert answer.status_code == 413


async def test_what_is_no_json_by_its_type(platform: Platform) -> None:
    shop = await sender(platform)
    for kind, status in (
        ("application/cloudevents+json; charset=utf-8", 200),
        ("application/x-www-form-urlencoded", 415),
        ("text/json", 415),
        ("", 415),
    ):
        assert (await shop.post(headers=shop.signed() | {"Content-Type": kind})).status_code == status, kind
    assert (await platform.world.client.put(shop.url)).headers["allow"] == "GET, OPTIONS, POST"
