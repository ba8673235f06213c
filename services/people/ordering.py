"""Deep pages and searches of the listed people: whose order is held in memory, and for how long."""

import asyncio
from collections import OrderedDict
from typing import NamedTuple
from uuid import UUID

from app.database import Database
from services.paging import Listing, OffsetPage
from services.people.held_order import HeldOrder

MOST_TENANTS = 1_000
#: Texts of all tenants that are held, in bytes.
MOST_TEXT = 256_000_000


class Sizes(NamedTuple):
    """Lists shorter than `plain` are read as they are; before a page the database steps over `skipped` rows at most."""

    block: int = 500
    plain: int = 2_000
    skipped: int = 500


class ListedOrder:
    """The order of each tenant that has many people; the least recently used are let go."""

    def __init__(self, database: Database, sizes: Sizes = Sizes()) -> None:
        self._database, self._sizes = database, sizes
        self._tenants: OrderedDict[UUID, HeldOrder] = OrderedDict()
        self._turn = asyncio.Lock()

    async def close(self) -> None:
        """Stop what is being read."""
        await asyncio.gather(*(held.close() for held in self._tenants.values()))

    async def page(self, tenant: UUID, listing: Listing, offset: int, size: int) -> OffsetPage | None:
        """The rows from `offset` (from 0), and the total; None where a plain OFFSET is as good."""
        held = self._held(tenant) if offset > self._sizes.skipped else None
        return await held.page(listing, offset, size) if held else None

    async def search(self, tenant: UUID, listing: Listing, query: str, offset: int, size: int) -> OffsetPage | None:
        """The same for the people whose search text holds the (folded) query."""
        held = self._held(tenant)
        return await held.search(listing, query, offset, size) if held else None

    def learn(self, tenant: UUID, total: int) -> None:
        """Take note of how many people are listed; of a long list the order is read, and the next pages by it."""
        if total < self._sizes.plain or tenant in self._tenants or self._in_transaction():
            return
        held = self._tenants[tenant] = HeldOrder(self._database, tenant, self._sizes.block, self._turn)
        held.warm()

    def _held(self, tenant: UUID) -> HeldOrder | None:
        """What is held of a tenant whose list is known to be long; None also where a transaction is open.

        Inside a transaction there may be rows that nobody else ever sees.
        """
        if self._in_transaction():
            return None
        held = self._tenants.get(tenant)
        if held is None:
            return None
        self._tenants.move_to_end(tenant)
        self._make_room(held)
        return held

    def _in_transaction(self) -> bool:
        return self._database.engine.live_transaction() is not None

    def _make_room(self, used: HeldOrder) -> None:
        while len(self._tenants) > MOST_TENANTS:
            self._tenants.popitem(last=False)
        size = used.blocks.size if used.blocks else 0
        for held in reversed(self._tenants.values()):
            if held is used or held.blocks is None:
                continue
            size += held.blocks.size
            if size > MOST_TEXT:
                held.blocks.let_go()
