"""A webhook, received: first whose it is and whether it was signed, then whether it may come in, then what it says.

A sender that cannot sign learns one thing, that it was refused. A delivery that is known already is answered like the
first, and nothing is done: docs/decisions/0026-webhooks.md.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from uuid import UUID

from app.auth.principal import NO_TENANT, webhook_principal
from app.database import Statement
from app.errors import (
    DomainError,
    Gone,
    IntegrationDisabled,
    IntegrationNotReady,
    IntegrationRateLimited,
    MalformedBody,
    UnsupportedMediaType,
    ValidationFailed,
    WebhookRefused,
)
from services.context import Context
from services.integrations.definitions.compiling import Compiled
from services.integrations.instances.endpoints import digest_of
from services.integrations.instances.rows import compiled_of
from services.integrations.signing.headers import Headers
from services.integrations.signing.verifying import Held
from services.integrations.webhooks.challenges import (
    CHALLENGES_PER_MINUTE,
    Answered,
    Asking,
    check_signable,
    read_asked,
)
from services.integrations.webhooks.payloads import kept_headers, read_payload, read_said
from services.integrations.webhooks.proving import answering_key, check_shown, record_refusal, verified
from services.integrations.webhooks.storing import Taken, store
from services.operations import operation

if TYPE_CHECKING:
    from services.runtime import Runtime

_FIND = Statement(
    "SELECT e.instance, e.tenant, i.definition, i.status, i.enabled, i.credential_ref, "
    "d.version AS definition_version, d.status AS definition_status "
    "FROM integration_endpoint e JOIN integration_instance i ON i.id = e.instance "
    "JOIN integration_definition d ON d.id = i.definition WHERE e.digest = {digest}"
)


class Arrival(NamedTuple):
    """A request as it came: the raw body, which is what was signed, and the parameters of its URL that came once."""

    headers: Headers
    body: bytes
    query: Mapping[str, str] = MappingProxyType({})
    method: Literal["GET", "POST"] = "POST"


async def receive_at(runtime: "Runtime", token: str, arrival: Arrival, request_id: str) -> Taken | Answered:
    """Receive a webhook at the endpoint with this token. Raises WebhookRefused where there is none, and what
    `receive_integration_webhook` does."""
    rows = await runtime.database.fetch(_FIND, digest=digest_of(token))
    if not rows:
        context = Context(runtime, webhook_principal(NO_TENANT, None), "rest", request_id)
        await record_refusal(context, None, WebhookRefused.code, "token", verified=False)
        raise WebhookRefused
    context = Context(runtime, webhook_principal(rows[0]["tenant"], rows[0]["instance"]), "rest", request_id)
    return await receive_integration_webhook(context, rows[0], arrival)


@operation(
    scope=None,
    audit="integration_webhook.received",
    writes="parts",
    raises=[
        WebhookRefused, Gone, IntegrationDisabled, IntegrationNotReady, IntegrationRateLimited, UnsupportedMediaType,
        MalformedBody, ValidationFailed,
    ],
)  # fmt: skip
async def receive_integration_webhook(context: Context, endpoint: Any, arrival: Arrival) -> Taken | Answered:
    """Receive a webhook: keep it and tell of it where its signature holds; a second time it changes nothing.

    The challenge of a sender is answered, and neither kept nor told of.
    """
    instance: UUID = endpoint["instance"]
    compiled = await compiled_of(context, endpoint["definition"], endpoint["definition_version"])
    asked = _asked(compiled, arrival)
    if asked is not None and asked.proof != "signature":
        await check_shown(context, endpoint, compiled, asked)
        return await _answered(context, endpoint, compiled, asked, arrival)
    if arrival.method != "POST":
        await record_refusal(context, instance, WebhookRefused.code, "challenge", verified=False)
        raise WebhookRefused
    held = await verified(context, endpoint, compiled, arrival.headers, arrival.body)
    if asked is not None:
        return await _answered(context, endpoint, compiled, asked, arrival)
    try:
        taken = await _taken(context, endpoint, compiled, arrival, held)
    except DomainError as error:
        await record_refusal(context, instance, error.code, None, verified=True)
        raise
    if taken.replayed:
        await record_refusal(context, instance, WebhookRefused.code, "replay", verified=True)
    if taken.faults:
        raise ValidationFailed(taken.faults)
    return taken


def _asked(compiled: Compiled, arrival: Arrival) -> Asking | None:
    found = None if compiled.webhook is None else compiled.webhook.challenge
    if found is None or found.challenge.method != arrival.method:
        return None
    return read_asked(found, arrival.headers, arrival.query, arrival.body)


async def _answered(context: Context, endpoint: Any, compiled: Compiled, asked: Asking, arrival: Arrival) -> Answered:
    """The answer to a challenge that shows what it must; counted apart from what the sender sends."""
    try:
        await _limit(context, f"challenges:{endpoint['instance']}", CHALLENGES_PER_MINUTE)
        _check_accepting(endpoint)
        asked.check()
    except DomainError as error:
        verified = asked.proof != "none"
        await record_refusal(context, endpoint["instance"], error.code, "challenge", verified=verified)
        raise
    if asked.challenge.hmac is None:
        return asked.answer()
    return asked.answer(await answering_key(context, endpoint, compiled, asked, arrival.headers, arrival.body))


async def _taken(context: Context, endpoint: Any, compiled: Compiled, arrival: Arrival, held: Held) -> Taken:
    """What was taken in, for a sender who has signed."""
    assert compiled.webhook is not None
    # Counted behind the signature: a stranger cannot use up what a sender needs.
    await _limit(context, f"deliveries:{endpoint['instance']}", context.runtime.settings.deliveries_per_minute)
    _check_accepting(endpoint)
    payload = read_payload(arrival.headers.one("content-type") or "", arrival.body)
    check_signable(compiled.webhook, payload)
    said = read_said(compiled.webhook, arrival.headers, payload, held)
    kept = kept_headers(compiled.webhook, arrival.headers)
    return await store(context, endpoint["instance"], held, said, kept, arrival.body)


async def _limit(context: Context, name: str, most: int) -> None:
    verdict = await context.runtime.limiter.hit(name, most, most)
    if not verdict.admitted:
        seconds = verdict.retry_seconds
        raise IntegrationRateLimited(seconds, f"More webhooks than are taken; try again in {seconds} seconds.")


def _check_accepting(endpoint: Any) -> None:
    if endpoint["definition_status"] == "ARCHIVED":
        raise Gone("The definition of this integration is archived; its webhooks are no longer taken.")
    if not endpoint["enabled"]:
        raise IntegrationDisabled
    if endpoint["status"] != "CONNECTED":
        status = endpoint["status"]
        raise IntegrationNotReady(f"The integration is {status}; only one that is CONNECTED takes webhooks.")
