"""The page where a browser lands after an authorization: it says how it went, and runs nothing."""

from html import escape
from typing import Any
from urllib.parse import parse_qsl

import structlog
from litestar.types import Scope, Send

from app.answers import send_answer
from app.errors import DomainError, Internal, RequestsLimited
from services.integrations.oauth2.authorizing import AuthorizationAnswer
from services.integrations.oauth2.landing import complete_at_landing
from services.runtime import Runtime

LOG = structlog.get_logger("dovetail.rest")
LANDING = "/integrations/auth/oauth2/callback"
#: Landings a minute of one address: each looks something up for a caller without a credential.
_A_MINUTE = 60
_LONGEST = 500
_HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    # No script, no style, no image, no frame; and the address, which holds the code, goes nowhere.
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body><main><h1>{title}</h1><p>{text}</p>{more}</main></body>
</html>
"""


class Landing:
    """ASGI: GET of the landing page, without a credential."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def __call__(self, scope: Scope, send: Send) -> None:
        found: Any = scope
        status, body = await self._answer(found)
        await send_answer(send, status, _HEADERS, body)

    async def _answer(self, scope: Any) -> tuple[int, bytes]:
        try:
            given = _parameters(scope["query_string"])
            await self._limit(scope)
            name = await complete_at_landing(self._runtime, _answer_of(given), scope["state"]["request_id"])
        except DomainError as error:
            return error.status, _page("Not connected", error.message, _told(given))
        except Exception as error:
            LOG.error("unexpected error", request_id=scope["state"]["request_id"], path=LANDING, exc_info=error)
            return 500, _page("Not connected", Internal.text, {"request": scope["state"]["request_id"]})
        return 200, _page("Connected", f"{name} is connected. You can close this page.", {})

    async def _limit(self, scope: Any) -> None:
        address = (scope.get("client") or ("unknown",))[0]
        verdict = await self._runtime.limiter.hit(f"landing:{address}", _A_MINUTE, _A_MINUTE)
        if not verdict.admitted:
            raise RequestsLimited(verdict.retry_seconds)


def _parameters(query: bytes) -> dict[str, str]:
    """The first of each name; what comes after a hundred is not read."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, separator="&")[:100]
    return dict(reversed(pairs))


def _answer_of(given: dict[str, str]) -> AuthorizationAnswer:
    named = {name: given.get(name) for name in ("code", "iss", "error")}
    return AuthorizationAnswer(state=given.get("state", ""), **named)


def _told(given: dict[str, str]) -> dict[str, str]:
    """What the provider says of it, which the browser brought: shown as text, and trusted in nothing."""
    return {name: given[name][:_LONGEST] for name in ("error", "error_description") if given.get(name)}


def _page(title: str, text: str, more: dict[str, str]) -> bytes:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in more.items())
    listed = f"<dl>{rows}</dl>" if rows else ""
    return _PAGE.format(title=escape(title), text=escape(text), more=listed).encode("utf-8", "replace")
