"""Server-sent events, the "distinct connections" mode of GraphQL over SSE: one request, one stream."""

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import msgspec

from app.endings import ended
from graph.running import NotExecuted
from graph.wire import Receive, Send, raw_headers

#: Proxies close what is silent for longer.
KEEP_ALIVE_SECONDS = 15.0

Answers = AsyncGenerator[dict[str, Any], None]

_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


class EventStreams:
    """All open event streams of a server."""

    def __init__(self, keep_alive: float = KEEP_ALIVE_SECONDS) -> None:
        self._keep_alive = keep_alive
        self._stopping = asyncio.Event()
        self._open: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._open)

    async def stop(self) -> None:
        """Complete every stream."""
        self._stopping.set()
        if self._open:
            await asyncio.wait(set(self._open), timeout=5)

    async def serve(
        self, answers: Answers, receive: Receive, send: Send, headers: Mapping[str, str], listening: asyncio.Event
    ) -> None:
        """Send every answer as `next`, then `complete`; ends `answers` when the client goes away.

        The head goes out when the stream is `listening`, or its first answer is there: who has it misses no event.
        """
        head = {"type": "http.response.start", "status": 200, "headers": raw_headers({**_HEADERS, **headers})}
        begun = asyncio.ensure_future(listening.wait())
        ends: set[asyncio.Future[Any]] = {
            asyncio.ensure_future(_disconnected(receive)),
            asyncio.ensure_future(self._stopping.wait()),
        }
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            async with aclosing(answers):
                gone = await self._pump(answers, send, ends, (head, begun))
            if not gone:
                await _event(send, b"event: complete\ndata:\n\n", more=False)
        finally:
            self._open.discard(task)
            for end in (*ends, begun):
                end.cancel()

    async def _pump(
        self,
        answers: Answers,
        send: Send,
        ends: set[asyncio.Future[Any]],
        first: tuple[dict[str, Any], asyncio.Future[Any]] | None,
    ) -> bool:
        """Whether the client went away before the stream was complete."""
        while True:
            following = asyncio.ensure_future(anext(answers, None))
            try:
                if first is not None:
                    head, begun = first
                    # A proxy waits for a head no longer than for anything else.
                    await asyncio.wait({following, begun, *ends}, timeout=self._keep_alive, return_when=FIRST_COMPLETED)
                    await send(head)
                    first = None
                if not await self._until(following, send, ends):
                    return not self._stopping.is_set()
                content = following.result()
            except NotExecuted as refused:
                content = {"errors": refused.entries}
                await _event(send, _next(content))
                return False
            finally:
                await ended(following)
            if content is None:
                return False
            await _event(send, _next(content))

    async def _until(self, following: asyncio.Future[Any], send: Send, ends: set[asyncio.Future[Any]]) -> bool:
        """Wait for what follows, with a comment now and then; False where the stream is to end instead."""
        while not following.done():
            done, _ = await asyncio.wait({following, *ends}, timeout=self._keep_alive, return_when=FIRST_COMPLETED)
            if done & ends:
                return False
            if not done:
                await _event(send, b":\n\n")
        return True


def _next(content: Any) -> bytes:
    return b"event: next\ndata: " + msgspec.json.encode(content) + b"\n\n"


async def _event(send: Send, text: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": text, "more_body": more})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
