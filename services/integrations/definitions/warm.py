"""Compiled definitions, kept by their stored version: one that was changed has another."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.integrations.definitions.compiling import Compiled, compile_definition
from services.integrations.definitions.rows import definition_of

#: A definition of a thousand methods takes some tens of megabytes once it is compiled.
_MOST = 200


class WarmDefinitions:
    """The definitions used last, each compiled once."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[UUID, int], Compiled] = OrderedDict()

    def compiled(self, row: Mapping[str, Any]) -> Compiled:
        """The definition of a whole row."""
        found = self.known(row["id"], row["version"])
        if found is None:
            found = self._kept[row["id"], row["version"]] = compile_definition(definition_of(row))
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return found

    def known(self, definition_id: UUID, version: int) -> Compiled | None:
        """What is kept of a definition in this version."""
        found = self._kept.get((definition_id, version))
        if found is not None:
            self._kept.move_to_end((definition_id, version))
        return found
