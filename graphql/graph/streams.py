"""Streams that stop when the caller may no longer listen."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, TypeVar, cast

from app.clock import SECOND
from app.endings import ended
from app.errors import InvalidToken
from graph.request import GraphContext
from services.access.callers import identify
from services.operations import check_scope, declared

T = TypeVar("T")

#: A stream without events looks at its caller as often: the clock may have jumped, a role may be gone.
LOOK_AGAIN_SECONDS = 60.0
_NO_MORE = object()


async def guarded(
    graph: GraphContext, operation: Callable[..., object], stream: AsyncGenerator[T, None]
) -> AsyncGenerator[T, None]:
    """The events of `stream` for as long as the token is valid and carries the operation's scope.

    Raises InvalidToken or ScopeDenied in place of the event that the caller may not see, and where no event comes,
    when the token ends; `stream` is closed then, and when the listener goes away.
    """
    async with aclosing(stream):
        await _admit(graph, operation)
        while True:
            following = asyncio.ensure_future(_next(stream))
            try:
                while not (await asyncio.wait({following}, timeout=_patience(graph)))[0]:
                    await _admit(graph, operation)
                event = following.result()
            finally:
                # An abandoned `anext` runs its generator's `finally` before the generator is closed.
                await ended(following)
            if event is _NO_MORE:
                return
            await _admit(graph, operation)
            graph.forget_loaded()
            yield cast(T, event)


async def _next(stream: AsyncGenerator[T, None]) -> T | object:
    return await anext(stream, _NO_MORE)


def _patience(graph: GraphContext) -> float:
    """Seconds until the caller is looked at again: when the token ends, but by a clock that may jump."""
    until = graph.viewer.until
    if until is None:
        return LOOK_AGAIN_SECONDS
    left = (until - graph.runtime.clock.now_ms()) / SECOND
    return min(LOOK_AGAIN_SECONDS, max(0.0, left) + 0.001)


async def _admit(graph: GraphContext, operation: Callable[..., Any]) -> None:
    context = graph.context
    if graph.credential is not None:
        principal = await identify(context.runtime, graph.credential, "graphql", context.request_id)
        if (principal.tenant, principal.subject) != (context.principal.tenant, context.principal.subject):
            raise InvalidToken("The bearer token is another caller's now.")
        context.principal = principal
    await check_scope(context, declared(operation))
