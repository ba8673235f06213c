"""What every resolver finds in `info.context`: the operation's Context and the state of one request."""

import asyncio
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, TypeAlias

import strawberry

from app.auth.principal import Principal
from services.context import Context

if TYPE_CHECKING:
    from services.runtime import Runtime


class GraphContext:
    """One GraphQL request. `token` is the bearer token as it was sent; a stream verifies it again on each event."""

    __slots__ = ("context", "loaded", "row_plans", "tasks", "token", "waiting")

    def __init__(self, context: Context, token: str | None = None) -> None:
        self.context, self.token = context, token
        self.loaded: dict[object, dict[Hashable, asyncio.Future[Any]]] = {}
        self.waiting: dict[object, list[Any]] = {}
        #: Plans of the document that is run, kept with it; see graph.compiled.
        self.row_plans: dict[Any, Any] | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    @property
    def viewer(self) -> Principal:
        return self.context.principal

    @property
    def runtime(self) -> "Runtime":
        return self.context.runtime

    def forget_loaded(self) -> None:
        """The next event of a stream reads everything anew."""
        self.loaded.clear()


#: The type of `info` in a resolver.
Info: TypeAlias = strawberry.Info[GraphContext, None]
