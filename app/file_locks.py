"""Locks between processes on open files, waited for without standing in the way of anything else.

The kernel lets go of a lock with the process that has it; one that stands still keeps it.
"""

import asyncio
import fcntl

_LOOK_AGAIN_SECONDS = 0.05


async def take_file_lock(descriptor: int) -> None:
    """Returns when this process has it; the caller bounds the wait. It is let go of where the file is closed."""
    while not _taken(descriptor):  # noqa: ASYNC110 - the other is another process
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
