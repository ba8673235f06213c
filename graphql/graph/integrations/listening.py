"""What happens at the tenant's instances, listened to: messages of some kinds, as they are published."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from typing import Any
from uuid import UUID

from services.context import Context
from services.integrations.instances.status import integrations_topic


async def live_messages(
    context: Context, instance: UUID | None, kinds: Collection[str], listening: asyncio.Event
) -> AsyncGenerator[Mapping[str, Any], None]:
    """`{"event": …}` for each, of one instance where it is given; `{"lagged": …}` where this reader was slow."""
    with context.runtime.bus.subscribe(integrations_topic(context.tenant)) as live:
        listening.set()
        async with aclosing(live.messages()) as messages:
            async for message in messages:
                if message.get("type") == "lagged":
                    yield {"lagged": message}
                elif message.get("type") in kinds and instance in (None, UUID(message["instance"])):
                    yield {"event": {**message, "instance_id": UUID(message["instance"])}}
