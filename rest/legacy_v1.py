"""`/v1/people` and `/v1/publications`: the paths of the former API, answered as their successors answer.

Each answer says so: Deprecation (RFC 9745), Sunset (RFC 8594) and a Link to the successor. They have a rate
limit and a use count of their own, so that it is seen who still calls them.
"""

from datetime import UTC, datetime
from typing import Any

from litestar.types import Message, Receive, Scope, Send

from app.clock import http_date
from app.errors import NotFound
from rest.integrations_v1 import PREFIX
from rest.integrations_v1.errors import body_of
from rest.integrations_v1.surface import IntegrationsV1

LEGACY_PREFIX = "/v1"
PATHS = frozenset({"/people", "/publications"})
#: The day on which the successor was published: 2026-04-22, midnight UTC.
_DEPRECATED = b"@1776816000"


class LegacyV1:
    """ASGI: the old paths over the routes of the contract; `sunset` is a day, YYYY-MM-DD."""

    def __init__(self, successor: IntegrationsV1, sunset: str) -> None:
        self._successor = successor
        day = datetime.fromisoformat(sunset).replace(tzinfo=UTC)
        self._sunset = http_date(int(day.timestamp() * 1_000)).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/")
        if path not in PATHS:
            await _not_found(send)
            return
        marks = self._marks(path)

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message["headers"] if pair[0].lower() not in (b"deprecation", b"sunset")]
                message["headers"] = [*headers, *marks]
            await send(message)

        scope["state"]["surface"] = "v1"
        await self._successor(scope, receive, send_marked)

    def _marks(self, path: str) -> list[tuple[bytes, bytes]]:
        link = f'<{PREFIX}{path}>; rel="successor-version"'.encode()
        return [(b"deprecation", _DEPRECATED), (b"sunset", self._sunset), (b"link", link)]


async def _not_found(send: Send) -> None:
    body = body_of(NotFound("Not found"))
    headers: Any = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    start: Any = {"type": "http.response.start", "status": 404, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})
