"""Challenges: what a sender wants answered before it sends is answered, by what the definition says of it."""

from __future__ import annotations

from typing import Any

import pytest

from models.audit import AuditEvent
from services.integrations.webhooks.challenges import CHALLENGES_PER_MINUTE, MOST_CHARACTERS
from tests.runtime.platform import INSTANCES, Platform
from tests.runtime.vaults import connected_vault, kv_vault
from tests.runtime.webhooks import SECRET, Sender, receiving, sender
from tests.world import World

pytestmark = pytest.mark.runtime
TOKEN = "verify-token-canary-0123"
SIGNED = {"value": {"body": "challenge"}, "when": "body.type == 'url_verification'", "proof": "signature"}
SHOWN = {
    "method": "GET", "value": {"query": "hub.challenge"}, "when": "query.\"hub.mode\" == 'subscribe'",
    "proof": "token", "token": {"query": "hub.verify_token"},
}  # fmt: skip
OPEN = {"value": {"query": "validationToken"}, "proof": "none"}
ASKED = b'{"type":"url_verification","challenge":"3eZb-w1"}'


async def asking(platform: Platform, challenge: dict[str, Any], kind: str = "slack", **given: Any) -> Sender:
    """A sender whose definition has this challenge."""
    secrets = given.pop("credentials", None)
    made = await sender(platform, kind, webhook={"challenge": challenge}, **given)
    if secrets is not None:
        await platform.ok("PUT", f"{made.path}/credentials", {"credentials": {"signingSecret": made.secret} | secrets})
    return made


async def subscribed(it: Sender, token: str = TOKEN, challenge: str = "1158201444", mode: str = "subscribe") -> Any:
    """As Meta asks."""
    query = {"hub.mode": mode, "hub.challenge": challenge, "hub.verify_token": token}
    return await it.platform.world.client.get(it.url, params=query)


async def rules(world: World) -> set[tuple[str, str | None]]:
    await world.runtime.denials.flush()
    told = (AuditEvent.tenant == world.tenant) & (AuditEvent.action == "integration_webhook.refused")
    found = await AuditEvent.select(AuditEvent.code, AuditEvent.rule).where(told)
    return {(event["code"], event["rule"]) for event in found}


async def counted(world: World) -> float:
    text = (await world.client.get("/metrics")).text
    lines = [line for line in text.splitlines() if line.startswith('dovetail_webhooks_total{outcome="challenge"}')]
    return float(lines[0].split()[-1]) if lines else 0.0


async def test_a_signed_challenge_is_answered_and_is_no_event(platform: Platform, world: World) -> None:
    """As Slack asks: the text of the body comes back; nothing is kept, and it is counted."""
    it, before = await asking(platform, SIGNED), await counted(world)
    answer = await it.post(ASKED)
    assert (answer.status_code, answer.text) == (200, "3eZb-w1")
    assert await it.deliveries() == [] and await counted(world) == before + 1
    # The same again is the same again; an event with a text of that name is an event.
    assert (await it.post(ASKED)).text == "3eZb-w1"
    assert (await it.taken(b'{"type":"message","challenge":"x"}'))[0] == "ACCEPTED"
    assert len(await it.deliveries()) == 1


async def test_who_does_not_sign_is_answered_nothing(platform: Platform, world: World) -> None:
    it = await asking(platform, SIGNED)
    refused = [
        await it.post(ASKED, secret="another-secret-of-nobody"),
        await it.post(ASKED, at=1_700_000_000),
        await it.post(ASKED, headers={"Content-Type": "application/json"}),
    ]
    assert [each.status_code for each in refused] == [401] * 3 and all("3eZb" not in each.text for each in refused)
    assert await rules(world) == {("webhook_refused", rule) for rule in ("signature", "timestamp", "headers")}


async def test_a_verify_token_is_shown_in_the_query(platform: Platform, world: World) -> None:
    """As Meta asks. Who shows another, none, or two is refused like everybody else."""
    it = await asking(platform, SHOWN, "github", credentials={"verifyToken": TOKEN})
    answer = await subscribed(it)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    url, wrong = it.url, []
    for query in (
        f"hub.mode=subscribe&hub.challenge=7&hub.verify_token={TOKEN[:-1]}",
        f"hub.mode=subscribe&hub.challenge=7&hub.verify_token={TOKEN}x",
        "hub.mode=subscribe&hub.challenge=7&hub.verify_token=",
        "hub.mode=subscribe&hub.challenge=7",
        f"hub.mode=subscribe&hub.challenge=7&hub.verify_token={TOKEN}&hub.verify_token={TOKEN}",
        f"hub.mode=unsubscribe&hub.challenge=7&hub.verify_token={TOKEN}",
        f"hub.mode=subscribe&hub.verify_token={TOKEN}",
        f"hub.mode=subscribe&hub.challenge=%ff&hub.verify_token={TOKEN}",
        "&".join(f"a{number}=1" for number in range(200)),
        "",
    ):
        wrong.append(await world.client.get(f"{url}?{query}"))
    assert {each.status_code for each in wrong} == {401}
    nobody = await world.client.get(f"{url.rpartition('/')[0]}/whk_nobody?hub.challenge=7")
    plain = {each.text.replace(each.json()["error"]["requestId"], "") for each in (*wrong, nobody)}
    assert len(plain) == 1 and nobody.status_code == 401
    assert await rules(world) >= {("webhook_refused", "verify_token"), ("webhook_refused", "challenge")}
    assert (await it.taken())[0] == "ACCEPTED" and len(await it.deliveries()) == 1


async def test_a_text_goes_back_as_nothing_that_runs(platform: Platform) -> None:
    """As Microsoft Graph asks. Whoever knows the URL chose the text, so that it is plain, short and inert."""
    it = await asking(platform, OPEN, "github")
    client, text = platform.world.client, "<script>alert(1)</script> & \N{SNOWMAN}"
    answer = await client.post(it.url, params={"validationToken": text}, headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.text) == (200, text)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"] and answer.headers["cache-control"] == "no-store"
    for bad in ("a" * (MOST_CHARACTERS + 1), "", "a\r\nSet-Cookie: b=c", "a\u202eb"):
        error = await client.post(it.url, params={"validationToken": bad})
        assert error.status_code == 400 and f"1 to {MOST_CHARACTERS} printable" in error.text, bad
    assert (await client.post(it.url, params={"validationToken": "a" * MOST_CHARACTERS})).status_code == 200
    assert (await client.post(it.url, params={"other": "a"})).status_code == 401
    assert await it.deliveries() == [] and (await it.taken())[0] == "ACCEPTED"


async def test_a_text_under_a_name(platform: Platform) -> None:
    it = await asking(platform, SIGNED | {"member": "challenge"})
    answer = await it.post(ASKED)
    assert (answer.json(), answer.headers["x-content-type-options"]) == ({"challenge": "3eZb-w1"}, "nosniff")
    assert answer.headers["content-type"].startswith("application/json")


async def test_challenges_are_limited_apart_from_events(platform: Platform, world: World) -> None:
    """A stranger who asks without end takes nothing from the sender."""
    it, client = await asking(platform, OPEN, "github"), platform.world.client
    answers = [await client.post(it.url, params={"validationToken": "a"}) for _ in range(CHALLENGES_PER_MINUTE + 1)]
    assert [each.status_code for each in answers] == [200] * CHALLENGES_PER_MINUTE + [429]
    assert "Retry-After" in answers[-1].headers
    assert (await it.taken())[0] == "ACCEPTED"
    assert ("integration_rate_limit_exceeded", "challenge") in await rules(world)


async def test_an_integration_that_does_not_receive_answers_nothing(platform: Platform) -> None:
    it = await asking(platform, SIGNED)
    await platform.ok("PUT", it.path, {"enabled": False})
    answer = await it.post(ASKED)
    assert answer.status_code == 409 and "3eZb" not in answer.text
    await platform.ok("PUT", it.path, {"enabled": True})
    assert (await it.post(ASKED)).text == "3eZb-w1"


async def test_a_verify_token_is_a_secret(platform: Platform) -> None:
    """Never shown, long enough to be one, and not needed by those whose sender asks nothing."""
    it = await asking(platform, SHOWN, "github")
    assert (await subscribed(it)).status_code == 401
    path, given = f"{it.path}/credentials", {"signingSecret": it.secret, "verifyToken": "short"}
    error = await platform.refused(400, "VALIDATION_ERROR", "PUT", path, {"credentials": given})
    assert error["details"] == [{"path": "credentials.verifyToken", "message": "must have at least 16 characters"}]
    shown = await platform.ok("PUT", path, {"credentials": given | {"verifyToken": TOKEN}})
    assert TOKEN not in str(shown) and (await subscribed(it)).status_code == 200
    await platform.ok("POST", f"{it.path}/webhook/rotate-secret", {})
    assert (await subscribed(it)).status_code == 200


async def test_a_verify_token_that_lies_in_a_vault(platform: Platform) -> None:
    async with kv_vault() as vault:
        vault.secrets["hooks"] = {"signingSecret": SECRET, "verifyToken": TOKEN}
        await connected_vault(platform, vault)
        plain = {"configSchema": None, "allowedHosts": None}
        definition = await platform.definition(**receiving("github", webhook={"challenge": SHOWN}, **plain))
        body = {
            "integrationDefinitionId": definition["id"],
            "name": "Shop",
            "credentialRef": "vault://Our%20vault/hooks",
        }
        it = Sender(platform, "github", await platform.ok("POST", INSTANCES, body, 201), SECRET)
        assert (await subscribed(it)).text == "1158201444" and vault.seen == ["hooks"]
        assert (await subscribed(it, "another-token-of-nobody")).status_code == 401
        vault.secrets["hooks"] = None
        platform.world.runtime.vaults._kept.clear()
        assert (await subscribed(it)).status_code == 503
