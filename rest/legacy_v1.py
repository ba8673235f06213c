"""`/v1/people` and `/v1/publications`: the paths of the former API, answered as their successors answer.

Each answer says so: Deprecation (RFC 9745), Sunset (RFC 8594) and a Link to the successor. They have a rate
limit and a use count of their own, so that it is seen who still calls them. Switched off, they answer 410.
"""

from litestar.types import Receive, Scope, Send

from app.answers import send_answer
from app.errors import DomainError, Gone, NotFound
from rest.contracts.lifecycles import ending, marked
from rest.integrations_v1 import PREFIX
from rest.integrations_v1.errors import body_of
from rest.integrations_v1.surface import IntegrationsV1

LEGACY_PREFIX = "/v1"
PATHS = frozenset({"/people", "/publications"})
#: The day on which the successor was published.
_DEPRECATED = "2026-04-22"


class LegacyV1:
    """ASGI: the old paths over the routes of the contract; `sunset` is a day. Without a successor they are gone."""

    def __init__(self, successor: IntegrationsV1 | None, sunset: str) -> None:
        self._successor = successor
        self._marks = {path: ending(_DEPRECATED, sunset, f"{PREFIX}{path}").headers() for path in PATHS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/")
        if path not in PATHS:
            await _refuse(send, NotFound("Not found"))
            return
        scope["state"]["surface"] = "v1"
        send_marked = marked(send, self._marks[path])
        if self._successor is None:
            await _refuse(send_marked, Gone(f"This path was retired. Call {PREFIX}{path} instead."))
        else:
            await self._successor(scope, receive, send_marked)


async def _refuse(send: Send, error: DomainError) -> None:
    await send_answer(send, error.status, [(b"content-type", b"application/json")], body_of(error))
