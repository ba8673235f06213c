"""Clients of the ASGI application: HTTP by httpx, WebSocket and server-sent events by hand."""

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any

import httpx

from graph.server import GraphqlServer
from tests.graphql import toys


def page(scope: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "text/html"}, b"<!doctype html>"


def server(runtime: Any = None, folder: Any = None, **settings: Any) -> GraphqlServer:
    from pathlib import Path

    nowhere = Path(__file__).parent / "no-such-folder"
    return GraphqlServer(runtime or toys.runtime(**settings), toys.toy_schema(), page, folder or nowhere)


@asynccontextmanager
async def http(app: GraphqlServer, token: str | None = "reader"):  # type: ignore[no-untyped-def]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://dovetail.test", headers=headers) as client:
        yield client


async def ask(app: GraphqlServer, query: str, token: str | None = "reader", **given: Any) -> httpx.Response:
    accept = given.pop("accept", "application/graphql-response+json")
    async with http(app, token) as client:
        return await client.post("/graphql", json={"query": query, **given}, headers={"Accept": accept})


class Peer:
    """One raw ASGI connection: what the application is told, and what it says."""

    def __init__(self, app: Any, scope: dict[str, Any]) -> None:
        self.to_app: asyncio.Queue[Any] = asyncio.Queue()
        self.from_app: asyncio.Queue[Any] = asyncio.Queue()
        self.task = asyncio.ensure_future(app(scope, self.to_app.get, self.from_app.put))

    async def heard(self) -> Any:
        async with asyncio.timeout(60):
            return await self.from_app.get()


class SocketPeer(Peer):
    def __init__(self, app: Any, *, protocols: Any = ("graphql-transport-ws",), origin: str | None = None) -> None:
        headers = [(b"host", b"dovetail.test")] + ([(b"origin", origin.encode())] if origin else [])
        super().__init__(
            app, {"type": "websocket", "path": "/graphql", "subprotocols": list(protocols), "headers": headers}
        )
        self.to_app.put_nowait({"type": "websocket.connect"})

    def say(self, **message: Any) -> None:
        self.to_app.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    async def said(self) -> Any:
        message = await self.heard()
        return json.loads(message["text"]) if message["type"] == "websocket.send" else message

    async def ready(self, token: str = "writer") -> "SocketPeer":
        assert (await self.heard())["type"] == "websocket.accept"
        self.say(type="connection_init", payload={"Authorization": f"Bearer {token}"})
        assert (await self.said()) == {"type": "connection_ack"}
        return self

    async def closed(self) -> int:
        message = await self.heard()
        assert message["type"] == "websocket.close", message
        self.to_app.put_nowait({"type": "websocket.disconnect", "code": message["code"]})
        await self.task
        return int(message["code"])

    async def gone(self) -> None:
        self.to_app.put_nowait({"type": "websocket.disconnect", "code": 1005})
        await self.task


class StreamPeer(Peer):
    def __init__(self, app: Any, query: str, token: str = "writer") -> None:
        headers = [
            (b"authorization", f"Bearer {token}".encode()),
            (b"accept", b"text/event-stream"),
            (b"content-type", b"application/json"),
        ]
        super().__init__(app, {"type": "http", "method": "POST", "path": "/graphql", "headers": headers})
        body = json.dumps({"query": query}).encode()
        self.to_app.put_nowait({"type": "http.request", "body": body})

    async def event(self) -> str:
        return (await self.heard())["body"].decode()

    async def gone(self) -> None:
        self.to_app.put_nowait({"type": "http.disconnect"})
        await self.task
