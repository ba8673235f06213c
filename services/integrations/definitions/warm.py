"""Compiled definitions, kept by their stored version: one that was changed has another."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from app.recent import Recent
from services.integrations.definitions.compiling import Compiled, compile_stored

#: A definition of a thousand methods takes some tens of megabytes once all of them are compiled.
_MOST = 200
_Key = tuple[UUID, int]


class WarmDefinitions:
    """The definitions used last, each compiled once."""

    def __init__(self) -> None:
        self._kept: Recent[_Key, Compiled] = Recent(_MOST)
        self._locks: WeakValueDictionary[_Key, asyncio.Lock] = WeakValueDictionary()

    async def compiled(self, row: Mapping[str, Any]) -> Compiled:
        """The definition of a whole row. Who asks while it is made waits for that; nothing is asked of the database."""
        key: _Key = (row["id"], row["version"])
        found = self.known(*key)
        if found is not None:
            return found
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            found = self.known(*key)
            if found is None:
                found = await compile_stored(row)
                self._kept.keep(key, found)
        return found

    def known(self, definition_id: UUID, version: int) -> Compiled | None:
        """What is kept of a definition in this version."""
        return self._kept.find((definition_id, version))
