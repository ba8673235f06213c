"""The listed order of one tenant's people as it is held in memory, and the pages that are read by it.

It is true as of one change of the tenant (services.changes). Each page asks in its own statement which change is the
last; where that is another one, the moves since are taken in and the page is read again. So answers are as exact as
a plain count and OFFSET, and no process tells another anything.
"""

import asyncio
from array import array
from collections.abc import Sequence
from uuid import UUID

import structlog

from app.database import Database, Row
from app.endings import ended
from app.errors import Unavailable
from services.paging import Listing, OffsetPage
from services.people.blocks import Blocks, locate
from services.people.counting import count_hits
from services.people.moves import moves_since
from services.people.order_rows import cut, head_of, keyed_rows, rows_from, rows_named, texts_between

LOG = structlog.get_logger("dovetail.ordering")
#: How long a search waits for the texts of a tenant that was not searched before.
_PATIENCE_SECONDS = 1.0
_TRIES = 4
_AT_ONCE = 4


class HeldOrder:
    """Blocks are cut at the first use and cut anew where too much has moved; texts are read at the first search."""

    def __init__(self, database: Database, tenant: UUID, block_size: int, turn: asyncio.Lock) -> None:
        self._database, self._tenant, self._block_size, self._turn = database, tenant, block_size, turn
        self._changing = asyncio.Lock()
        self._loading: asyncio.Task[bool] | None = None
        self.blocks: Blocks | None = None

    async def close(self) -> None:
        """Stop what is being read."""
        if self._loading is not None:
            await ended(self._loading)
            await asyncio.gather(self._loading, return_exceptions=True)

    def warm(self) -> None:
        """Begin to read everything, so that the first deep page and the first search find it there."""
        if self._loading is None:
            self._loading = asyncio.create_task(self._load(None))

    async def page(self, listing: Listing, offset: int, size: int) -> OffsetPage | None:
        """The rows from `offset` (from 0), and the total; None where the order changes quicker than it is read."""
        for _ in range(_TRIES):
            blocks = await self._cut()
            at, total = blocks.at, blocks.total
            found = locate(blocks.counts, offset)
            rows: list[Row] = []
            if found is not None:
                first = blocks.firsts[found[0]]
                rows = await rows_from(self._database, self._tenant, listing, first, found[1], size)
            if await self._still(at, rows):
                return OffsetPage(rows, total)
        return None

    async def search(self, listing: Listing, query: str, offset: int, size: int) -> OffsetPage | None:
        """The same for people whose search text holds the (folded) query; None also while texts are being read."""
        for _ in range(_TRIES):
            blocks = await self._cut()
            if not blocks.knows(query) and not await self._loaded(blocks):
                return None
            hits, at = await count_hits(blocks, query, self._turn), blocks.at
            orcid_ids = None if hits is None else await self._matching(blocks, query, hits, offset, size)
            if hits is None or orcid_ids is None or blocks.at != at:
                continue
            total = sum(hits)
            rows = await rows_named(self._database, self._tenant, listing, orcid_ids) if orcid_ids else []
            if await self._still(at, rows) and len(rows) == len(orcid_ids):
                return OffsetPage(rows, total)
        return None

    async def _cut(self) -> Blocks:
        if self.blocks is None:
            async with self._changing:
                if self.blocks is None:
                    self.blocks = await cut(self._database, self._tenant, self._block_size)
        return self.blocks

    async def _still(self, at: int, rows: Sequence[Row]) -> bool:
        """Whether the rows are of the change that was reckoned with; if not, what moved since is taken in."""
        head = int(rows[0]["_head"]) if rows else await head_of(self._database, self._tenant)
        if head == at:
            return True
        async with self._changing:
            if self.blocks is not None and self.blocks.at == at:
                moved = await moves_since(self._database, self._tenant, at)
                if moved is not None:
                    self.blocks.take(moved.at, moved.moves)
                if moved is None or self.blocks.lopsided:
                    self.blocks = None
        return False

    async def _matching(
        self, blocks: Blocks, query: str, hits: "array[int]", offset: int, size: int
    ) -> list[str] | None:
        """The iDs of a page of hits; None where what is held changed meanwhile."""
        found = locate(hits, offset)
        if found is None:
            return []
        place, skip = found
        orcid_ids: list[str] = []
        while len(orcid_ids) < skip + size and place < len(hits):
            if hits[place]:
                if blocks.texts[place] is None and not await self._read(blocks, [place]):
                    return None
                orcid_ids += blocks.matching(place, query)
            place += 1
        return orcid_ids[skip : skip + size]

    async def _loaded(self, blocks: Blocks) -> bool:
        """Whether all texts are there, now or soon."""
        if not blocks.empty_places():
            return True
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._load(blocks))
        await asyncio.wait([self._loading], timeout=_PATIENCE_SECONDS)
        return self._loading.done() and not self._loading.cancelled() and self._loading.result()

    async def _load(self, blocks: Blocks | None) -> bool:
        try:
            blocks = blocks or await self._cut()
            for _ in range(2 * len(blocks.texts)):
                places = blocks.empty_places()
                if not places or self.blocks is not blocks:
                    return not places
                run = [place for number, place in enumerate(places[:_AT_ONCE]) if place == places[0] + number]
                await self._read(blocks, run)
        except Unavailable as error:
            LOG.warning("the texts of the listed people cannot be read", reason=error.message)
        return False

    async def _read(self, blocks: Blocks, run: list[int]) -> bool:
        """Read the texts of neighbouring blocks; whether they are of the change that was reckoned with."""
        at, behind = blocks.at, run[-1] + 1
        end = blocks.firsts[behind] if behind < len(blocks.firsts) else None
        rows = await keyed_rows(self._database, self._tenant, blocks.firsts[run[0]], end)
        if not await self._still(at, rows) or blocks.at != at:
            return False
        for place, texts in zip(run, texts_between(rows, blocks.firsts[run[0] : behind]), strict=True):
            blocks.texts[place] = texts
        return True
