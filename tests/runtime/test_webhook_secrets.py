"""The secret and the URL of an instance that receives webhooks: made anew, overlapping, and refused."""

from __future__ import annotations

import asyncio

import pytest

from app.clock import SECOND, SettableClock
from services.integrations.upkeep import delete_expired
from services.paging import statement
from tests.runtime.platform import Platform
from tests.runtime.webhooks import SECRET, sender

pytestmark = pytest.mark.runtime


async def test_the_secret_rotates_with_an_overlap(platform: Platform, clock: SettableClock) -> None:
    """Both hold until the time is over; then the old one does not, and its row goes."""
    shop = await sender(platform)
    at = clock.now_ms() // SECOND
    body = {"overlapSeconds": 60}
    made = await platform.ok("POST", f"{shop.path}/webhook/rotate-secret", body)
    assert made["signingSecret"].startswith("whsec_") and made["signingSecret"] != shop.secret
    for secret in (shop.secret, made["signingSecret"]):
        assert (await shop.taken(at=at, secret=secret))[0] == "ACCEPTED"
    both = shop.signed(at=at, id="both")
    new = shop.signed(at=at, id="both", secret=made["signingSecret"])
    both["webhook-signature"] = f"v1a,x {both['webhook-signature']} {new['webhook-signature']}"
    assert (await shop.post(headers=both)).status_code == 200
    shown = (await platform.ok("GET", shop.path))["webhook"]
    assert set(shown) == {"urlHint", "urlRotatedAt", "lastReceivedAt", "previousSecretUntil"}
    clock.jump(61 * SECOND)
    assert (await shop.post(at=at, secret=shop.secret)).status_code == 401
    assert (await shop.taken(at=at, secret=made["signingSecret"]))[0] == "ACCEPTED"
    await delete_expired(platform.world.runtime.database, clock.now_ms())
    text = "SELECT name FROM integration_secret WHERE tenant = {tenant}"
    left = await platform.world.runtime.database.fetch(statement(text), tenant=platform.tenant)
    assert [row["name"] for row in left] == ["signingSecret"]
    given = {"secret": SECRET, "overlapSeconds": 0}
    assert await platform.ok("POST", f"{shop.path}/webhook/rotate-secret", given) == {}
    assert (await shop.post(at=at, secret=made["signingSecret"])).status_code == 401
    assert (await shop.post(at=at, secret=SECRET)).status_code == 200


async def test_two_who_rotate_at_once(platform: Platform) -> None:
    """One is told that it lost; the winner's secret holds, and the one before it too."""
    shop = await sender(platform)
    path = f"{shop.path}/webhook/rotate-secret"
    answers = await asyncio.gather(*(platform.ask("POST", path, {}) for _ in range(4)))
    won = [answer.json()["signingSecret"] for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert won
    held = [secret for secret in (shop.secret, *won) if (await shop.post(secret=secret)).status_code == 200]
    assert len(held) == 2


async def test_the_url_is_made_anew(platform: Platform) -> None:
    shop = await sender(platform)
    made = await platform.ok("POST", f"{shop.path}/webhook/rotate-url")
    assert set(made) == {"url"}
    assert (await shop.post()).status_code == 401
    shop.url = made["url"]
    assert (await shop.taken())[0] == "ACCEPTED"


async def test_a_secret_that_does_not_open(platform: Platform) -> None:
    """It holds for nothing: refused like a wrong one, and the sender learns nothing of it."""
    shop = await sender(platform)
    text = "UPDATE integration_secret SET value = 'AAAA' WHERE tenant = {tenant}"
    await platform.world.runtime.database.execute(statement(text), tenant=platform.tenant)
    assert (await shop.post()).json()["error"]["kind"] == "webhook_refused"
    shop.secret = (await platform.ok("POST", f"{shop.path}/webhook/rotate-secret", {}))["signingSecret"]
    assert (await shop.taken())[0] == "ACCEPTED"


@pytest.mark.parametrize("secret", ["short", "whsec_x", "not base64 at all!!", "whsec_" + "A" * 100])
async def test_a_secret_that_cannot_sign(secret: str, platform: Platform) -> None:
    """It is refused when it is given, and not when the first webhook comes; the refusal does not repeat it."""
    shop = await sender(platform)
    for path, body in (
        (f"{shop.path}/webhook/rotate-secret", {"secret": secret}),
        (f"{shop.path}/credentials", {"credentials": {"signingSecret": secret}}),
    ):
        error = await platform.refused(400, "VALIDATION_ERROR", "PUT" if "cred" in path else "POST", path, body)
        assert error["kind"] == "integration_config_invalid"
        assert secret not in str(error)
    assert (await shop.taken())[0] == "ACCEPTED"
