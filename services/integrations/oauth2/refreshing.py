"""Access tokens for calls: refreshed ahead of their end, once for everybody who waits, by one process of all.

Who refreshes holds the lease of the row; others use the token while it is good, and wait for the row when it is not.
A holder that dies leaves the lease to run out, and the next one sends the same refresh token again.
"""

import asyncio
import contextvars
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from app.auth.principal import system_principal
from app.clock import SECOND
from app.errors import IntegrationNotAuthenticated
from app.ids import new_request_id
from services.context import Context
from services.integrations.oauth2.renewal import Renewal
from services.integrations.oauth2.tokens import find_token, is_due, is_good, open_token

if TYPE_CHECKING:
    from services.runtime import Runtime

LOG = structlog.get_logger("dovetail.oauth2")
#: A token that is younger is not refreshed because a call with the one before it was refused.
_FRESH = 5 * SECOND
#: While a token is good for longer, nobody waits for its refresh.
_UNHURRIED = 30 * SECOND
_CLOSED = ("DISCONNECTED", "AUTH_ERROR", "PENDING_AUTHENTICATION")


class Refreshes:
    """The refreshes that this process runs, one for each instance, and who waits for them."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._running: dict[UUID, asyncio.Task[str]] = {}

    async def access_token(self, context: Context, instance: Mapping[str, Any], *, force: bool = False) -> str:
        """A token for a call of `instance`, its row; with `force` another one than the upstream has just refused.

        Raises IntegrationNotAuthenticated, IntegrationAuthFailed, IntegrationFailed.
        """
        if instance["status"] in _CLOSED:
            raise IntegrationNotAuthenticated(f"The integration is {instance['status']}; connect it first.")
        token, now = await find_token(context.tenant, instance["id"]), context.now
        if token is None:
            return await self._renewed(context.tenant, instance["id"], 0, force)
        good, young = is_good(token, now), 0 <= now - token["obtained_at"] < _FRESH
        if good and (young if force else not is_due(token, now)):
            return open_token(self._runtime.encryption, token)
        if good and not force and is_good(token, now + _UNHURRIED):
            self._join(context.tenant, instance["id"], token["version"], force)
            return open_token(self._runtime.encryption, token)
        return await self._renewed(context.tenant, instance["id"], token["version"], force)

    async def _renewed(self, tenant: UUID, instance_id: UUID, version: int, force: bool) -> str:
        # Who is cancelled takes neither the refresh nor the others with it.
        return await asyncio.shield(self._join(tenant, instance_id, version, force))

    def _join(self, tenant: UUID, instance_id: UUID, version: int, force: bool) -> "asyncio.Task[str]":
        running = self._running.get(instance_id)
        if running is None:
            context = Context(self._runtime, system_principal(tenant, "refresh"), "system", new_request_id())
            renewal = Renewal(context, instance_id, version, force=force)
            # Of its own context: the caller's transaction, where there is one, is not this task's.
            running = asyncio.get_running_loop().create_task(renewal.run(), context=contextvars.Context())
            self._running[instance_id] = running
            running.add_done_callback(lambda task: self._ended(instance_id, task))
        return running

    def _ended(self, instance_id: UUID, task: "asyncio.Task[str]") -> None:
        self._running.pop(instance_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Also where nobody waits any more.
            LOG.warning("a token was not refreshed", instance=str(instance_id), reason=str(error))

    async def stop(self) -> None:
        """Let what was sent be answered and stored: what is lost now may be lost for good."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)


async def access_token(context: Context, instance: Mapping[str, Any], *, force: bool = False) -> str:
    """A token for a call of `instance`, its row; with `force` another one than the upstream has just refused."""
    return await context.runtime.refreshes.access_token(context, instance, force=force)
