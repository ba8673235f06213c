"""Whether a webhook was signed by who knows the secret, and not long ago; and the same the other way round, to sign.

What is compared is compared in constant time, against every key, whichever holds. The timestamp is looked at only once
the signature holds: before that it is anybody's.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from app.clock import SECOND
from services.integrations.definitions.webhooks import Scheme, Signature, Webhook
from services.integrations.signing.headers import (
    Headers,
    prefixed_signature,
    seconds_of,
    standard_signatures,
    timestamped_parts,
)
from services.integrations.signing.keys import key_of

TOLERANCE_SECONDS = 300
Rule: TypeAlias = Literal["headers", "signature", "timestamp"]
#: The rule that tells most where several schemes refuse.
_TELLING: tuple[Rule, ...] = ("timestamp", "signature", "headers")


class Held(NamedTuple):
    """A signature that holds. `digest` is the SHA-256, in hexadecimal, of everything that it covers."""

    scheme: Scheme
    digest: str
    id: str | None
    signed_at: int | None


class SignatureRefused(Exception):
    """No signature holds; `rule` says why, which the sender does not learn."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule)
        self.rule = rule


class _Claimed(NamedTuple):
    """What a sender says of its signature: what comes before the body, and what it comes to."""

    head: bytes
    signatures: list[bytes]
    id: str | None = None
    seconds: int | None = None


def verify(webhook: Webhook, headers: Headers, body: bytes, secrets: Sequence[str], now: int) -> Held:
    """The first signature of the definition that holds at `now` (ms). Raises SignatureRefused."""
    rules: set[Rule] = set()
    for signature in webhook.signatures:
        try:
            return _held(signature, headers, body, secrets, now)
        except SignatureRefused as refused:
            rules.add(refused.rule)
    raise SignatureRefused(next(rule for rule in _TELLING if rule in rules))


def holds(webhook: Webhook, headers: Headers, body: bytes, secret: str, now: int) -> bool:
    """Whether a signature of the definition holds by this secret at `now` (ms)."""
    try:
        verify(webhook, headers, body, [secret], now)
    except SignatureRefused:
        return False
    return True


def _held(signature: Signature, headers: Headers, body: bytes, secrets: Sequence[str], now: int) -> Held:
    claimed = _claimed(signature, headers)
    if claimed is None:
        raise SignatureRefused("headers")
    keys = [key for secret in secrets if (key := key_of(signature.scheme, secret)) is not None]
    made = [_mac(key, claimed.head, body) for key in keys]
    # All of them, so that the time does not tell which one it was.
    same = [hmac.compare_digest(one, other) for one in made for other in claimed.signatures]
    if not any(same):
        raise SignatureRefused("signature")
    if claimed.seconds is not None and abs(now - claimed.seconds * SECOND) > TOLERANCE_SECONDS * SECOND:
        raise SignatureRefused("timestamp")
    covered = hashlib.sha256(claimed.head)
    covered.update(body)
    at = None if claimed.seconds is None else claimed.seconds * SECOND
    return Held(signature.scheme, covered.hexdigest(), claimed.id, at)


def _mac(key: bytes, head: bytes, body: bytes) -> bytes:
    made = hmac.new(key, head, hashlib.sha256)
    made.update(body)
    return made.digest()


def _claimed(signature: Signature, headers: Headers) -> _Claimed | None:
    """None where the headers of this scheme are not there, or are there twice, or cannot be read."""
    text = headers.one(signature.signature_header)
    if text is None:
        return None
    if signature.scheme == "timestamped":
        time, found = timestamped_parts(text, *_fields(signature))
        seconds = seconds_of(time)
        return None if seconds is None or not found else _Claimed(f"{time}.".encode(), found, None, seconds)
    time = None if signature.timed_by is None else headers.one(signature.timed_by)
    seconds = seconds_of(time)
    if signature.is_timed and seconds is None:
        return None
    if signature.scheme == "hmac":
        found = prefixed_signature(text, signature.prefix or "", signature.encoding or "hex")
        return _Claimed(_head(signature, time or ""), found, None, seconds) if found else None
    name, found = headers.one(signature.named_by or ""), standard_signatures(text)
    return _Claimed(f"{name}.{time}.".encode("latin-1"), found, name, seconds) if name and found else None


def _fields(signature: Signature) -> tuple[str, str]:
    return signature.timestamp_field or "t", signature.signature_field or "v1"


def _head(signature: Signature, time: str) -> bytes:
    """What is signed before the body."""
    return (signature.signed or "{body}").removesuffix("{body}").replace("{timestamp}", time).encode()


def sign(signature: Signature, secret: str, body: bytes, *, id: str, seconds: int) -> dict[str, str]:
    """The headers that a sender with this secret adds. Raises ValueError for a secret of another scheme."""
    key, time = key_of(signature.scheme, secret), str(seconds)
    if key is None:
        raise ValueError("the secret is none of this scheme")
    if signature.scheme == "timestamped":
        timestamp, made = _fields(signature)
        return {signature.signature_header: f"{timestamp}={time},{made}={_mac(key, f'{time}.'.encode(), body).hex()}"}
    timed = {} if signature.timed_by is None else {signature.timed_by: time}
    if signature.scheme == "hmac":
        raw = _mac(key, _head(signature, time), body)
        text = base64.b64encode(raw).decode() if signature.encoding == "base64" else raw.hex()
        return timed | {signature.signature_header: f"{signature.prefix or ''}{text}"}
    raw = _mac(key, f"{id}.{time}.".encode(), body)
    named = {signature.named_by or "": id}
    return timed | named | {signature.signature_header: f"v1,{base64.b64encode(raw).decode()}"}
