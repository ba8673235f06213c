"""What is told of an execution: a row of the record, an event, and the audit history where it was no mere reading."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from app.clock import SECOND
from app.errors import (
    CircuitOpen,
    DomainError,
    ExecutionFailed,
    IntegrationDisabled,
    IntegrationNotAuthenticated,
    IntegrationNotReady,
    IntegrationRateLimited,
    ValidationFailed,
)
from services.chain.entries import Outcome
from services.context import Context
from services.integrations.definitions.compiling import CompiledMethod
from services.integrations.execution.calls import Trace
from services.integrations.execution.targets import Target
from services.integrations.instances.status import integrations_topic

T = TypeVar("T")
EXECUTED, FAILED = "integration.method.executed", "integration.method.failed"
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
    trace, began, now = Trace(), context.runtime.clock.monotonic(), context.now
    error: DomainError | None = None
    try:
        return await call(trace)
    except DomainError as refused:
        error = refused
        raise
    except BaseException:
        error = ExecutionFailed()
        raise
    finally:
        latency = int((context.runtime.clock.monotonic() - began) * SECOND)
        await _record(context, target, method, trace, error, at=now, latency_ms=latency)


async def _record(
    context: Context,
    target: Target,
    method: CompiledMethod,
    trace: Trace,
    error: DomainError | None,
    *,
    at: int,
    latency_ms: int,
) -> None:
    """The row is written with the next batch, the event goes out now, and the audit event is written now."""
    row = _row(context, target, method, trace, error) | {"at": at, "latency_ms": latency_ms}
    context.runtime.executions.note(row)
    hidden = ("tenant", "actor_kind", "actor_id", "surface")
    shown = {name: value for name, value in row.items() if name not in hidden} | {"instance": str(target.id)}
    kind = EXECUTED if error is None else FAILED
    context.runtime.announce(integrations_topic(context.tenant), {"type": kind, **shown})
    # A try that was refused changed nothing, here or elsewhere.
    if method.method.effect != "read" and trace.attempts:
        await _audited(context, target, row)


async def _audited(context: Context, target: Target, row: dict[str, Any]) -> None:
    names = ("method", "side_effect", "outcome", "code", "status_code", "attempts")
    async with context.transaction():
        outcome: Outcome = "allow" if row["code"] is None else "error"
        context.note(
            "integration_instance",
            target.id,
            action="integration_method.executed",
            after={name: row[name] for name in names},
            outcome=outcome,
        )


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
