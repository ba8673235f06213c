"""What is told of an execution: a row of the record, an event, and the audit history where it was no mere reading."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

import structlog

from app.clock import SECOND
from app.errors import (
    CircuitOpen,
    DomainError,
    ExecutionFailed,
    IntegrationDisabled,
    IntegrationNotAuthenticated,
    IntegrationNotReady,
    IntegrationRateLimited,
    Unavailable,
    ValidationFailed,
)
from services.chain.entries import Outcome
from services.context import Context
from services.integrations.definitions.compiling import CompiledMethod
from services.integrations.execution.calls import Trace
from services.integrations.execution.intents import AUDITED, EXECUTED, FAILED, begin, end, end_told
from services.integrations.execution.targets import Target
from services.integrations.instances.status import integrations_topic

T = TypeVar("T")
LOG = structlog.get_logger("dovetail.executions")
_LONGEST_ERROR = 500
#: Refused here; nothing was asked of the other side.
_REFUSALS = (
    ValidationFailed, IntegrationDisabled, IntegrationNotReady, IntegrationNotAuthenticated, IntegrationRateLimited,
    CircuitOpen,
)  # fmt: skip


async def recorded(
    context: Context, target: Target, method: CompiledMethod, call: Callable[[Trace], Awaitable[T]]
) -> T:
    """Make a call and record how it went, also where it breaks."""
    record = _Record(context, target, method)
    error: DomainError | None = None
    try:
        return await call(record.trace)
    except DomainError as refused:
        error = refused
        raise
    except BaseException:
        error = ExecutionFailed()
        raise
    finally:
        await record.end(error)


class _Record:
    """The record of one call. What may change something elsewhere is written before it is made, and audited."""

    def __init__(self, context: Context, target: Target, method: CompiledMethod) -> None:
        self._context, self._target, self._method = context, target, method
        self._began, self._at = context.runtime.clock.monotonic(), context.now
        self._intent: UUID | None = None
        self.trace = Trace(None if method.method.effect == "read" else self._intend)

    async def _intend(self, left: float) -> None:
        self._intent = await begin(self._context.database, self._row(None), left)

    async def end(self, error: DomainError | None) -> None:
        """What was written before is completed now; another row is written with the next batch. The event goes out."""
        row, runtime = self._row(error), self._context.runtime
        if self._intent is None:
            runtime.executions.note(row)
        else:
            # A caller who goes away does not take the end with them.
            await asyncio.shield(self._ended(self._intent, row))
        hidden = ("tenant", "actor_kind", "actor_id", "surface")
        shown = {name: value for name, value in row.items() if name not in hidden}
        kind = EXECUTED if error is None else FAILED
        message = {"type": kind, **shown, "instance": str(self._target.id)}
        runtime.announce(integrations_topic(self._context.tenant), message)

    async def _ended(self, intent: UUID, row: dict[str, Any]) -> None:
        """What was done elsewhere is done: a database that is away changes nothing of what the caller is told."""
        asked, ledger = self._context, self._context.runtime.executions
        # Of its own: where it is written later, the request is over.
        context = Context(asked.runtime, asked.principal, asked.surface, asked.request_id)
        write = functools.partial(_write_end, context, intent, row)
        try:
            await write()
        except Unavailable as error:
            LOG.warning("the end of a call is written later", execution=str(intent), reason=str(error))
            ledger.keep(intent, write)
        ledger.used(self._target.id, row["at"])

    def _row(self, error: DomainError | None) -> dict[str, Any]:
        latency = int((self._context.runtime.clock.monotonic() - self._began) * SECOND)
        told = _row(self._context, self._target, self._method, self.trace, error)
        return told | {"at": self._at, "latency_ms": latency}


async def _write_end(context: Context, intent: UUID, row: Mapping[str, Any]) -> None:
    """The end and its audit event, in one transaction."""

    async def change() -> None:
        if await end(context.database, intent, row):
            _note_end(context, row)

    if context.database.dialect == "postgres":
        _note_end(context, row)
        await context.write_told(functools.partial(end_told, context.database, intent, row))
    else:
        await context.write(change)


def _note_end(context: Context, row: Mapping[str, Any]) -> None:
    names = ("method", "side_effect", "outcome", "code", "status_code", "attempts")
    outcome: Outcome = "allow" if row["code"] is None else "error"
    after = {name: row[name] for name in names}
    context.note("integration_instance", row["instance"], action=AUDITED, after=after, outcome=outcome)


def _row(
    context: Context, target: Target, method: CompiledMethod, trace: Trace, error: DomainError | None
) -> dict[str, Any]:
    who = context.principal
    refused = isinstance(error, _REFUSALS) and not trace.attempts
    return {
        "tenant": context.tenant,
        "instance": target.id,
        "method": method.method.name,
        "side_effect": method.method.effect,
        "outcome": "success" if error is None else "refused" if refused else "failed",
        "code": error.code if error is not None else None,
        "error": error.message[:_LONGEST_ERROR] if error is not None else None,
        "host": trace.host,
        "status_code": trace.status_code,
        "attempts": trace.attempts,
        "response_bytes": trace.response_bytes,
        "request_id": context.request_id,
        "actor_kind": who.kind,
        "actor_id": who.subject,
        "surface": context.surface,
    }
