"""What a webhook says: its payload as JSON, its type, its sender's id, and which rules of the definition it breaks."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from app.errors import MalformedBody, UnsupportedMediaType, ValidationFailed
from services.inputs import read_input
from services.integrations.definitions.compiling import CompiledWebhook
from services.integrations.definitions.schemas import MOST_SCHEMA_LEVELS, levels_of, schema_faults
from services.integrations.definitions.webhooks import Source
from services.integrations.signing.headers import Headers
from services.integrations.signing.verifying import Held

_LONGEST_TYPE, _LONGEST_ID, _LONGEST_HEADER = 200, 255, 500
#: Kept of every delivery, beside the headers that its definition names.
_KEPT = ("content-type", "user-agent")


class Said(NamedTuple):
    """A payload that was read; `faults` are the rules of its schema that it breaks, by path."""

    event_type: str | None
    delivery_id: str | None
    faults: Mapping[str, str]


def read_payload(media_type: str, body: bytes) -> Any:
    """The JSON of a body. Raises UnsupportedMediaType, and MalformedBody for what is none, or nests too deep."""
    kind = media_type.partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise UnsupportedMediaType("Webhooks are taken as application/json.")
    if not body:
        raise MalformedBody
    payload = read_input(Any, body)
    if levels_of(payload) > MOST_SCHEMA_LEVELS:
        raise MalformedBody(f"The body nests deeper than {MOST_SCHEMA_LEVELS} levels.")
    return payload


def read_said(compiled: CompiledWebhook, headers: Headers, payload: Any, held: Held) -> Said:
    """Raises ValidationFailed for a type or an id that can be none."""
    webhook = compiled.webhook
    event = _named("eventType", webhook.event_type, compiled.event_type, headers, payload, _LONGEST_TYPE)
    name = _named("deliveryId", webhook.delivery_id, compiled.delivery_id, headers, payload, _LONGEST_ID)
    if webhook.delivery_id is None:
        name = _checked("deliveryId", held.id, _LONGEST_ID)
    if webhook.event_type is not None and event is None:
        return Said(event, name, {"eventType": "is not where the definition says"})
    validator = compiled.payloads.get(event or "")
    return Said(event, name, {} if validator is None else dict(schema_faults(validator, payload, "payload")))


def kept_headers(compiled: CompiledWebhook, headers: Headers) -> Mapping[str, str]:
    """The headers that are kept: those that say what it is, never one that proves it."""
    webhook = compiled.webhook
    sources = (webhook.event_type, webhook.delivery_id)
    named = [source.header for source in sources if source is not None and source.header is not None]
    named += [name for one in webhook.signatures for name in (one.named_by, one.timed_by) if name is not None]
    proofs = {one.signature_header.lower() for one in webhook.signatures}
    return headers.kept([name for name in (*_KEPT, *named) if name.lower() not in proofs], _LONGEST_HEADER)


def _named(field: str, source: Source | None, found: Any, headers: Headers, payload: Any, most: int) -> str | None:
    if source is None:
        return None
    if source.header is not None:
        return _checked(field, headers.one(source.header), most)
    try:
        value = found.search(payload)
    except Exception:  # noqa: BLE001 - whatever the author's expression does to the sender's payload
        raise ValidationFailed({field: "cannot be read from this body"}) from None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _checked(field, value if isinstance(value, str) else None, most)


def _checked(field: str, text: str | None, most: int) -> str | None:
    if text is not None and (len(text) > most or not text.isprintable() or not text):
        raise ValidationFailed({field: f"must be 1 to {most} printable characters"})
    return text
