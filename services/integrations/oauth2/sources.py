"""The client of a renewal: what a vault gives for it is read before the lease is taken, which a slow vault outlasts."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.errors import IntegrationNotAuthenticated
from services.context import Context
from services.integrations.instances.destinations import check_bound
from services.integrations.instances.references import Held
from services.integrations.instances.rows import find_instance
from services.integrations.oauth2.clients import Client, Registration, client_with, held_for, registration_of


class ClientSource:
    """The client that an instance is, for calls that send its token to `destinations`; to any, where that is None."""

    def __init__(self, context: Context, instance_id: UUID, destinations: str | None) -> None:
        self._context, self._instance_id, self._destinations = context, instance_id, destinations
        self._given: tuple[str | None, Held] | None = None
        self._fresh = False

    @property
    def reference(self) -> str | None:
        """Where the credentials lie that were used last; None where they are the instance's own."""
        return None if self._given is None else self._given[0]

    async def instance(self) -> Mapping[str, Any]:
        return await find_instance(self._context.tenant, self._instance_id)

    async def registration(self, instance: Mapping[str, Any] | None = None) -> Registration:
        """Raises IntegrationNotAuthenticated, also where it is no longer that of the call: its token is for nobody
        else."""
        found = await registration_of(self._context, instance or await self.instance())
        if self._destinations is not None:
            check_bound(found.destinations, self._destinations)
        return found

    async def prepare(self) -> None:
        """Read what the instance refers to, once. Raises IntegrationAuthFailed, and what `registration` does."""
        if self._given is not None:
            return
        instance = await self.instance()
        if instance["credential_ref"] is None:
            self._given = None, Held({})
            return
        found = await self.registration(instance)
        self._given = found.reference, await held_for(self._context, found, fresh=self._fresh)

    async def client(self) -> Client | None:
        """None where the instance refers to something else by now: it is to be prepared again."""
        instance = await self.instance()
        if instance["status"] in ("AUTH_ERROR", "DISCONNECTED"):
            raise IntegrationNotAuthenticated(f"The integration is {instance['status']}; connect it first.")
        found = await self.registration(instance)
        if found.reference is None:
            self._given = None, Held({})
            return client_with(found, await held_for(self._context, found))
        if self._given is None or self._given[0] != found.reference:
            self._given = None
            return None
        check_bound(instance["bound_to"], found.destinations)
        return client_with(found, self._given[1])

    def read_again(self) -> bool:
        """Whether what a vault gave was kept for a while, so that the next try reads it anew."""
        if self._given is None or not self._given[1].kept:
            return False
        self._given, self._fresh = None, True
        return True
