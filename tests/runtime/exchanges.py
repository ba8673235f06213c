"""Exchanges with vendors, as files: what is asked of a method, the request that it must make, and the answer.

tests/runtime/recorded/NOTICE.md says where they are from; `python -m tests.runtime.exchanges` writes its table.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from services.integrations.connectors.files import built_in_definitions
from tests.egress.servers import serving

FOLDER = Path(__file__).with_name("recorded")
NOTICE = FOLDER / "NOTICE.md"
DATA = Path(__file__).parents[1] / "data"
_ORIGIN = re.compile(r"https?://[^/>]+")
_TABLE = "| Definition | Method | From |\n|---|---|---|\n"


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """`path` is below the base URL, as it is sent; `headers` are some of them, in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str] = {}
    body: Any = UNSET


class Given(msgspec.Struct, forbid_unknown_fields=True):
    """The vendor's answer; `kept` names a file below tests/data that is its body."""

    status: int
    headers: dict[str, str]
    body: Any = UNSET
    kept: str | None = None

    @property
    def content(self) -> Any:
        return msgspec.json.decode((DATA / self.kept).read_bytes()) if self.kept else self.body


class Refusal(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The error that the answer must become; `retry_after` in seconds."""

    code: Literal["AUTH_ERROR", "INTEGRATION_ERROR", "RATE_LIMIT_EXCEEDED"]
    message: str | None = None
    retry_after: int | None = None

    @property
    def status(self) -> int:
        return 429 if self.code == "RATE_LIMIT_EXCEEDED" else 502


class Exchange(msgspec.Struct, forbid_unknown_fields=True):
    """One file. Where `result` is absent the result is the answer's body; `follows` names the page before this one."""

    source: str
    method: str
    parameters: dict[str, Any]
    request: Asked
    answer: Given
    result: Any = UNSET
    follows: str | None = None
    error: Refusal | UnsetType = UNSET


def exchanges_of(definition: str) -> dict[str, Exchange]:
    """By the names of their files, without `.json`."""
    files = sorted((FOLDER / definition).glob("*.json"))
    return {path.stem: msgspec.json.decode(path.read_bytes(), type=Exchange) for path in files}


class Vendor:
    """Answers `expected`, and nothing else: any request that is another has its differences put into `faults`."""

    def __init__(self, prefix: str, headers: dict[str, str]) -> None:
        self._prefix, self._headers = prefix, headers
        self.base = ""
        self.expected: Exchange | None = None
        self.faults: list[str] = []
        self.tokens: list[dict[str, Any]] = []
        self.seen: list[web.Request] = []

    async def token(self, request: web.Request) -> web.StreamResponse:
        self.tokens.append(dict(await request.post()))
        return web.json_response({"access_token": "the-token-of-the-client", "token_type": "bearer", "expires_in": 600})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        assert self.expected is not None
        self.seen.append(request)
        faults = [fault async for fault in self._differences(request, self.expected.request)]
        self.faults += faults
        given = self.expected.answer
        if faults:
            return web.json_response({"differs": faults}, status=418)
        headers = {n: _ORIGIN.sub(self.base, text) if n == "link" else text for n, text in given.headers.items()}
        content = given.content
        if content is UNSET:
            return web.Response(status=given.status, headers=headers)
        text = content if isinstance(content, str) else msgspec.json.encode(content).decode()
        return web.Response(status=given.status, headers=headers, text=text)

    async def _differences(self, request: web.Request, asked: Asked) -> AsyncIterator[str]:
        body = await request.read()
        seen = {
            "method": request.method,
            "path": request.rel_url.raw_path,
            "query": sorted(request.query.items()),
            "body": msgspec.json.decode(body) if body else UNSET,
        }
        wanted = {
            "method": asked.method,
            "path": self._prefix + asked.path,
            "query": sorted(asked.query.items()),
            "body": asked.body,
        }
        for name, value in wanted.items():
            if seen[name] != value:
                yield f"{name} is {seen[name]}, and not {value}"
        for name, text in (self._headers | asked.headers).items():
            if request.headers.get(name) != text:
                yield f"header {name} is {request.headers.get(name)}, and not {text}"


@asynccontextmanager
async def vendor(prefix: str, headers: dict[str, str]) -> AsyncIterator[Vendor]:
    made = Vendor(prefix, headers)
    async with serving({"/oauth/token": made.token, "/{path:.*}": made.answer}) as base:
        made.base = base
        yield made


def table() -> str:
    """Where the exchanges of each method are from."""
    lines = []
    for definition in built_in_definitions():
        known = exchanges_of(definition.name).values()
        for method in definition.methods:
            sources = sorted({each.source for each in known if each.method == method.name})
            lines.append(f"| {definition.name} | `{method.name}` | {', '.join(sources) or 'a real server'} |\n")
    return _TABLE + "".join(lines)


def notice() -> str:
    """The page as it must be: its own text, and the table."""
    return NOTICE.read_text().partition(_TABLE)[0] + table()


if __name__ == "__main__":
    NOTICE.write_text(notice())
