"""A thread of one's own: calls made on the event loop run on it, in order, with one hop each way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
_Job = tuple[Callable[..., Any], tuple[Any, ...], "asyncio.Future[Any]"]


class PinnedThread:
    """A call whose caller was cancelled before its turn is not run; one that runs is run to its end."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self.ended = False
        # A daemon, so that a thread that nobody ended never holds up the end of the process.
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def call(self, function: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """The result or the exception of the call; raises RuntimeError once the thread was ended."""
        if self.ended:
            raise RuntimeError("the thread has ended")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put((function, args, future))
        return future

    def end(self) -> None:
        """Let the calls already made run, then no more."""
        self.ended = True
        self._jobs.put(None)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            function, args, future = job
            if future.cancelled():
                continue
            try:
                result, error = function(*args), None
            except BaseException as caught:  # noqa: BLE001 - handed to the caller
                result, error = None, caught
            try:
                future.get_loop().call_soon_threadsafe(_resolve, future, result, error)
            except RuntimeError:
                # The loop has gone, and the caller with it.
                continue
            finally:
                del job, function, args, future, result, error


def _resolve(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
