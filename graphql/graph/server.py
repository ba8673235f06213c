"""`/graphql` as an ASGI application: queries and mutations by POST, streams by SSE and WebSocket, the page by GET."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import strawberry

from app.errors import DomainError, MethodNotAllowed, NotFound, QueryRefused, Unavailable, UnsupportedMediaType
from graph.admission import Admission, Admitted, BudgetSpent
from graph.documents import DocumentRefused, Documents
from graph.errors import is_unavailable, unexpected
from graph.manifest import load_manifest
from graph.request import GraphContext
from graph.running import NotExecuted, run, run_stream
from graph.schema import core
from graph.sse import EventStreams
from graph.websockets import WebSockets
from graph.wire import (
    EVENT_STREAM,
    GRAPHQL_JSON,
    PLAIN_JSON,
    Receive,
    Reply,
    Scope,
    Send,
    header,
    json_reply,
    limit_headers,
    media_types,
    read_body,
    read_request,
    refused,
    request_id_of,
    send_reply,
)
from services.access.callers import credential
from services.idempotency import HEADER

if TYPE_CHECKING:
    from services.runtime import Runtime

#: Answers a GET for the page: status, headers, body.
Page = Callable[[Scope], tuple[int, Mapping[str, str], bytes]]
LISTING = "/graphql/operations.json"
_PATH = "/graphql"
_ALLOWED = {_PATH: "GET, HEAD, OPTIONS, POST", LISTING: "GET, HEAD, OPTIONS"}


class GraphqlServer:
    """One schema over one runtime. `stop` completes every stream before the process ends."""

    def __init__(self, runtime: "Runtime", schema: strawberry.Schema, page: Page, folder: Path | None = None) -> None:
        self._runtime, self._schema, self._page = runtime, core(schema), page
        self.documents = Documents(self._schema)
        self.manifest = load_manifest(self.documents, folder)
        self._admission = Admission(runtime, self.documents, self.manifest)
        self.event_streams = EventStreams()
        self.web_sockets = WebSockets(self._schema, self._admission, runtime.settings)

    async def stop(self) -> None:
        """Neither kind waits for the other, nor for long: a client that does not read holds nobody up."""
        await asyncio.gather(self.web_sockets.stop(), self.event_streams.stop())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.web_sockets.serve(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], _PATH if scope["path"].rstrip("/") == _PATH else scope["path"]
        if path not in _ALLOWED:
            await send_reply(send, refused(NotFound(), request_id_of(scope), PLAIN_JSON), head=method == "HEAD")
        elif method == "POST" and path == _PATH:
            await self._post(scope, receive, send)
        elif method in ("GET", "HEAD"):
            await send_reply(send, self._get(scope, path), head=method == "HEAD")
        elif method == "OPTIONS":
            await send_reply(send, Reply(204, {"Allow": _ALLOWED[path]}, b""))
        else:
            await send_reply(send, self._not_allowed(scope, path))

    def _get(self, scope: Scope, path: str) -> Reply:
        if path == LISTING:
            headers = {"Content-Type": "application/json", "Cache-Control": "no-cache"}
            return Reply(200, headers, self.manifest.listing)
        if EVENT_STREAM in media_types(scope):
            return self._not_allowed(scope, path)
        return Reply(*self._page(scope))

    def _not_allowed(self, scope: Scope, path: str) -> Reply:
        return refused(MethodNotAllowed(), request_id_of(scope), _media(scope), {"Allow": _ALLOWED[path]})

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id, media = request_id_of(scope), _media(scope)
        headers: dict[str, str] = {}
        try:
            admitted = await self._admitted(scope, receive, request_id)
            if admitted is None:
                return
            headers = limit_headers(admitted.verdict, self._runtime.clock)
            if EVENT_STREAM in media_types(scope):
                answers, listening = run_stream(self._schema, admitted), admitted.graph.listening
                await self.event_streams.serve(answers, receive, send, headers, listening)
                return
            reply = await self._executed(admitted, media, headers)
        except DocumentRefused as error:
            reply = json_reply(error.error.status, {"errors": error.entries(request_id)}, media)
        except NotExecuted as error:
            reply = json_reply(400, {"errors": error.entries}, media, headers)
        except DomainError as error:
            spent = limit_headers(error.verdict, self._runtime.clock) if isinstance(error, BudgetSpent) else headers
            reply = refused(error, request_id, media, spent)
        except Exception as error:  # noqa: BLE001 - the last resort: masked and logged
            entry = unexpected(error, request_id, "a GraphQL request failed")
            reply = json_reply(500, {"errors": [entry]}, media)
        await send_reply(send, reply)

    async def _admitted(self, scope: Scope, receive: Receive, request_id: str) -> Admitted | None:
        """None where the client went away before its request was read."""
        given = credential(scope, header(scope, b"authorization"))
        graph: GraphContext = await self._admission.authenticate(given, request_id)
        content_type = (header(scope, b"content-type") or "").partition(";")[0].strip().lower()
        if content_type != PLAIN_JSON:
            raise UnsupportedMediaType
        key = header(scope, HEADER.lower().encode())
        body = await read_body(scope, receive, self._runtime.settings.max_body_bytes)
        return None if body is None else await self._admission.admit(graph, read_request(body), key)

    async def _executed(self, admitted: Admitted, media: str, headers: Mapping[str, str]) -> Reply:
        if admitted.operation.kind == "subscription":
            raise QueryRefused("A subscription needs `Accept: text/event-stream`, or a WebSocket.")
        content: Any = await run(self._schema, admitted)
        headers = {**headers, **limit_headers(admitted.verdict, self._runtime.clock)}
        if is_unavailable(content):
            # A field that may be null left its null behind; a status that is no 2xx goes with no data at all.
            return json_reply(
                503, {**content, "data": None}, media, {**headers, "Retry-After": str(Unavailable.RETRY_AFTER)}
            )
        if content["extensions"].get("idempotency", {}).get("replayed"):
            headers["Idempotency-Replayed"] = "true"
        return json_reply(200, content, media, headers)


def _media(scope: Scope) -> str:
    return GRAPHQL_JSON if GRAPHQL_JSON in media_types(scope) else PLAIN_JSON
