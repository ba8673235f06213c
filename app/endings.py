"""Tasks that are told to end and do, also where the cancellation is lost on its way.

`asyncio.wait_for` loses one that meets its result (before Python 3.12; the Redis driver sends every command through
it), and an error that is raised while cancelled code cleans up takes its place. A task that goes on for ever asks
`told_to_end` before each round; one that others end is ended with `ended`.
"""

from __future__ import annotations

import asyncio
from typing import Any

#: Long enough for what a task cleans up; then its cancellation is taken for lost.
_AGAIN_SECONDS = 1.0


def told_to_end() -> bool:
    """Whether this task was cancelled, even where nothing came of it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def ended(*tasks: asyncio.Future[Any], again_seconds: float = _AGAIN_SECONDS) -> None:
    """Cancel the tasks, again and again, until all have ended; where the caller is cancelled meanwhile, after that.

    Not for a task whose clean-up must not be cut off when it takes longer than `again_seconds`.
    """
    told = False
    while going_on := [task for task in tasks if not task.done()]:
        for task in going_on:
            task.cancel()
        try:
            await asyncio.wait(going_on, timeout=again_seconds)
        except asyncio.CancelledError:
            told = True
    if told:
        raise asyncio.CancelledError
