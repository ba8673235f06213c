"""A server that sends its events in ways which the protocol allows and the real one never chooses."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs

import strawberry
import uvicorn

from app.assets import PAGE, answer, load_assets

TOKEN = "stub-token"
OPERATIONS = [
    {
        "name": "Ticks",
        "title": "Watch the ticks",
        "domain": "people",
        "query": "subscription Ticks {\n  ticks\n}\n",
        "variables": {},
    },
]


@strawberry.type
class Viewer:
    subject: str
    tenant_id: str
    scopes: list[str]


@strawberry.type
class Query:
    @strawberry.field
    def viewer(self) -> Viewer:
        return Viewer(subject="ada@example.test", tenant_id="acme", scopes=["people:read", "audit:read"])


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> AsyncIterator[int]:
        for number in range(1, 10_000):
            yield number
            await asyncio.sleep(0.02)


class Stub:
    """ASGI application."""

    def __init__(self) -> None:
        self.assets = load_assets()
        self.schema = strawberry.Schema(Query, subscription=Subscription)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        if scope["method"] == "POST" and scope["path"] == PAGE:
            await self.graphql(headers, await read_body(receive), send)
        elif scope["path"] == "/graphql/operations.json":
            await send_json(send, 200, OPERATIONS)
        elif asset := self.assets.get(scope["path"]):
            version = parse_qs(scope["query_string"].decode()).get("v", [None])[0]
            status, out, body = answer(
                scope["path"], asset, version=version, if_none_match=headers.get("if-none-match")
            )
            await send_all(send, status, out, body)
        else:
            await send_json(send, 404, {})

    async def graphql(self, headers: dict[str, str], body: bytes, send: Any) -> None:
        request = json.loads(body)
        run = self.subscribe if headers["accept"] == "text/event-stream" else self.execute
        await run(request, send)

    async def execute(self, request: dict[str, Any], send: Any) -> None:
        result = await self.schema.execute(request["query"], request.get("variables"))
        await send_json(send, 200, as_response(result))

    async def subscribe(self, request: dict[str, Any], send: Any) -> None:
        results: Any = await self.schema.subscribe(request["query"], request.get("variables"))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        async for result in results:
            # A comment and CRLF, which the protocol allows, and two pieces, as a network may cut them.
            event = f": a comment\r\nevent: next\r\ndata: {json.dumps(as_response(result))}\r\n\r\n".encode()
            for piece in (event[:30], event[30:]):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"event: complete\ndata:\n\n"})


def as_response(result: Any) -> dict[str, Any]:
    errors = {"errors": [{"message": error.message} for error in result.errors]} if result.errors else {}
    return {"data": result.data, **errors}


async def read_body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def send_all(send: Any, status: int, headers: dict[str, str], body: bytes) -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def send_json(send: Any, status: int, content: Any) -> None:
    await send_all(send, status, {"Content-Type": "application/json"}, json.dumps(content).encode())


@contextlib.contextmanager
def serve(app: Any) -> Iterator[str]:
    """Run an ASGI application on a free port of 127.0.0.1 in a thread; give its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the stub did not start"
        thread.join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(5)
