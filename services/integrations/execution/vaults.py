"""Secrets of integrations that lie in a vault: read by the vault's own method, kept for a minute in memory alone."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.clock import Clock
from app.errors import DomainError, IntegrationAuthFailed
from app.recent import Recent
from services.context import Context
from services.integrations.definitions.schemas import schema_faults
from services.integrations.definitions.webhooks import PREVIOUS_SECRET
from services.integrations.execution.executing import NewExecution, execute_target
from services.integrations.execution.recording import recorded
from services.integrations.execution.targets import Target, check_connected, find_method, find_target
from services.integrations.instances.destinations import check_bound
from services.integrations.instances.endpoints import signing_faults
from services.integrations.instances.references import (
    FIELDS,
    METHOD,
    PARAMETER,
    Held,
    Reference,
    Referring,
    read_reference,
    referred_names,
)

#: A secret that was changed in the vault is known this long; a refusal of the other side makes it read at once.
KEPT_SECONDS = 60.0
_SECONDS = 15.0
_MOST_KEPT = 1_000
_Key = tuple[UUID, UUID, int, str]


class VaultSecrets:
    """What was read of the vaults lately, by vault, its version, and the path in it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: Recent[_Key, tuple[float, Mapping[str, Any]]] = Recent(_MOST_KEPT)
        self._reading: dict[_Key, asyncio.Future[Mapping[str, Any]]] = {}

    async def secrets_of(
        self, context: Context, target: Referring, *, fresh: bool = False, after_seconds: float = 0.0
    ) -> Held:
        """The secrets that an integration's reference leads to. Raises IntegrationAuthFailed, which names it.

        And IntegrationNotAuthenticated where the reference was given for elsewhere. With `fresh` they are read again,
        unless that was done less than `after_seconds` ago.
        """
        youngest = KEPT_SECONDS - after_seconds if fresh else 0.0
        check_bound(target.row["bound_to"], target.destinations)
        text = target.row["credential_ref"]
        reference = read_reference(text)
        try:
            async with asyncio.timeout(_SECONDS):
                fields, kept = await self._fields(context, reference, youngest)
                if kept and not _fits(target, reference, fields):
                    # It may have been mended since.
                    fields, kept = await self._fields(context, reference, KEPT_SECONDS)
            return Held(_secrets(target, reference, fields), kept)
        except DomainError as error:
            raise _failed(text, error.message, error.code) from None
        except TimeoutError:
            raise _failed(text, "The vault did not answer in time.", "integration_timeout") from None

    async def _fields(self, context: Context, reference: Reference, youngest: float) -> tuple[Mapping[str, Any], bool]:
        # Each time, so that a vault that was disabled, changed or deleted gives nothing more.
        vault = await find_target(context, UUID(reference.vault))
        check_connected(vault)
        key = (context.tenant, vault.id, vault.row["version"], reference.path)
        known = self._kept.find(key)
        if known is not None and known[0] > self._clock.monotonic() + youngest:
            return known[1], True
        return await self._read_once(context, vault, key), False

    async def _read_once(self, context: Context, vault: Target, key: _Key) -> Mapping[str, Any]:
        """Who asks while it is being read waits for the same answer, also where the first one gives up."""
        running = self._reading.get(key)
        if running is None:
            running = self._reading[key] = asyncio.ensure_future(_read(context, vault, key[3]))
            running.add_done_callback(lambda done: self._settle(key, done))
        return await asyncio.shield(running)

    def _settle(self, key: _Key, done: "asyncio.Future[Mapping[str, Any]]") -> None:
        del self._reading[key]
        if done.cancelled() or done.exception() is not None:
            self._kept.pop(key, None)
            return
        self._kept.keep(key, (self._clock.monotonic() + KEPT_SECONDS, done.result()))


async def _read(context: Context, vault: Target, path: str) -> Mapping[str, Any]:
    """As any call of the vault: its limit, its circuit and the record of executions are those of the vault."""
    method, asked = find_method(vault, METHOD), NewExecution(method=METHOD, parameters={PARAMETER: path})
    # Of its own: what is told of the vault's limit is nothing of the call's.
    inner = Context(context.runtime, context.principal, context.surface, context.request_id)
    found = await recorded(inner, vault, method, lambda trace: execute_target(inner, vault, method, asked, trace))
    fields = found.data.get(FIELDS) if isinstance(found.data, Mapping) else None
    if not isinstance(fields, Mapping):
        raise IntegrationAuthFailed("The vault has no secret there; it may have been deleted.")
    return fields


def _fits(target: Referring, reference: Reference, fields: Mapping[str, Any]) -> bool:
    try:
        _secrets(target, reference, fields)
    except DomainError:
        return False
    return True


def _secrets(target: Referring, reference: Reference, fields: Mapping[str, Any]) -> dict[str, str]:
    names = referred_names(target.compiled, reference)
    found = {name: fields[field] for name, field in names.items() if field in fields}
    if reference.field is not None and not found:
        raise IntegrationAuthFailed(f"The vault's secret has no field {reference.field}.")
    # It is of a rotation, and no schema names it.
    judged = {name: value for name, value in found.items() if name != PREVIOUS_SECRET}
    faults = dict(schema_faults(target.compiled.secrets, judged, "credentials")) or signing_faults(
        target.compiled, found
    )
    if faults:
        raise IntegrationAuthFailed("; ".join(f"{path}: {rule}" for path, rule in faults.items()))
    return found


def _failed(reference: str, message: str, cause: str) -> IntegrationAuthFailed:
    text = f"The credentials of the integration cannot be read from {reference}. {message}"
    return IntegrationAuthFailed(text, credentialRef=reference, cause=cause)
