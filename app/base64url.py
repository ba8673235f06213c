"""Base64 for URLs without padding (RFC 4648, section 5; RFC 7515, section 2): every text has one spelling."""

import base64


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Raises ValueError for whatever `encode` does not make: padding, other characters, bits behind the last byte."""
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encode(raw) != text:
        raise ValueError("is spelled otherwise than it is written")
    return raw
