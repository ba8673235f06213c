"""An upstream on a real socket, friendly and hostile, and integrations that call it."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.egress.servers import serving
from tests.runtime.platform import DEFINITIONS, INSTANCES, Platform

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]
CANARY = "s3cret-canary-0123456789"


class Upstream:
    """Answers each request with the next of `answers`, the last one for ever; keeps what it was asked."""

    def __init__(self) -> None:
        self.base = ""
        self.seen: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.answers: list[Answering] = []
        self.atonce = self.most_at_once = 0
        self.status = 200

    def answer(self, *answers: Answering) -> None:
        self.answers = list(answers)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        self.atonce += 1
        self.most_at_once = max(self.most_at_once, self.atonce)
        try:
            self.bodies.append(await request.read())
            answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
            return await answer(request)
        finally:
            self.atonce -= 1


def json(body: Any, status: int = 200, **headers: str) -> Answering:
    async def run(_: web.Request) -> web.Response:
        return web.json_response(body, status=status, headers={n.replace("_", "-"): v for n, v in headers.items()})

    return run


def raw(body: bytes, kind: str = "application/json", status: int = 200, **headers: str) -> Answering:
    async def run(_: web.Request) -> web.Response:
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        return web.Response(body=body, status=status, headers=given | {"Content-Type": kind})

    return run


def after(seconds: float, then: Answering) -> Answering:
    async def run(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await then(request)

    return run


async def slow_body(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"a":')
    await asyncio.sleep(30)
    return response


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    while True:
        await response.write(b" " * 65_536)


async def reset(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "100"})
    await response.prepare(request)
    assert request.transport is not None
    request.transport.abort()
    return response


def bomb() -> Answering:
    return raw(gzip.compress(b" " * 60_000_000, 9), Content_Encoding="gzip")


@asynccontextmanager
async def upstream() -> AsyncIterator[Upstream]:
    made = Upstream()
    async with serving({"/{path:.*}": made.handle}) as base:
        made.base = base
        yield made


def method(name: str = "call", **changes: Any) -> dict[str, Any]:
    return {"name": name, "request": {"method": "GET", "path": "/thing"}} | changes


async def connected(platform: Platform, base: str, *methods: dict[str, Any], **changes: Any) -> str:
    """The path of an instance whose definition has these methods; it is connected."""
    credentials = changes.pop("credentials", None)
    definition = {
        "name": "Upstream", "description": "", "version": "1.0.0", "type": "http", "authType": "none",
        "baseUrl": base, "methods": list(methods),
    } | changes  # fmt: skip
    made = await platform.ok("POST", DEFINITIONS, definition, 201)
    await platform.ok("POST", f"{DEFINITIONS}/{made['id']}/publish")
    body = {"integrationDefinitionId": made["id"], "name": definition["name"], "config": {}}
    found = await platform.ok("POST", INSTANCES, body | ({"credentials": credentials} if credentials else {}), 201)
    assert found["status"] == "CONNECTED"
    return f"{INSTANCES}/{found['id']}"


def execute(one: str, name: str = "call") -> str:
    return f"{one}/methods/{name}/execute"
