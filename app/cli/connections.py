"""Connections with limits: who sends slowly, sends too much of a head, or does not read, is cut off.

A proxy in front has limits of its own; these hold where there is none.
"""

from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

#: What the application leaves in the state of its lifespan: a call that completes its streams.
END_STREAMS = "end_streams"
#: From the first byte of a request, or from the connection, to the end of its headers.
HEAD_SECONDS = 20.0
#: From the end of the headers to the end of the body.
BODY_SECONDS = 60.0
#: How long what was sent may wait for a reader.
UNREAD_SECONDS = 60.0
#: How long a server that stops waits for a request that is on its way on a connection that is kept.
LAST_SECONDS = 0.2
#: The request line and the headers.
MOST_HEAD_BYTES = 65_536

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 34\r\nconnection: close\r\n\r\nThe head of the request is large.\n"
)


class Deadline:
    """At most one timer, that ends a connection without another word."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._timer: TimerHandle | None = None

    def begin(self, seconds: float) -> None:
        self.end()
        self._timer = self._protocol.loop.call_later(seconds, self._cut)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut(self) -> None:
        self._timer = None
        self._protocol.transport.abort()


class ReadInTime:
    """What is cut where that which was sent is not read; of a protocol of uvicorn, whose calls it goes before."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unread = Deadline(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._unread.end()
        super().connection_lost(exc)  # type: ignore[misc]

    def pause_writing(self) -> None:
        super().pause_writing()  # type: ignore[misc]
        self._unread.begin(UNREAD_SECONDS)

    def resume_writing(self) -> None:
        super().resume_writing()  # type: ignore[misc]
        self._unread.end()


class HttpConnection(ReadInTime, HttpToolsProtocol):
    """HTTP/1.1 with limits on the time and the size of a request's head, its body, and unread answers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sending = Deadline(self)
        self._last: TimerHandle | None = None
        self._in_head = True
        self._head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._sending.begin(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._sending.end()
        if self._last is not None:
            self._last.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes = False, 0
        self._sending.begin(BODY_SECONDS)
        super().on_headers_complete()
        if self._last is not None and self.cycle is not None:
            self._last.cancel()
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        self._in_head = True
        self._sending.end()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_head and not self.transport.is_closing():
            self._sending.begin(HEAD_SECONDS)

    def handle_websocket_upgrade(self) -> None:
        self._sending.end()
        if self._last is not None:
            self.transport.close()
            return
        super().handle_websocket_upgrade()

    def shutdown(self) -> None:
        """A request that is on its way is answered too, as the last: one that is cut off may have been done or not."""
        if END_STREAMS in self.app_state:
            self.app_state[END_STREAMS]()
        if self.cycle is None or self.cycle.response_complete:
            self._last = self.loop.call_later(LAST_SECONDS, self.transport.close)
        else:
            super().shutdown()


class SocketConnection(ReadInTime, WebSocketsSansIOProtocol):
    """A WebSocket that is cut where its messages are not read."""

    def shutdown(self) -> None:
        if END_STREAMS in self.app_state:
            # The application completes its operations, and closes by itself.
            self.app_state[END_STREAMS]()
        else:
            super().shutdown()
