"""Access tokens: refreshed ahead of their end, once for everybody who waits, by one process of all.

Who refreshes holds the lease of the row; others use the token while it is good, and wait for the row when it is not.
A holder that dies leaves the lease to run out, and the next one sends the same refresh token again.
"""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
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

T = TypeVar("T")
LOG = structlog.get_logger("dovetail.oauth2")
#: A token that is younger is not refreshed because a call with the one before it was refused.
_FRESH = 5 * SECOND
#: While a token is good for longer, nobody waits for its refresh.
_UNHURRIED = 30 * SECOND
#: An instance, and where the token is to go.
_Wanted = tuple[UUID, str]
_CLOSED = ("DISCONNECTED", "AUTH_ERROR", "PENDING_AUTHENTICATION")


class Refreshes:
    """The refreshes that this process runs, one for each instance where it is, and who waits for them."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._running: dict[_Wanted, asyncio.Task[str]] = {}
        self._idle: set[asyncio.Task[None]] = set()
        #: Is told how each refresh of this process ended.
        self.observe: Callable[[str], None] = lambda _: None

    async def access_token(
        self, context: Context, instance: Mapping[str, Any], destinations: str, *, force: bool = False
    ) -> str:
        """A token for a call of `instance`, its row, to be sent to these destinations and no others.

        With `force` another one than the upstream has just refused.

        Raises IntegrationNotAuthenticated, IntegrationAuthFailed, IntegrationFailed.
        """
        if instance["status"] in _CLOSED:
            raise IntegrationNotAuthenticated(f"The integration is {instance['status']}; connect it first.")
        token, now = await find_token(context.tenant, instance["id"]), context.now
        wanted = instance["id"], destinations
        if token is None or token["bound_to"] != destinations:
            return await self._renewed(context.tenant, wanted, 0 if token is None else token["version"], force)
        good, young = is_good(token, now), 0 <= now - token["obtained_at"] < _FRESH
        if good and (young if force else not is_due(token, now)):
            return open_token(self._runtime.encryption, token, destinations)
        if good and not force and is_good(token, now + _UNHURRIED):
            self._join(context.tenant, wanted, token["version"], force)
            return open_token(self._runtime.encryption, token, destinations)
        return await self._renewed(context.tenant, wanted, token["version"], force)

    async def _renewed(self, tenant: UUID, wanted: _Wanted, version: int, force: bool) -> str:
        # Who is cancelled takes neither the refresh nor the others with it.
        return await asyncio.shield(self._join(tenant, wanted, version, force))

    def _join(self, tenant: UUID, wanted: _Wanted, version: int, force: bool) -> "asyncio.Task[str]":
        running = self._running.get(wanted)
        if running is None:
            renewal = self._renewal(tenant, wanted[0], version, force=force, destinations=wanted[1])
            running = self._running[wanted] = self._begun(renewal, renewal.run())
            running.add_done_callback(lambda _: self._running.pop(wanted, None))
        return running

    async def renew_idle(self, tenant: UUID, instance_id: UUID, version: int) -> None:
        """Renew a token that no call waits for, and go on with it where the caller is cancelled; raises nothing."""
        renewal = self._renewal(tenant, instance_id, version, idle=True)
        task = self._begun(renewal, renewal.run_idle())
        self._idle.add(task)
        task.add_done_callback(self._idle.discard)
        await asyncio.wait([task])

    def _renewal(self, tenant: UUID, instance_id: UUID, version: int, **given: Any) -> Renewal:
        context = Context(self._runtime, system_principal(tenant, "refresh"), "system", new_request_id())
        return Renewal(context, instance_id, version, **given)

    def _begun(self, renewal: Renewal, run: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        # Of its own context: the caller's transaction, where there is one, is not this task's.
        task = asyncio.get_running_loop().create_task(run, context=contextvars.Context())
        task.add_done_callback(lambda done: self._ended(renewal, done))
        return task

    def _ended(self, renewal: Renewal, task: "asyncio.Task[Any]") -> None:
        self.observe(renewal.result)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Also where nobody waits any more.
            LOG.warning("a token was not refreshed", instance=str(renewal.instance_id), reason=str(error))

    async def stop(self) -> None:
        """Let what was sent be answered and stored: what is lost now may be lost for good."""
        await asyncio.gather(*self._running.values(), *self._idle, return_exceptions=True)
