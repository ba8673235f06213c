"""Examples of webhooks, played offline: each is signed as its sender would, and read as one that came in."""

from collections.abc import Iterator
from typing import Any

import msgspec

from app.clock import SECOND
from app.errors import DomainError, ValidationFailed
from services.integrations.definitions.challenges import Challenge, ChallengeExample
from services.integrations.definitions.compiling import CompiledChallenge, CompiledWebhook
from services.integrations.definitions.webhooks import Event, Signature, Webhook, WebhookExample
from services.integrations.signing.headers import Headers
from services.integrations.signing.keys import key_of, new_secret, secret_fault
from services.integrations.signing.verifying import SignatureRefused, sign, verify
from services.integrations.webhooks.challenges import check_signable, read_asked
from services.integrations.webhooks.payloads import read_payload, read_said

_AT_SECONDS = 1_700_000_000


def rehearse_webhooks(compiled: CompiledWebhook) -> Iterator[tuple[Event, int, Signature, str | None]]:
    """Each example under each signature, and what is wrong with it."""
    for event in compiled.webhook.events or ():
        for number, example in enumerate(event.examples or ()):
            for signature in compiled.webhook.signatures:
                yield event, number, signature, _fault(compiled, event, example, signature)


def rehearse_challenges(compiled: CompiledWebhook) -> Iterator[tuple[Challenge, int, str | None]]:
    """Each example of the challenge, and what is wrong with it."""
    found = compiled.challenge
    if found is not None:
        for number, example in enumerate(found.challenge.examples or ()):
            yield found.challenge, number, _fault_of_challenge(compiled.webhook, found, example)


def _fault_of_challenge(webhook: Webhook, challenge: CompiledChallenge, example: ChallengeExample) -> str | None:
    empty = example.body is msgspec.UNSET
    body = b"" if empty else msgspec.json.encode(example.body)
    sent = {} if empty else {"Content-Type": "application/json"}
    headers = Headers({**sent, **(example.headers or {})}.items())
    asked = read_asked(challenge, headers, example.query or {}, body)
    if asked is None:
        return "is no challenge: there is no text at value, or when does not hold"
    if asked.proof == "token" and not asked.shows([asked.shown or ""]):
        return "shows nothing at token"
    try:
        answered = asked.answer(_key(webhook, example))
    except DomainError as error:
        return f"{error.code}: {error.message}"
    if challenge.challenge.members is None:
        same, shown = answered.text == example.answer, answered.text
    else:
        same, shown = _is_json(example.answer, answered.members), msgspec.json.encode(answered.members).decode()
    return None if same else f"the answer is {shown}, and not {example.answer}"


def _key(webhook: Webhook, example: ChallengeExample) -> bytes | None:
    """Raises ValidationFailed for what is no secret of the definition's signatures."""
    if example.signing_secret is None:
        return None
    keys = (key_of(signature.scheme, example.signing_secret) for signature in webhook.signatures)
    found = next((key for key in keys if key is not None), None)
    if found is None:
        raise ValidationFailed({"signingSecret": secret_fault(webhook, example.signing_secret) or "is none"})
    return found


def _is_json(text: str, value: Any) -> bool:
    try:
        return bool(msgspec.json.decode(text) == value)
    except (ValueError, RecursionError):
        return False


def _fault(compiled: CompiledWebhook, event: Event, example: WebhookExample, signature: Signature) -> str | None:
    body, secret = msgspec.json.encode(example.payload), new_secret()
    proof = sign(signature, secret, body, id="msg_example", seconds=_AT_SECONDS)
    sent = {"Content-Type": "application/json", **(example.headers or {}), **proof}
    headers, alone = Headers(sent.items()), Webhook(signatures=[signature])
    try:
        held = verify(alone, headers, body, [secret], _AT_SECONDS * SECOND)
        payload = read_payload(headers.one("content-type") or "", body)
        check_signable(compiled, payload)
        said = read_said(compiled, headers, payload, held)
    except SignatureRefused as refused:
        return f"its own signature does not hold ({refused.rule}): the headers of the example stand in its way"
    except DomainError as error:
        return f"{error.code}: {error.message}"
    if said.event_type != event.name:
        return f"the type is {said.event_type}, and not {event.name}"
    return "; ".join(f"{path}: {rule}" for path, rule in said.faults.items()) or None
