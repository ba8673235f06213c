"""A schema with all that it refers to in its `$defs`, and never above a bound: what is farthest away is opened."""

from collections import deque
from typing import Any

import msgspec

from services.integrations.importing.reports import Notes
from services.integrations.importing.schemas import Direction, Translated, Translator

#: A schema carries what it refers to with it; of a description whose schemas all hang together that is everything.
MOST_BYTES = 49_152
#: All schemas of one definition. Beyond it, schemas keep what stands in themselves.
MOST_BYTES_TOGETHER = 16 * 1024 * 1024


class Bundler:
    """Bundles the schemas of one definition, and counts what they take together."""

    def __init__(self, translator: Translator) -> None:
        self.translator, self.spent = translator, 0

    def bundled(self, found: Translated, direction: Direction, where: str, notes: Notes) -> dict[str, Any]:
        """The schema with its `$defs`; a part that does not fit is open, and told under `where`."""
        if found.size > MOST_BYTES:
            notes.untyped(where, f"takes {found.size} bytes, and a schema may take {MOST_BYTES}: any value is taken")
            return {}
        definitions, cut = self._closure(found, direction)
        self._tell(found, definitions, cut, where, notes)
        schema = found.schema if isinstance(found.schema, dict) else {"allOf": [found.schema]}
        made = schema | {"$defs": {name: each.schema for name, each in definitions.items()}} if definitions else schema
        self.spent += len(msgspec.json.encode(made))
        return made

    def _closure(self, found: Translated, direction: Direction) -> tuple[dict[str, Translated], list[str]]:
        """Breadth first, so that what is cut is far from the root."""
        most = min(MOST_BYTES, max(0, MOST_BYTES_TOGETHER - self.spent))
        made: dict[str, Translated] = {}
        cut, size, waiting, seen = [], found.size, deque(found.uses), set(found.uses)
        while waiting:
            pointer = waiting.popleft()
            name, each = self.translator.name(pointer), self.translator.named(pointer, direction)
            if size + each.size > most:
                cut.append(name)
                made[name] = _OPEN
                continue
            size += each.size
            made[name] = each
            fresh = [use for use in each.uses if use not in seen]
            seen.update(fresh)
            waiting.extend(fresh)
        return made, cut

    @staticmethod
    def _tell(found: Translated, made: dict[str, Translated], cut: list[str], where: str, notes: Notes) -> None:
        loose = [name for name, each in made.items() if each.open and each is not _OPEN]
        if cut:
            told = ", ".join(cut[:3]) + (f" and {len(cut) - 3} more" if len(cut) > 3 else "")
            notes.untyped(where, f"is too large with all that it refers to: {told} can be any value")
        if loose:
            notes.untyped(where, f"refers to {', '.join(loose[:3])}, of which a part can be any value")


_OPEN = Translated({}, (), 2, True)
