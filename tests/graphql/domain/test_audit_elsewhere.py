"""What another process seals reaches a listener here, also when nothing follows it."""

import asyncio
from collections.abc import Callable
from typing import Any

from graph.audit.stream import audit_messages
from services.duties import tell_heads
from tests.world import World


async def test_an_event_sealed_elsewhere_is_heard(world: World) -> None:
    """The bus said nothing of it; the duty that tells where the chain ends makes the listener read it, once."""
    await world.runtime.sealer.seal_all()
    heard: list[Any] = []

    async def listen() -> None:
        async for message in audit_messages(world.context(), 0, {}):
            heard.append(message["event"]["action"])

    listening = asyncio.create_task(listen())
    await _until(lambda: heard)
    sealer = world.runtime.sealer
    published, sealer._published = sealer._published, _nobody
    try:
        await world.installation(verified=False)
        await sealer.seal_all()
        await asyncio.sleep(0.1)
    finally:
        sealer._published = published
    assert heard == ["tenant.created"]
    await tell_heads(world.runtime)
    await tell_heads(world.runtime)
    await _until(lambda: len(heard) > 1)
    await asyncio.sleep(0.1)
    listening.cancel()
    assert heard == ["tenant.created", "installation.created"]


async def _until(seen: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not seen():  # noqa: ASYNC110 - a list tells nobody of it
            await asyncio.sleep(0.005)


async def _nobody(tenant: Any, events: Any) -> None:
    """As if another process had sealed them."""
