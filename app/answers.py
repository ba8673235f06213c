"""An answer that no framework makes, sent whole."""

from typing import Any

Headers = list[tuple[bytes, bytes]]
#: Answers without content, and without a length (RFC 9110, sections 8.6 and 15).
_EMPTY = frozenset({204, 304})


async def send_answer(send: Any, status: int, headers: Headers, body: bytes) -> None:
    """`headers` are lower-case and hold no length."""
    if status in _EMPTY:
        body = b""
    else:
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
