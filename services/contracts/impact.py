"""Who is hit by what a change takes away: used, not seen, or unknown; unknown never counts as unused."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from app.auth.scopes import Scope as AuthScope
from app.clock import utc_date
from app.errors import ScopeDenied, ValidationFailed
from services.context import Context
from services.contracts.callers import MOST_CALLERS, Caller, Callers, Scope, named
from services.contracts.catalogue import Served
from services.contracts.comparing import compare_documents
from services.contracts.findings import Finding, blocking
from services.contracts.reading import ContractDocument, UnreadableDocument
from services.contracts.touches import GraphqlTouches, RestTouches, touches_of
from services.contracts.windows import Window, open_window
from services.operations import check_scope, declared, operation


class State(StrEnum):
    USED = "used"
    NOT_SEEN = "not_seen"
    UNKNOWN = "unknown"


class Impact(msgspec.Struct, frozen=True):
    """What one blocking finding does to whom. `reason` says why it is unknown, or what stays in doubt."""

    finding: Finding
    state: State
    reason: str
    callers: list[Caller]
    more: bool


class ImpactReport(msgspec.Struct, frozen=True):
    """`api` and `version` are of the base; empty where this server does not serve it."""

    api: str
    version: str
    window: Window
    impacts: list[Impact]

    @property
    def is_safe(self) -> bool:
        """Nobody was seen, and nothing is unknown."""
        return all(impact.state is State.NOT_SEEN for impact in self.impacts)


@operation(scope=AuthScope.INSTALLATIONS_READ, raises=[ValidationFailed, ScopeDenied])
async def get_contract_impact(
    context: Context, base: ContractDocument, revision: ContractDocument, days: int, *, all_tenants: bool = False
) -> ImpactReport:
    """Who used, in the last days, what the revision takes away from the base, finding by finding.

    Of the caller's tenant, or of all tenants, which needs the scope of their administrators.
    """
    tenant = await chosen_tenant(context, get_contract_impact, all_tenants=all_tenants)
    findings = await asyncio.to_thread(_compared, context, base, revision)
    window = await open_window(context.database, context.now, days, tenant)
    served = context.runtime.contracts.of_document(base)
    if served is None:
        told = "This server does not serve the base: its `servers` name no contract of this server."
        return ImpactReport("", "", window, [Impact(f, State.UNKNOWN, told, [], False) for f in findings])
    judge = _Judge(context, served, window, tenant, await asyncio.to_thread(touches_of, base))
    return ImpactReport(served.api, served.version, window, [await judge.judged(finding) for finding in findings])


async def chosen_tenant(context: Context, asked: Any, *, all_tenants: bool) -> UUID | None:
    """The caller's own tenant, or None for all after the scope for that has been checked."""
    if not all_tenants:
        return context.tenant
    await check_scope(context, msgspec.structs.replace(declared(asked), scope=AuthScope.TENANTS_ADMIN))
    return None


def _compared(context: Context, base: ContractDocument, revision: ContractDocument) -> Sequence[Finding]:
    if base.kind != revision.kind:
        raise ValidationFailed({"revision": "must be a document of the same kind as the base"})
    try:
        return blocking(compare_documents(base, revision, today=utc_date(context.now)))
    except UnreadableDocument as error:
        raise ValidationFailed({"revision": f"cannot be compared: {error}"}) from error


class _Judge:
    """Judges findings one by one, from the ledger."""

    def __init__(
        self,
        context: Context,
        served: Served,
        window: Window,
        tenant: UUID | None,
        touches: RestTouches | GraphqlTouches,
    ) -> None:
        scope = Scope(served.api, served.version, window.since, window.until, tenant)
        self._callers, self._window, self._touches = Callers(context.database, scope), window, touches

    async def judged(self, finding: Finding) -> Impact:
        touches = self._touches.of(finding)
        if touches is None:
            return Impact(finding, State.UNKNOWN, "The use of this part of a contract is not recorded.", [], False)
        certain, doubtful, doubts = [], [], []
        for touch in touches:
            found = await self._callers.of(touch)
            if touch.doubt and found:
                doubtful += found
                doubts.append(touch.doubt)
            else:
                certain += found
        if certain:
            return await _told(finding, State.USED, "", certain)
        if doubtful:
            return await _told(finding, State.UNKNOWN, " ".join(dict.fromkeys(doubts)), doubtful)
        if self._window.missing:
            return await _told(finding, State.UNKNOWN, " ".join(self._window.missing[:3]), [])
        return await _told(finding, State.NOT_SEEN, "", [])


async def _told(finding: Finding, state: State, reason: str, callers: Sequence[Caller]) -> Impact:
    """Each caller once, with the sum of its counts over the operations that meet the finding."""
    summed: dict[tuple[UUID, str, str], Caller] = {}
    for caller in callers:
        key = caller.tenant, caller.client, caller.kind
        known = summed.get(key)
        if known is not None:
            caller = caller._replace(
                requests=caller.requests + known.requests, last_on=max(caller.last_on, known.last_on)
            )
        summed[key] = caller
    ordered = sorted(summed.values(), key=lambda c: (-c.requests, c.tenant, c.client, c.kind))
    return Impact(finding, state, reason, await named(ordered[:MOST_CALLERS]), len(ordered) >= MOST_CALLERS)
