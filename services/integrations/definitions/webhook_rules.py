"""The rules of what a definition says of webhooks: signatures, where names are, events and their examples."""

import re

from services.integrations.definitions.expressions import compile_expression
from services.integrations.definitions.faults import Fault, Faults, joined
from services.integrations.definitions.model import Definition
from services.integrations.definitions.schemas import compile_schema, property_names, schema_faults
from services.integrations.definitions.templates import check_header
from services.integrations.definitions.webhooks import SIGNING_SECRET, Event, Signature, Source, Webhook

_TEXT = r"[ -z|~]*"  # printable ASCII without braces
_SIGNED = re.compile(rf"{_TEXT}(?:\{{timestamp\}}{_TEXT})?\{{body\}}")
#: Members that only some schemes have.
_MEMBERS = {
    "idHeader": ("standard",),
    "timestampHeader": ("standard", "hmac"),
    "timestampField": ("timestamped",),
    "signatureField": ("timestamped",),
    "encoding": ("hmac",),
    "prefix": ("hmac",),
    "signed": ("hmac",),
}


def check_webhook(definition: Definition, faults: Faults) -> None:
    """Put every fault of the webhooks under its path, which begins with `webhook`."""
    found = definition.webhook
    if found is None:
        return
    if definition.type != "webhook":
        faults.add("webhook", f"is of no use with type {definition.type}")
    names = property_names(definition.secrets_schema)
    if names is not None and SIGNING_SECRET not in names:
        faults.add("secretsSchema.properties", f"must name {SIGNING_SECRET}, with which webhooks are signed")
    for number, signature in enumerate(found.signatures):
        _signature(signature, f"webhook.signatures.{number}", faults)
    for name, source in (("eventType", found.event_type), ("deliveryId", found.delivery_id)):
        _source(source, f"webhook.{name}", faults)
    _events(found, faults)


def _signature(signature: Signature, at: str, faults: Faults) -> None:
    given = {
        "idHeader": signature.id_header, "timestampHeader": signature.timestamp_header,
        "timestampField": signature.timestamp_field, "signatureField": signature.signature_field,
        "encoding": signature.encoding, "prefix": signature.prefix, "signed": signature.signed,
    }  # fmt: skip
    for name, value in given.items():
        if value is not None and signature.scheme not in _MEMBERS[name]:
            faults.add(f"{at}.{name}", f"is of no use with the scheme {signature.scheme}")
    if signature.header is None and signature.scheme != "standard":
        faults.add(f"{at}.header", f"must be given with the scheme {signature.scheme}")
    for name, text in (
        ("header", signature.header),
        ("idHeader", signature.id_header),
        ("timestampHeader", signature.timestamp_header),
    ):
        if text is not None:
            with faults.at(f"{at}.{name}"):
                check_header(text, "")
    with faults.at(f"{at}.signed"):
        _signed(signature)


def _signed(signature: Signature) -> None:
    """What is signed ends with the body, and its timestamp is one that comes along. Raises Fault."""
    text = "{body}" if signature.signed is None else signature.signed
    if signature.scheme != "hmac":
        return
    if _SIGNED.fullmatch(text) is None:
        raise Fault("must be printable ASCII that ends with {body}, the raw body, and may have {timestamp} before it")
    if ("{timestamp}" in text) != (signature.timestamp_header is not None):
        raise Fault("{timestamp} goes with timestampHeader: what comes along must be signed, and what is signed come")


def _source(source: Source | None, at: str, faults: Faults) -> None:
    if source is None:
        return
    if (source.header is None) == (source.body is None):
        faults.add(at, "must have exactly one of header and body")
    with faults.at(f"{at}.header"):
        if source.header is not None:
            check_header(source.header, "")
    with faults.at(f"{at}.body"):
        if source.body is not None:
            compile_expression(source.body)


def _events(webhook: Webhook, faults: Faults) -> None:
    if webhook.events and webhook.event_type is None:
        faults.add("webhook.eventType", "must say where the type stands, since there are events")
    seen: set[str] = set()
    for number, event in enumerate(webhook.events or ()):
        at = f"webhook.events.{number}"
        if event.name in seen:
            faults.add(f"{at}.name", f"{event.name} is there already; names are unique")
        if not event.name.isprintable():
            faults.add(f"{at}.name", "must not contain control characters")
        seen.add(event.name)
        _event(event, at, faults)


def _event(event: Event, at: str, faults: Faults) -> None:
    for number, example in enumerate(event.examples or ()):
        for name in example.headers or ():
            with faults.at(joined(at, "examples", number, "headers", name)):
                check_header(name, "")
    if event.payload_schema is None:
        return
    with faults.at(f"{at}.payloadSchema"):
        validator = compile_schema(event.payload_schema)
        for number, example in enumerate(event.examples or ()):
            faults.update(schema_faults(validator, example.payload, f"{at}.examples.{number}.payload"))
