"""Denials: the first of its kind is written at once, its repeats as one event a minute with their number.

So a stuck plugin cannot fill the disk, and nobody waits a minute to see that it is stuck.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from app.auth.principal import NO_TENANT
from app.clock import Clock
from app.ids import new_id
from services.chain.entries import Entry

WINDOW_SECONDS = 60.0
#: Kinds remembered at once; the oldest is written out when more come.
MOST = 10_000
#: Single refusals that explainDecision can still name after they were folded into a count.
MOST_DECISIONS = 10_000

Write = Callable[[list[Entry]], Awaitable[None]]


class _Repeats(msgspec.Struct):
    since: float
    latest: Entry
    count: int = 0


def _kind(entry: Entry) -> tuple[Any, ...]:
    # What a caller can vary at will (a made-up key id, an Origin header) must not make a new kind.
    kid = None if entry.tenant == NO_TENANT else entry.kid
    who = (entry.tenant, entry.actor_kind, entry.actor_id, kid, entry.installation, entry.attribution)
    return (*who, entry.surface, entry.action, entry.resource, entry.code, entry.rule)


class Denials:
    """Writes denials through `write`, folding repeats; `flush` writes what has been counted."""

    def __init__(self, clock: Clock, write: Write) -> None:
        self._clock, self._write = clock, write
        self._kinds: OrderedDict[tuple[Any, ...], _Repeats] = OrderedDict()
        self._decisions: OrderedDict[str, Entry] = OrderedDict()

    async def record(self, entry: Entry) -> None:
        self._remember(entry)
        kind = _kind(entry)
        known = self._kinds.get(kind)
        if known is not None and self._clock.monotonic() - known.since < WINDOW_SECONDS:
            known.count, known.latest = known.count + 1, entry
            return
        due = [] if known is None else self._counted(known)
        if len(self._kinds) >= MOST:
            due += self._counted(self._kinds.popitem(last=False)[1])
        self._kinds[kind] = _Repeats(self._clock.monotonic(), entry)
        await self._write_or_keep([*due, entry])

    async def flush(self, *, everything: bool = False) -> None:
        """Write the counts of windows that are over, or of all."""
        now = self._clock.monotonic()
        over = [kind for kind, r in self._kinds.items() if everything or now - r.since >= WINDOW_SECONDS]
        due = [entry for kind in over for entry in self._counted(self._kinds.pop(kind))]
        if due:
            await self._write_or_keep(due)

    async def _write_or_keep(self, entries: list[Entry]) -> None:
        """What cannot be written now is counted, and written by a later flush."""
        try:
            await self._write(entries)
        except BaseException:
            for entry in entries:
                known = self._kinds.setdefault(_kind(entry), _Repeats(self._clock.monotonic(), entry))
                known.count, known.latest = known.count + entry.repeats, entry
            raise

    def decision(self, request_id: str) -> Entry | None:
        """The refusal of one request, also where only its count was written."""
        return self._decisions.get(request_id)

    def _counted(self, repeats: _Repeats) -> list[Entry]:
        # An id of its own: whether a write that failed was committed after all is not always known.
        latest = repeats.latest
        return [msgspec.structs.replace(latest, id=new_id(), repeats=repeats.count)] if repeats.count else []

    def _remember(self, entry: Entry) -> None:
        while len(self._decisions) >= MOST_DECISIONS:
            self._decisions.popitem(last=False)
        self._decisions[entry.request_id] = entry
