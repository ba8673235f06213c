"""Challenges answered with JSON of several texts, signed where the sender wants it: as Okta, Zoom and X ask."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from typing import Any

import pytest

from services.integrations.webhooks.challenges import CHALLENGES_PER_MINUTE, MOST_CHARACTERS
from tests.docs.pages import DOCS
from tests.runtime.platform import INSTANCES, Platform
from tests.runtime.test_webhook_challenges import TOKEN, asking, rules
from tests.runtime.vaults import connected_vault, kv_vault
from tests.runtime.webhooks import SECRET, Sender, receiving
from tests.world import World

pytestmark = pytest.mark.runtime


def documented(sender: str) -> dict[str, Any]:
    """The challenge of a sender, as the page has it: what is written there is what is played here."""
    page = (DOCS / "operations/receive-webhooks.md").read_text(encoding="utf-8")
    [found] = re.findall(rf"^\| {sender} \| `(.*)` \|$", page, re.MULTILINE)
    challenge: dict[str, Any] = json.loads(found)
    return challenge


OKTA, ZOOM, X = documented("Okta"), documented("Zoom"), documented("X")
ASKED = b'{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}'


def mac(secret: str, text: str) -> bytes:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()


def is_inert(answer: Any) -> bool:
    """Also that one text has the profile that it always had."""
    found, profile = answer.headers, "challenge" if len(answer.json()) == 1 else "challenge-members"
    return (
        found["content-type"] == f"application/json; profile={profile}"
        and found["x-content-type-options"] == "nosniff"
        and "sandbox" in found["content-security-policy"]
    )


async def test_okta_asks_in_a_header(platform: Platform, world: World) -> None:
    """The text of a header comes back under a name. Twice there, or not there, it is no challenge."""
    it, client = await asking(platform, OKTA, "github"), world.client
    text = 'a"b<script>'
    answer = await client.get(it.url, headers={"X-Okta-Verification-Challenge": text})
    assert (answer.status_code, answer.json()) == (200, {"verification": text}) and is_inert(answer)
    name = "x-okta-verification-challenge"
    for headers in ([], [(name, "a"), (name, "a")], [("x-other", "a")]):
        assert (await client.get(it.url, headers=headers)).status_code == 401
    for bad in ("a" * (MOST_CHARACTERS + 1), "", "a\tb"):
        refused = await client.get(it.url, headers={name: bad})
        assert refused.status_code == 400 and f"1 to {MOST_CHARACTERS} printable" in refused.text, bad
    assert await it.deliveries() == [] and (await it.taken())[0] == "ACCEPTED"


async def test_a_token_may_be_shown_in_a_header(platform: Platform, world: World) -> None:
    shown = OKTA | {"proof": "token", "token": {"header": "x-hook-token"}}
    it = await asking(platform, shown, "github", credentials={"verifyToken": TOKEN})
    given = {"x-okta-verification-challenge": "abc", "x-hook-token": TOKEN}
    assert (await world.client.get(it.url, headers=given)).json() == {"verification": "abc"}
    refused = await world.client.get(it.url, headers=given | {"x-hook-token": TOKEN[:-1]})
    assert refused.status_code == 401 and "abc" not in refused.text


async def test_zoom_wants_its_text_signed(platform: Platform, world: World) -> None:
    """Only who signs is answered, and with the secret that they signed by: also the one before, while it holds."""
    it = await asking(platform, ZOOM)
    for secret in (it.secret, None):
        if secret is None:
            turned = await platform.ok("POST", f"{it.path}/webhook/rotate-secret", {})
            secret = turned["signingSecret"]
            assert secret != it.secret
            before = (await it.post(ASKED)).json()["encryptedToken"]
            assert before == mac(it.secret, "qgg8vlvZRS6UYooatFL8Aw").hex()
        answer = await it.post(ASKED, secret=secret)
        expected = mac(secret, "qgg8vlvZRS6UYooatFL8Aw").hex()
        assert answer.json() == {"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": expected}
        assert answer.status_code == 200 and is_inert(answer)
    refused = await it.post(ASKED, secret="another-secret-of-nobody")
    assert refused.status_code == 401 and "encryptedToken" not in refused.text
    assert await it.deliveries() == [] and (await it.taken(b'{"event":"meeting.started"}'))[0] == "ACCEPTED"


async def test_x_checks_that_the_secret_is_known(platform: Platform, world: World) -> None:
    it = await asking(platform, X, "github")
    answer = await world.client.get(it.url, params={"crc_token": "9b4507b3-9040-4669-9ca3-6b94edb50553"})
    expected = base64.b64encode(mac(it.secret, "9b4507b3-9040-4669-9ca3-6b94edb50553")).decode()
    assert answer.json() == {"response_token": f"sha256={expected}"} and is_inert(answer)
    answers = [await world.client.get(it.url, params={"crc_token": "a"}) for _ in range(CHALLENGES_PER_MINUTE)]
    assert [each.status_code for each in answers] == [200] * (CHALLENGES_PER_MINUTE - 1) + [429]


@pytest.mark.parametrize("kind", ["github", "slack", "stripe", "standard"])
async def test_nobody_has_a_webhook_signed(platform: Platform, world: World, kind: str) -> None:
    """Whoever knows the URL chooses what is signed; no choice of theirs is a signature of a webhook."""
    it = await asking(platform, X, kind)
    get = world.client.get
    for text in ('{"type":"order.paid"}', "[]", '"a"', "a b", "1700000000.{}", "v0:1700000000:{}", "\N{SNOWMAN}"):
        refused = await get(it.url, params={"crc_token": text})
        assert refused.status_code == 400 and "to be signed" in refused.text and "sha256=" not in refused.text, text
    # What JSON can be written with the letters that are signed is no webhook here, signed or not.
    for body in (b"7", b"true", b"null", b"-1.5e3"):
        assert (await it.post(body)).status_code == 400, body
    assert (await it.taken())[0] == "ACCEPTED"
    assert ("malformed_body", None) in await rules(world)


async def test_what_the_sender_writes_is_no_variable(platform: Platform, world: World) -> None:
    it = await asking(platform, OKTA | {"members": {"a": "{value}", "b": "<{value}>"}}, "github")
    answer = await world.client.get(it.url, headers={"x-okta-verification-challenge": "{hmac}{value}"})
    assert answer.json() == {"a": "{hmac}{value}", "b": "<{hmac}{value}>"}


async def test_a_challenge_signed_with_what_a_vault_has(platform: Platform, world: World) -> None:
    """503 while the vault is away, and nothing is signed."""
    async with kv_vault() as vault:
        vault.secrets["hooks"] = {"signingSecret": SECRET}
        await connected_vault(platform, vault)
        plain = {"configSchema": None, "allowedHosts": None}
        definition = await platform.definition(**receiving("github", webhook={"challenge": X}, **plain))
        body = {"integrationDefinitionId": definition["id"], "name": "X", "credentialRef": "vault://Our%20vault/hooks"}
        it = Sender(platform, "github", await platform.ok("POST", INSTANCES, body, 201), SECRET)
        answer = await world.client.get(it.url, params={"crc_token": "a"})
        assert answer.json() == {"response_token": f"sha256={base64.b64encode(mac(SECRET, 'a')).decode()}"}
        vault.secrets["hooks"] = None
        platform.world.runtime.vaults._kept.clear()
        assert (await world.client.get(it.url, params={"crc_token": "a"})).status_code == 503


async def test_nothing_is_signed_where_nothing_is_received(platform: Platform, world: World) -> None:
    it = await asking(platform, X, "github")
    await platform.ok("PUT", it.path, {"enabled": False})
    refused = await world.client.get(it.url, params={"crc_token": "a"})
    assert refused.status_code == 409 and "sha256=" not in refused.text
    assert SECRET not in json.dumps(refused.json())
