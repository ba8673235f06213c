"""Signing secrets as texts, and the keys of HMAC that they stand for."""

import base64
import binascii
import secrets

from services.integrations.definitions.webhooks import Scheme, Webhook

#: Before the base64 of a secret of Standard Webhooks.
PREFIX = "whsec_"
_MADE_BYTES = 32
#: Standard Webhooks asks for 24 to 64 bytes; what other senders call a secret is a text.
_LEAST_BYTES, _MOST_BYTES = 24, 64
_LEAST_CHARACTERS = 16


def new_secret() -> str:
    """256 random bits; a text that serves with every scheme."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_MADE_BYTES)).decode()


def key_of(scheme: Scheme, secret: str) -> bytes | None:
    """The key that the text stands for; None where it is no secret of this scheme."""
    if scheme != "standard":
        return secret.encode() if len(secret) >= _LEAST_CHARACTERS else None
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if _LEAST_BYTES <= len(key) <= _MOST_BYTES else None


def secret_fault(webhook: Webhook, secret: object) -> str | None:
    """The rule that a given secret breaks; it is never repeated."""
    if not isinstance(secret, str):
        return "must be a text"
    schemes = {signature.scheme for signature in webhook.signatures}
    if any(key_of(scheme, secret) is not None for scheme in schemes):
        return None
    if schemes == {"standard"}:
        return f"must be the base64 of {_LEAST_BYTES} to {_MOST_BYTES} bytes, with {PREFIX} before it or without"
    return f"must have at least {_LEAST_CHARACTERS} characters"
