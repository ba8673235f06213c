"""One WebSocket of graphql-transport-ws, from `connection_init` to its close."""

import asyncio
from contextlib import aclosing
from typing import Any, Literal

import msgspec
from graphql import GraphQLSchema

from app.endings import ended
from app.errors import DomainError, QueryTooComplex, Unavailable
from graph.admission import Admission
from graph.documents import DocumentRefused
from graph.errors import refusal, unexpected
from graph.running import NotExecuted, run_stream
from graph.wire import GraphqlRequest, Receive, Scope, Send, request_id_of
from services.access.callers import Credential, credential

#: Operations at once on one socket.
MOST_OPERATIONS = 50

Kind = Literal["connection_init", "ping", "pong", "subscribe", "complete"]


class Said(msgspec.Struct, frozen=True):
    """A message of the client."""

    type: Kind
    id: str | None = None
    payload: msgspec.Raw = msgspec.Raw()


class Closed(Exception):
    """The socket is to be closed by us; codes are the protocol's."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


_messages = msgspec.json.Decoder(Said)


def _payload(raw: msgspec.Raw, kind: Any) -> Any:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, RecursionError):
        raise Closed(4400, "The payload is not valid") from None


class Socket:
    """The state of one connection; each operation is a task under its id."""

    init_seconds = 10.0
    most_bytes = 1_048_576

    def __init__(self, schema: GraphQLSchema, admission: Admission, scope: Scope, receive: Receive, send: Send) -> None:
        self._schema, self._admission = schema, admission
        self._receive, self._raw_send = receive, send
        self._scope, self._request_id = scope, request_id_of(scope)
        self._credential: Credential | None = None
        self._started = False
        self._closed = False
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Serve until either side closes; every operation's generators have ended then."""
        waiting = asyncio.ensure_future(self._expect_init())
        try:
            while (said := await self._next()) is not None:
                await self._heed(said)
        except Closed as closed:
            await self._close(closed.code, closed.reason)
        finally:
            self._closed = True
            waiting.cancel()
            await self._end_all()

    async def leave(self) -> None:
        """Complete every operation and close: the server stops."""
        ids = list(self._tasks)
        await self._end_all()
        for operation_id in ids:
            await self._say("complete", operation_id)
        await self._close(1001, "The server stops")

    async def _expect_init(self) -> None:
        await asyncio.sleep(self.init_seconds)
        if not self._started:
            await self._close(4408, "Connection initialisation timeout")

    async def _next(self) -> Said | None:
        message = await self._receive()
        if message["type"] == "websocket.disconnect" or self._closed:
            return None
        text = message.get("text")
        if text is None:
            raise Closed(4400, "Messages are JSON text")
        if len(text.encode("utf-8", "surrogatepass")) > self.most_bytes:
            raise Closed(1009, "The message is too big")
        try:
            return _messages.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            raise Closed(4400, "The message is not of this protocol") from None

    async def _heed(self, said: Said) -> None:
        if said.type == "connection_init":
            await self._init(said)
        elif said.type == "ping":
            await self._say("pong")
        elif said.type == "subscribe":
            await self._subscribe(said)
        elif said.type == "complete" and said.id is not None:
            await self._end(said.id)

    async def _init(self, said: Said) -> None:
        if self._started:
            raise Closed(4429, "Too many initialisation requests")
        self._started = True
        given = _payload(said.payload, dict[str, Any] | None) if bytes(said.payload) else None
        offered = {name.lower(): value for name, value in (given or {}).items() if isinstance(value, str)}
        try:
            given = credential(self._scope, offered.get("authorization"))
            await self._admission.authenticate(given, self._request_id)
        except Unavailable:
            raise Closed(1013, "Try again later") from None
        except DomainError:
            raise Closed(4403, "Forbidden") from None
        self._credential = given
        await self._say("connection_ack")

    async def _subscribe(self, said: Said) -> None:
        if self._credential is None:
            raise Closed(4401, "Unauthorized")
        if not said.id:
            raise Closed(4400, "A subscription needs an id")
        if said.id in self._tasks:
            raise Closed(4409, f"Subscriber for {said.id[:80]} already exists")
        request = _payload(said.payload, GraphqlRequest)
        if len(self._tasks) >= MOST_OPERATIONS:
            error = QueryTooComplex(f"A socket carries at most {MOST_OPERATIONS} operations at once.")
            await self._say("error", said.id, [refusal(error, self._request_id)])
            return
        self._tasks[said.id] = asyncio.ensure_future(self._operate(said.id, self._credential, request))

    async def _operate(self, operation_id: str, given: Credential, request: GraphqlRequest) -> None:
        try:
            entries = await self._answer(operation_id, given, request)
        finally:
            self._tasks.pop(operation_id, None)
        if entries is None:
            await self._say("complete", operation_id)
        else:
            await self._say("error", operation_id, entries)

    async def _answer(
        self, operation_id: str, given: Credential, request: GraphqlRequest
    ) -> list[dict[str, Any]] | None:
        """Send every answer; the errors that ended the operation, or None where it is complete."""
        try:
            # Each operation has a Context of its own, with the credential as it stands now.
            graph = await self._admission.authenticate(given, self._request_id)
            admitted = await self._admission.admit(graph, request)
            async with aclosing(run_stream(self._schema, admitted)) as answers:
                async for content in answers:
                    await self._say("next", operation_id, content)
        except DocumentRefused as refused:
            return refused.entries(self._request_id)
        except NotExecuted as refused:
            return refused.entries
        except DomainError as error:
            return [refusal(error, self._request_id)]
        except Exception as error:  # noqa: BLE001 - the last resort: masked and logged
            return [unexpected(error, self._request_id, "a GraphQL operation failed")]
        return None

    async def _end(self, operation_id: str) -> None:
        task = self._tasks.pop(operation_id, None)
        if task is not None:
            await ended(task)

    async def _end_all(self) -> None:
        tasks = list(self._tasks.values())
        self._tasks.clear()
        await ended(*tasks)

    async def _say(self, kind: str, operation_id: str | None = None, payload: Any = msgspec.UNSET) -> None:
        if self._closed:
            return
        message: dict[str, Any] = {"type": kind}
        if operation_id is not None:
            message["id"] = operation_id
        if payload is not msgspec.UNSET:
            message["payload"] = payload
        await self._send({"type": "websocket.send", "text": msgspec.json.encode(message).decode()})

    async def _close(self, code: int, reason: str) -> None:
        if not self._closed:
            self._closed = True
            await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def _send(self, event: dict[str, Any]) -> None:
        try:
            await self._raw_send(event)
        except OSError:
            # The client has gone (ASGI: `send` raises it then); `receive` says so next.
            self._closed = True
