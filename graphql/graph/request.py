"""What every resolver finds in `info.context`: the operation's Context and the state of one request."""

import asyncio
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, TypeAlias

import strawberry

from app.auth.principal import Principal
from services.access.callers import Credential
from services.context import Context

if TYPE_CHECKING:
    from services.runtime import Runtime


class GraphContext:
    """One GraphQL request. A stream verifies its `credential` again on each event."""

    __slots__ = ("context", "credential", "listening", "loaded", "row_plans", "tasks", "waiting")

    def __init__(self, context: Context, credential: Credential | None = None) -> None:
        self.context, self.credential = context, credential
        #: Set by a stream once what happens from then on is told: until then its caller is not answered.
        self.listening = asyncio.Event()
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
