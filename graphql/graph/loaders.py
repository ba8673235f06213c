"""Loaders for nested edges: keys asked for in one turn of the event loop become one call."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Generic, TypeVar

from graph.request import GraphContext
from services.context import Context

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Fetch = Callable[[Context, list[K]], Awaitable[Mapping[K, V]]]

#: Keys in one call; databases bound the parameters of a statement.
MOST_KEYS = 500


class Loader(Generic[K, V]):
    """A batched, per-request memoised look-up; stateless itself, so it lives at module level."""

    def __init__(self, fetch: Fetch[K, V]) -> None:
        self._fetch = fetch
        self.__doc__ = fetch.__doc__

    def load(self, graph: GraphContext, key: K) -> "asyncio.Future[V | None]":
        """The value of a key, None where `fetch` has none. Raises what `fetch` raises."""
        futures = graph.loaded.setdefault(self, {})
        found = futures.get(key)
        if found is None:
            loop = asyncio.get_running_loop()
            found = futures[key] = loop.create_future()
            if self not in graph.waiting:
                graph.waiting[self] = []
                loop.call_soon(self._dispatch, graph, futures)
            graph.waiting[self].append(key)
        return found

    def _dispatch(self, graph: GraphContext, futures: dict[Hashable, "asyncio.Future[V | None]"]) -> None:
        keys = graph.waiting.pop(self)
        for start in range(0, len(keys), MOST_KEYS):
            asked = {key: futures[key] for key in keys[start : start + MOST_KEYS]}
            task = asyncio.ensure_future(self._answer(graph, asked))
            graph.tasks.add(task)
            task.add_done_callback(graph.tasks.discard)

    async def _answer(self, graph: GraphContext, asked: dict[K, "asyncio.Future[V | None]"]) -> None:
        try:
            found = await self._fetch(graph.context, list(asked))
        except BaseException as error:
            for future in asked.values():
                _fail(future, error)
            if not isinstance(error, Exception):
                raise
        else:
            for key, future in asked.items():
                if not future.done():
                    future.set_result(found.get(key))


def _fail(future: "asyncio.Future[V | None]", error: BaseException) -> None:
    if future.done():
        return
    if isinstance(error, Exception):
        future.set_exception(error)
        future.exception()  # marks it as seen: a sibling's failure may leave nobody to await this one
    else:
        future.cancel()


def loader(fetch: Fetch[K, V]) -> Loader[K, V]:
    """Declare `async (context, keys) -> {key: value}` as a loader; one statement for any number of keys."""
    return Loader(fetch)
