"""The end of an operation, as its document says it and as its answers say it: one source for both.

`deprecated: true`, `x-deprecated-at` (an instant or a day), `x-sunset` (a day) and `x-successor` (a path or URL) of an
operation become the headers `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link` of each of its answers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from litestar.openapi.spec import Operation
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.clock import http_date

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_MARKS = (b"deprecation", b"sunset")


class Ending(NamedTuple):
    """Since when something is deprecated and from when on it may be gone, in seconds since the epoch."""

    deprecated_at: int
    sunset_at: int | None
    successor: str | None

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The pairs that an answer carries."""
        pairs = [(b"deprecation", f"@{self.deprecated_at}".encode())]
        if self.sunset_at is not None:
            pairs.append((b"sunset", http_date(self.sunset_at * 1_000).encode()))
        if self.successor is not None:
            pairs.append((b"link", f'<{self.successor}>; rel="successor-version"'.encode()))
        return pairs


def ending(deprecated_at: str, sunset: str | None, successor: str | None) -> Ending:
    """An ending from days or instants. Raises ValueError where the sunset would be before the deprecation."""
    since, until = _seconds(deprecated_at), None if sunset is None else _seconds(sunset)
    if until is not None and until < since:
        raise ValueError(f"x-sunset {sunset} is before x-deprecated-at {deprecated_at}")
    return Ending(since, until, successor)


def _seconds(text: str) -> int:
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def deprecated_operation(deprecated_at: str, sunset: str, successor: str) -> type[Operation]:
    """The `operation_class` of a handler that is on its way out; give it `deprecated=True` too."""
    ending(deprecated_at, sunset, successor)

    @dataclass
    class Deprecated(Operation):
        x_deprecated_at: str = field(default=deprecated_at, metadata={"alias": "x-deprecated-at"})
        x_sunset: str = field(default=sunset, metadata={"alias": "x-sunset"})
        x_successor: str = field(default=successor, metadata={"alias": "x-successor"})

    return Deprecated


def endings_of(document: Mapping[str, Any]) -> dict[tuple[str, str], Ending]:
    """Method and path template to the ending that an operation's document tells.

    Raises ValueError, with the operation, where a deprecated one does not say since when.
    """
    found = {}
    for template, item in document["paths"].items():
        for method in _METHODS:
            operation: dict[str, Any] = item.get(method) or {}
            if operation.get("deprecated") is not True:
                continue
            try:
                since, until = operation["x-deprecated-at"], operation.get("x-sunset")
                found[method.upper(), template] = ending(since, until, operation.get("x-successor"))
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{method.upper()} {template} is deprecated: {error}") from error
    return found


class Announced:
    """ASGI: a surface whose deprecated operations say so in every answer, refusals too."""

    def __init__(self, surface: Any, endings: Mapping[tuple[str, str], Ending]) -> None:
        self._surface = surface
        self._endings = [(method, _pattern(path), found.headers()) for (method, path), found in endings.items()]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._surface, name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        marks = self._marks(scope)
        await self._surface(scope, receive, marked(send, marks) if marks else send)

    def _marks(self, scope: Scope) -> list[tuple[bytes, bytes]] | None:
        # HEAD is answered as GET is.
        method = "GET" if scope.get("method") == "HEAD" else scope.get("method")
        path = scope["path"].rstrip("/")
        return next(
            (marks for each, pattern, marks in self._endings if each == method and pattern.fullmatch(path)), None
        )


def announced(surface: ASGIApp, document: Mapping[str, Any]) -> Any:
    """The surface itself where nothing of its document is deprecated."""
    endings = endings_of(document)
    return Announced(surface, endings) if endings else surface


def marked(send: Send, marks: list[tuple[bytes, bytes]]) -> Send:
    """Sends with these headers, and without others that say when something ends: a key's own end is not the path's."""

    async def send_marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message["headers"] if pair[0].lower() not in _MARKS]
            message["headers"] = [*kept, *marks]
        await send(message)

    return send_marked


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]*\}", template.rstrip("/"))
    return re.compile("[^/]+".join(map(re.escape, parts)))
