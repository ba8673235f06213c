"""The audit history as a stream: what is sealed already, then what is sealed from now on, each event once.

Every event of a tenant has the next `seq`, so a reader sees by itself where the bus left something out, because
this reader was too slow or another process sealed it, and reads that from the history. Where nothing follows by which
it would see that, a duty says every other second where the chain ends.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

from services.audit import list_audit_events
from services.context import Context
from services.paging import MOST_PER_PAGE, KeysetRequest
from services.runtime import audit_topic

_STORED = {"actor": "actor_id"}


async def audit_messages(
    context: Context, since: int | None, filters: Mapping[str, Any], listening: asyncio.Event | None = None
) -> AsyncGenerator[Mapping[str, Any], None]:
    """`{"event": …}` for each event after `since` (None: from now on), `{"lagged": …}` where this reader was slow.

    `listening` is set when "now" has been looked up.
    """
    # Listening begins before the history is read, so nothing falls between the two.
    with context.runtime.bus.subscribe(audit_topic(context.tenant)) as live:
        seen = since if since is not None else await _head(context)
        if listening is not None:
            listening.set()
        async for row in _history(context, seen, filters):
            seen = row["seq"]
            yield {"event": row}
        async with aclosing(live.messages()) as messages:
            async for message in messages:
                lagged = message.get("type") == "lagged"
                if lagged:
                    yield {"lagged": message}
                elif message["seq"] <= seen:
                    continue
                elif message["seq"] == seen + 1 and message.get("type") != "head":
                    seen = message["seq"]
                    if _passes(message, filters):
                        yield {"event": message}
                    continue
                async for row in _history(context, seen, filters):
                    seen = row["seq"]
                    yield {"event": row}
                seen = seen if lagged else max(seen, message["seq"])


async def _head(context: Context) -> int:
    page = await list_audit_events(context, KeysetRequest(first=1, descending=True))
    return page.rows[0]["seq"] if page.rows else 0


async def _history(context: Context, after: int, filters: Mapping[str, Any]) -> AsyncIterator[Any]:
    """What is sealed behind a place, page by page until there is no more."""
    more = True
    while more:
        request = KeysetRequest(first=MOST_PER_PAGE, filters={**filters, "after_seq": after})
        page = await list_audit_events(context, request)
        for row in page.rows:
            yield row
        more = page.has_next
        after = page.rows[-1]["seq"] if page.rows else after


def _passes(event: Mapping[str, Any], filters: Mapping[str, Any]) -> bool:
    return all(event[_STORED.get(name, name)] == value for name, value in filters.items())
