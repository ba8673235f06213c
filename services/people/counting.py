"""Hits counted on the loop in slices, so that nobody waits for the whole of a search.

A thread would not do: what it runs holds the interpreter, and each step of each other request would wait for it anew.
"""

import asyncio
from array import array
from time import perf_counter

from services.people.blocks import Blocks
from services.people.held_texts import Needle

#: How long is counted at a time.
_SLICE_SECONDS = 0.002


async def count_hits(blocks: Blocks, query: str, turn: asyncio.Lock) -> "array[int] | None":
    """How many hits each block has, exact at the return; None where texts are missing that would have to be looked at.

    One search is counted at a time (`turn`): of two for the same query the second finds what the first has counted.
    """
    known = blocks.hits_of(query)
    if known is not None:
        return known
    async with turn:
        known = blocks.hits_of(query)
        if known is not None:
            return known
        texts = [one for one in blocks.texts if one is not None]
        if len(texts) < len(blocks.texts):
            return None
        bound, needle = blocks.bound_of(query), Needle.of(query)
        with blocks.counting(query) as hits:
            until = perf_counter() + _SLICE_SECONDS
            for place, text in enumerate(texts):
                if bound is None or bound[place]:
                    hits[place] = text.count(needle)
                if perf_counter() > until:
                    await asyncio.sleep(0)
                    until = perf_counter() + _SLICE_SECONDS
        return hits
