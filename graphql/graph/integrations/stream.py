"""The status of instances as a stream: what it is by now where it changed since, then every change.

An event that a slow reader missed is not sent again; the notice says so, and the instances themselves say how they
stand. `since` makes up for what was missed in the same way: each instance that changed is told once, as it is.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any
from uuid import UUID

from services.context import Context
from services.integrations.instances.reading import list_integration_instances
from services.integrations.instances.status import integrations_topic
from services.paging import MOST_PER_PAGE, KeysetPage, KeysetRequest, cursor_of

_STATUS = "integration.instance.status"


async def instance_messages(
    context: Context, since: int | None, definition: UUID | None, listening: asyncio.Event
) -> AsyncGenerator[Mapping[str, Any], None]:
    """`{"event": …}` for each change of a status, `{"lagged": …}` where this reader was slow."""
    # Listening begins before the instances are read, so nothing falls between the two.
    with context.runtime.bus.subscribe(integrations_topic(context.tenant)) as live:
        listening.set()
        if since is not None:
            async for row in _changed(context, since, definition):
                yield {"event": _as_event(row)}
        async with aclosing(live.messages()) as messages:
            async for message in messages:
                if message.get("type") == "lagged":
                    yield {"lagged": message}
                elif message.get("type") == _STATUS and definition in (None, UUID(message["definition"])):
                    yield {"event": {**message, "instance_id": UUID(message["instance"])}}


async def _changed(context: Context, since: int, definition: UUID | None) -> AsyncGenerator[Any, None]:
    filters = {"updated_after": since, "definition": definition}
    after: str | None = None
    while True:
        request = KeysetRequest(first=MOST_PER_PAGE, after=after, sort="updated_at", filters=filters)
        page = await list_integration_instances(context, request)
        assert isinstance(page, KeysetPage)
        for row in page.rows:
            yield row
        if not page.has_next:
            return
        after = cursor_of(page, page.rows[-1])


def _as_event(row: Any) -> dict[str, Any]:
    names = ("name", "status", "error", "version")
    return {name: row[name] for name in names} | {
        "instance_id": row["id"],
        "previous": None,
        "at": row["updated_at"],
    }
