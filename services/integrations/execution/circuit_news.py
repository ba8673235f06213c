"""What the processes of one server tell each other of circuits, over the bus: how calls went, and what became of one.

A failure is told within a few milliseconds, and so is the success that ends a row of failures; other successes are
gathered for a second. A message may be lost: then a process counts less, and finds the circuit's row a little later.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from app.bus import INTERNAL, Bus
from services.integrations.execution.windows import Counts

TOPIC = f"{INTERNAL}circuits"
#: Seconds that counts are gathered: what can wait, and what should not.
GATHERED, HURRIED = 1.0, 0.02
Key = tuple[UUID, str]
Announce = Callable[[str, Mapping[str, Any]], None]


class CircuitNews:
    """This process's end: `count` and `changed` tell, `listen` gives what the others told to `counted` and `found`."""

    def __init__(self, bus: Bus, announce: Announce) -> None:
        self._bus, self._announce = bus, announce
        self._self = secrets.token_hex(8)
        self._unsaid: dict[Key, Counts] = {}
        self._timer: asyncio.TimerHandle | None = None

    def count(self, key: Key, counts: Counts, *, hurried: bool) -> None:
        self._unsaid[key] = self._unsaid.get(key, Counts()).then(counts)
        loop = asyncio.get_running_loop()
        at = loop.time() + (HURRIED if hurried else GATHERED)
        if self._timer is None or at < self._timer.when():
            self.close()
            self._timer = loop.call_at(at, self._say)

    def _say(self) -> None:
        self._timer = None
        unsaid, self._unsaid = self._unsaid, {}
        counts = [[str(instance), host, *each] for (instance, host), each in unsaid.items()]
        self._announce(TOPIC, {"type": "counts", "from": self._self, "counts": counts})

    def changed(self, key: Key, row: Mapping[str, Any]) -> None:
        """Tell of a circuit's row that this process has just written."""
        told = {**row, "id": str(row["id"])}
        message = {"type": "row", "from": self._self, "instance": str(key[0]), "host": key[1], "row": told}
        self._announce(TOPIC, message)

    async def listen(
        self,
        counted: Callable[[Key, Counts], None],
        found: Callable[[Key, dict[str, Any]], None],
        lagged: Callable[[], None],
    ) -> None:
        """Hear the others until cancelled; `lagged` is called where some of it was lost here."""
        with self._bus.subscribe(TOPIC) as heard:
            async with contextlib.aclosing(heard.messages()) as messages:
                async for message in messages:
                    if message["type"] == "lagged":
                        lagged()
                    elif message["from"] == self._self:
                        continue
                    elif message["type"] == "counts":
                        for instance, host, *counts in message["counts"]:
                            counted((UUID(instance), host), Counts(*counts))
                    else:
                        row = {**message["row"], "id": UUID(message["row"]["id"])}
                        found((UUID(message["instance"]), message["host"]), row)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
