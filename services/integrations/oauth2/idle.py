"""Tokens that no call uses: refreshed ahead of their end too, so that a refresh token does not die of disuse.

Every process looks; who takes the lease of a token's row refreshes it, and the others pass on.
"""

import asyncio
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.database import Statement

if TYPE_CHECKING:
    from services.runtime import Runtime

EVERY_SECONDS = 15.0
_MOST, _AT_ONCE = 200, 4
#: Before each, at random up to this many seconds: the provider is not asked by all at the same moment.
SPREAD_SECONDS = 0.2
# A token without a refresh token is fetched anew by the call that needs it.
_DUE = Statement(
    "SELECT t.tenant, t.instance, t.version FROM integration_token t "
    "JOIN integration_instance i ON i.id = t.instance "
    "WHERE t.refresh_at <= {now} AND t.refresh_token IS NOT NULL AND (t.lease_owner IS NULL OR t.lease_until <= {now}) "
    "AND i.status = 'CONNECTED' AND i.enabled ORDER BY t.refresh_at LIMIT {most}"
)


async def refresh_idle(runtime: "Runtime") -> int:
    """Refresh what is due; how many were tried."""
    rows = list(await runtime.database.fetch(_DUE, now=runtime.clock.now_ms(), most=_MOST))
    # In another order than other processes, so that they seldom meet.
    random.shuffle(rows)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(row: Mapping[str, Any]) -> None:
        async with gate:
            await asyncio.sleep(random.uniform(0, SPREAD_SECONDS))  # noqa: S311 - jitter
            await runtime.refreshes.renew_idle(row["tenant"], row["instance"], row["version"])

    await asyncio.gather(*(one(row) for row in rows))
    return len(rows)
