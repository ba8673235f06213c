"""Loaders for nested edges: keys asked for in one turn of the event loop become one call."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Any, Generic, TypeVar
from uuid import UUID

from graph.request import GraphContext
from services.context import Context

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Fetch = Callable[[Context, list[K]], Awaitable[Mapping[K, V]]]
#: `async (context, keys, columns?) -> rows`, each with these columns, or with all.
Read = Callable[..., Awaitable[list[Any]]]

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


class RowLoader(Loader[UUID, Any]):
    """A loader of rows by the value of one column, their `owner`; with `many` each owner has a list of them.

    Beside the look-up of one key it gives the rows of many at once, with the columns that are wanted.
    """

    def __init__(self, read: Read, owner: str, *, many: bool) -> None:
        super().__init__(self._by_owner)
        self._read, self._owner, self._many = read, owner, many
        self.__doc__ = read.__doc__

    async def _by_owner(self, context: Context, keys: list[UUID]) -> Mapping[UUID, Any]:
        rows = await self._read(context, keys)
        if not self._many:
            return {row[self._owner]: row for row in rows}
        found: dict[UUID, list[Any]] = defaultdict(list)
        for row in rows:
            found[row[self._owner]].append(row)
        return found

    def rows(
        self, graph: GraphContext, keys: tuple[UUID, ...], columns: tuple[str, ...]
    ) -> "asyncio.Future[list[Any]]":
        """All rows of these keys, each with these columns and its owner behind them. Raises what `read` raises.

        What failed for all fails for each: `load` does not ask again.
        """
        asked = graph.loaded.setdefault((self, columns), {})
        if keys not in asked:
            task = asked[keys] = asyncio.ensure_future(self._all(graph, keys, (*columns, self._owner)))
            task.add_done_callback(_seen)
        return asked[keys]

    async def _all(self, graph: GraphContext, keys: tuple[UUID, ...], columns: tuple[str, ...]) -> list[Any]:
        found: list[Any] = []
        try:
            for start in range(0, len(keys), MOST_KEYS):
                found += await self._read(graph.context, list(keys[start : start + MOST_KEYS]), columns)
        except Exception as error:
            futures = graph.loaded.setdefault(self, {})
            for key in keys:
                _fail(futures.setdefault(key, asyncio.get_running_loop().create_future()), error)
            raise
        return found


def _seen(task: "asyncio.Future[Any]") -> None:
    """A sibling's failure may leave nobody to await this one."""
    if not task.cancelled():
        task.exception()


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
