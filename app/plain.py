"""Answers without a framework, for the roof: JSON, and the platform's error envelope."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.clock import SYSTEM_CLOCK, iso
from app.errors import DomainError

Headers = list[tuple[bytes, bytes]]
_JSON: Headers = [(b"content-type", b"application/json")]


def encoded(headers: Mapping[str, str]) -> Headers:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


async def send_answer(send: Any, status: int, headers: Headers, body: bytes) -> None:
    length = [] if status in (204, 304) else [(b"content-length", str(len(body)).encode())]
    given = [pair for pair in headers if pair[0] != b"content-length"]
    await send({"type": "http.response.start", "status": status, "headers": [*given, *length]})
    await send({"type": "http.response.body", "body": b"" if status in (204, 304) else body})


async def answer_json(send: Any, status: int, value: Any) -> None:
    await send_answer(send, status, [*_JSON, (b"cache-control", b"no-store")], msgspec.json.encode(value))


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
