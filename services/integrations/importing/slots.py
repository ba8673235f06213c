"""How many imports run at once: each may hold a large document, and a process of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from app.errors import RequestsLimited, Unavailable
from services.context import Context

#: Seconds after which another try is worth it.
_AGAIN = 5


class ImportSlots:
    """`most` at once in this process, and one for each tenant. What a request holds, it does not ask for again."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: dict[Context, UUID] = {}

    @contextmanager
    def held(self, context: Context) -> Iterator[None]:
        """Raises RequestsLimited where the tenant imports already, Unavailable where all others do."""
        if context in self._held:
            yield
            return
        if context.tenant in self._held.values():
            raise RequestsLimited(_AGAIN, "Your tenant imports a definition already; try again when it is done.")
        if len(self._held) >= self._most:
            raise Unavailable(f"{self._most} imports run here already; try again shortly.")
        self._held[context] = context.tenant
        try:
            yield
        finally:
            del self._held[context]
