"""An endpoint for the demo, at which one webhook has come in: it was signed as a sender would."""

from services.context import Context
from services.demo.rows import IDS, is_there, row
from services.integrations.definitions.webhooks import Signature
from services.integrations.instances.endpoints import IssuedWebhook
from services.integrations.instances.registry import NewInstance, create_integration_instance
from services.integrations.signing.headers import Headers
from services.integrations.signing.verifying import sign
from services.integrations.webhooks.receiving import Arrival, receive_at

_BODY = b'{"type":"paper.accepted","timestamp":"2026-01-31T12:00:00Z","data":{"doi":"10.5555/12345678","round":2}}'


async def add_incoming(context: Context) -> None:
    """An instance of `generic.webhook`, unless it is there."""
    if await is_there("incoming"):
        return
    with row("incoming"):
        made = await create_integration_instance(context, NewInstance(type="generic.webhook", name="Incoming"))
    issued: IssuedWebhook = made["issued"]
    assert issued.url is not None and issued.signing_secret is not None and made["id"] == IDS["incoming"]
    sent = sign(Signature(scheme="standard"), issued.signing_secret, _BODY, id="msg_demo", seconds=context.now // 1_000)
    arrival = Arrival(Headers([*sent.items(), ("content-type", "application/json")]), _BODY)
    await receive_at(context.runtime, issued.url.rpartition("/")[2], arrival, context.request_id)
