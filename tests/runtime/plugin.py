"""A plugin as its author would write it: it reads lists to their end, stores rows by id, and applies increments."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from tests.runtime.surface import Surface

#: Each list and the member that tells its rows apart.
LISTS = {"people": "orcid_id", "publications": "doi", "works": "id", "projects": "id"}


class Plugin:
    """What one site has stored of one list."""

    def __init__(self, surface: Surface, key: str, name: str, limit: int = 100) -> None:
        self.surface, self.key, self.name, self.limit = surface, key, name, limit
        self.rows: dict[str, Any] = {}
        self.since: int | None = None

    async def page(self, cursor: str | None = None, **query: Any) -> Any:
        given = {"limit": self.limit, **query} | ({"cursor": cursor} if cursor else {})
        # A page that is kept is answered without a wait: here as over a socket, others have a turn in between.
        await asyncio.sleep(0)
        return await self.surface.ok(f"/{self.name}?{urlencode(given)}", self.key)

    async def walk(self, **query: Any) -> list[Any]:
        """All rows of a walk in their order; the last page names the next `updated_since`."""
        found, cursor = [], None
        while True:
            page = await self.page(cursor, **query)
            found += page[self.name]
            cursor = page["next_cursor"]
            assert (page["next_updated_since"] is None) == (cursor is not None)
            if cursor is None:
                self.since = page["next_updated_since"]
                return found

    async def sync(self) -> list[Any]:
        """All of the list the first time, then what changed; what came."""
        fresh = self.since is None
        came = await self.walk(**({} if fresh else {"updated_since": self.since}))
        ids = [row[LISTS[self.name]] for row in came]
        assert len(ids) == len(set(ids)), "a row came twice in one walk"
        for row in came:
            if row["deleted"]:
                assert not fresh and set(row) == {"deleted", LISTS[self.name]}
                self.rows.pop(row[LISTS[self.name]], None)
            else:
                self.rows[row[LISTS[self.name]]] = row
        return came
