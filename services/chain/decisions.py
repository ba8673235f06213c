"""Single refusals that another process remembers, asked for over the bus: any process can explain one.

Nothing is sent for a refusal itself, however many there are.
"""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any
from uuid import UUID

import msgspec

from app.bus import INTERNAL, Bus
from app.ids import new_id
from services.chain.denials import Denials
from services.chain.entries import Entry

TOPIC = f"{INTERNAL}decisions"
#: How long the others have to answer, which they do from memory.
SECONDS = 0.5


class Decisions:
    """What the denials of every process remember. `shared`: there may be other processes on the bus."""

    def __init__(self, denials: Denials, bus: Bus, *, shared: bool) -> None:
        self._denials, self._bus, self._shared = denials, bus, shared

    def known(self, request_id: str, tenant: UUID) -> Entry | None:
        """The refusal of one request, where this process gave it."""
        kept = self._denials.decision(request_id)
        return kept if kept is not None and kept.tenant == tenant else None

    async def known_elsewhere(self, request_id: str, tenant: UUID) -> Entry | None:
        """The refusal of one request, where another process gave it and answers in time."""
        if not self._shared:
            return None
        answers = f"{TOPIC}:{new_id()}"
        with self._bus.subscribe(answers) as heard:
            await self._bus.publish(TOPIC, {"request_id": request_id, "tenant": str(tenant), "answers": answers})
            try:
                async with asyncio.timeout(SECONDS), aclosing(heard.messages()) as messages:
                    return msgspec.convert(await anext(messages), Entry)
            except TimeoutError:
                return None

    async def listen(self) -> None:
        """Answer the others until cancelled; returns at once where there are none."""
        if not self._shared:
            return
        with self._bus.subscribe(TOPIC) as heard:
            async with aclosing(heard.messages()) as messages:
                async for message in messages:
                    if message.get("type") != "lagged":
                        await self._answer(message)

    async def _answer(self, asked: Mapping[str, Any]) -> None:
        kept = self.known(asked["request_id"], UUID(asked["tenant"]))
        if kept is not None:
            await self._bus.publish(asked["answers"], msgspec.to_builtins(kept))
