"""Streams that stop when the caller may no longer listen."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, TypeVar

from app.errors import InvalidToken
from graph.request import GraphContext
from services.access.callers import identify
from services.operations import check_scope, declared

T = TypeVar("T")


async def guarded(
    graph: GraphContext, operation: Callable[..., object], stream: AsyncGenerator[T, None]
) -> AsyncGenerator[T, None]:
    """The events of `stream` for as long as the token is valid and carries the operation's scope.

    Raises InvalidToken or ScopeDenied in place of the event that the caller may not see; `stream` is closed then,
    and when the listener goes away.
    """
    async with aclosing(stream):
        await _admit(graph, operation)
        async for event in stream:
            await _admit(graph, operation)
            graph.forget_loaded()
            yield event


async def _admit(graph: GraphContext, operation: Callable[..., Any]) -> None:
    context = graph.context
    if graph.credential is not None:
        principal = await identify(context.runtime, graph.credential, "graphql", context.request_id)
        if (principal.tenant, principal.subject) != (context.principal.tenant, context.principal.subject):
            raise InvalidToken("The bearer token is another caller's now.")
        context.principal = principal
    await check_scope(context, declared(operation))
