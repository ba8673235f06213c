"""Stored methods, parted into the text of each without holding the event loop.

To read them as one takes a second where there are thirty megabytes, in one call that nothing interrupts, also in a
thread. So the text is walked method by method, with turns for others between, and a method is read when it is called.
"""

import asyncio
import json
from collections.abc import Iterator

#: Characters between two turns of the others; some milliseconds.
SLICE = 262_144
#: Only its end and its name are wanted; numbers are not worth reading.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


async def texts_by_name(stored: str) -> dict[str, str]:
    """The JSON text of each method by its name, in their order, from the column `methods`."""
    found, turn = {}, SLICE
    for name, start, end in _places(stored):
        found[name] = stored[start:end]
        if end > turn:
            turn = end + SLICE
            await asyncio.sleep(0)
    return found


def _places(stored: str) -> Iterator[tuple[str, int, int]]:
    """Each method's name, and where its text begins and ends."""
    at = _beyond(stored, 0, "[")
    while stored[at] != "]":
        method, end = _DECODER.raw_decode(stored, at)
        yield method["name"], at, end
        at = _beyond(stored, end, ",")


def _beyond(stored: str, at: int, mark: str) -> int:
    """The place of what comes next, behind white space and the mark."""
    while stored[at] in f" \t\r\n{mark}":
        at += 1
    return at
