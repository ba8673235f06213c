"""Tokens made by hand, as somebody would who has read RFC 7515 and wants to come in."""

import base64
import hashlib
import hmac
import json
from typing import Any


def encoded(part: Any) -> str:
    """base64url without padding of bytes, or of anything as JSON."""
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def claims_of(token: str) -> dict[str, Any]:
    return dict(decoded(token.split(".")[1]))


def unsigned(header: Any, claims: Any, signature: str = "") -> str:
    return f"{encoded(header)}.{encoded(claims)}.{signature}"


def with_hmac(header: dict[str, Any], claims: Any, secret: bytes) -> str:
    """Signed with HS256."""
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}.{encoded(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def tampered(token: str, **claims: Any) -> str:
    """The same header and signature around other claims."""
    header, _, signature = token.split(".")
    return f"{header}.{encoded(claims_of(token) | claims)}.{signature}"
