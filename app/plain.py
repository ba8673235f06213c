"""Answers without a framework, for the roof: JSON, and the platform's error envelope."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.answers import Headers, send_answer
from app.clock import SYSTEM_CLOCK, iso
from app.errors import DomainError

_JSON: Headers = [(b"content-type", b"application/json")]


def encoded(headers: Mapping[str, str]) -> Headers:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


async def answer_json(send: Any, status: int, value: Any, *more: tuple[bytes, bytes]) -> None:
    await send_answer(send, status, [*_JSON, (b"cache-control", b"no-store"), *more], msgspec.json.encode(value))


async def answer_platform_error(
    scope: Any, send: Any, error: DomainError, headers: dict[str, str] | None = None
) -> None:
    """`{success: false, error, meta}`: the form of everything that is no other surface's."""
    shown = {"code": error.code.upper(), "message": error.message}
    if error.details:
        shown["details"] = dict(error.details)  # type: ignore[assignment]
    meta = {"requestId": scope["state"]["request_id"], "timestamp": iso(SYSTEM_CLOCK.now_ms())}
    body = msgspec.json.encode({"success": False, "error": shown, "meta": meta})
    await send_answer(send, error.status, [*_JSON, *encoded(headers or {})], body)
