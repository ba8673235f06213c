"""A sender of webhooks: definitions that receive, and requests signed as their senders sign."""

from __future__ import annotations

import time
from typing import Any

import httpx

from app.ids import new_id
from services.integrations.definitions.webhooks import Signature
from services.integrations.signing.verifying import sign
from tests.runtime.platform import INSTANCES, Platform

STANDARD = Signature(scheme="standard")
STRIPE = Signature(scheme="timestamped", header="Stripe-Signature")
GITHUB = Signature(scheme="hmac", header="X-Hub-Signature-256", prefix="sha256=")
SLACK = Signature(
    scheme="hmac", header="X-Slack-Signature", prefix="v0=", signed="v0:{timestamp}:{body}",
    timestamp_header="X-Slack-Request-Timestamp",
)  # fmt: skip
SCHEMES: dict[str, Signature] = {"standard": STANDARD, "stripe": STRIPE, "github": GITHUB, "slack": SLACK}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"type":"order.paid","id":7}'
PARTS: dict[str, dict[str, Any]] = {
    "standard": {"signatures": [{"scheme": "standard"}], "eventType": {"body": "type"}},
    "stripe": {
        "signatures": [{"scheme": "timestamped", "header": "Stripe-Signature"}],
        "eventType": {"body": "type"},
        "deliveryId": {"body": "id"},
    },
    "github": {
        "signatures": [{"scheme": "hmac", "header": "X-Hub-Signature-256", "prefix": "sha256="}],
        "eventType": {"header": "X-GitHub-Event"},
        "deliveryId": {"header": "X-GitHub-Delivery"},
    },
    "slack": {
        "signatures": [
            {
                "scheme": "hmac",
                "header": "X-Slack-Signature",
                "prefix": "v0=",
                "signed": "v0:{timestamp}:{body}",
                "timestampHeader": "X-Slack-Request-Timestamp",
            }
        ]
    },
}


def receiving(kind: str = "standard", **changes: Any) -> dict[str, Any]:
    """A definition that receives; members of its `webhook` replaced."""
    webhook = PARTS[kind] | changes.pop("webhook", {})
    return {
        "name": f"Shop {new_id()}",
        "description": "A shop that tells of orders",
        "version": "1.0.0",
        "type": "webhook",
        "authType": "none",
        "webhook": webhook,
    } | changes


class Sender:
    """The other side of one instance, with the URL and the secret that it was given."""

    def __init__(self, platform: Platform, kind: str, made: dict[str, Any], secret: str) -> None:
        self.platform, self.kind, self.made, self.secret = platform, kind, made, secret
        self.url: str = made["webhook"]["url"]

    @property
    def path(self) -> str:
        """Of the instance, below the prefix."""
        return f"{INSTANCES}/{self.made['id']}"

    def signed(self, body: bytes = BODY, *, at: float | None = None, **given: Any) -> dict[str, str]:
        """The headers of a request at `at` (seconds); `id` and `secret` may be given."""
        seconds = int(time.time() if at is None else at)
        name = given.get("id") or f"msg_{new_id().hex}"
        made = sign(SCHEMES[self.kind], given.get("secret") or self.secret, body, id=name, seconds=seconds)
        if self.kind == "github":
            made |= {"X-GitHub-Delivery": name, "X-GitHub-Event": "order.paid"}
        return made | {"Content-Type": "application/json"}

    async def post(self, body: bytes = BODY, headers: dict[str, str] | None = None, **given: Any) -> httpx.Response:
        sent = self.signed(body, **given) if headers is None else headers
        return await self.platform.world.client.post(self.url, content=body, headers=sent)

    async def taken(self, body: bytes = BODY, **given: Any) -> tuple[str, str]:
        """Status and id of a delivery that must be answered with 200."""
        answer = await self.post(body, **given)
        assert answer.status_code == 200, answer.text
        return answer.json()["status"], answer.json()["id"]

    async def deliveries(self, query: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.platform.ok("GET", f"{self.path}/deliveries{query}"))["items"]
        return found


async def sender(platform: Platform, kind: str = "standard", secret: str | None = None, **changes: Any) -> Sender:
    """A definition, its instance, and who sends to it; the secret is made by the server unless it is given."""
    definition = await platform.ok("POST", "/integrations/definitions", receiving(kind, **changes), 201)
    await platform.ok("POST", f"/integrations/definitions/{definition['id']}/publish")
    body: dict[str, Any] = {"integrationDefinitionId": definition["id"], "name": f"The shop {new_id()}"}
    if secret is not None:
        body["credentials"] = {"signingSecret": secret}
    made = await platform.ok("POST", INSTANCES, body, 201)
    return Sender(platform, kind, made, secret or made["webhook"]["signingSecret"])
