"""How an instance is: found out by a test that somebody asks for, and by a check each minute.

No failure in a row is healthy, one or two are degraded, three or more unhealthy. An answer that takes over four fifths
of the connection's timeout is degraded: that of its configuration (`timeout`, in seconds) or of the method that checks,
whichever is less, and not the time that somebody gave a test. A test that fails makes it unhealthy at once.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from app.auth.scopes import Scope
from app.clock import MINUTE, SECOND, iso
from app.database import Statement
from app.egress import Call, EgressError
from app.errors import DomainError, IntegrationDisabled, NotFound, ValidationFailed
from services.context import Context
from services.integrations.execution.calls import Trace
from services.integrations.execution.executing import one_page, start_run
from services.integrations.execution.pages import first_place
from services.integrations.execution.targets import Target, check_connected, checked_parameters, find_target
from services.integrations.instances.status import integrations_topic
from services.operations import operation

HEALTH = "integration.instance.health"
DEFAULT_TEST_SECONDS, MOST_TEST_SECONDS = 10, 60
_KEPT, _UNHEALTHY_AT, _SLOW = 20, 3, 0.8
_AT_ONCE, _MOST_DUE = 20, 200
_MOST_BYTES = 1_048_576
#: A check that is put off for longer was put off before the clock was set back.
_LATER_THAN_ANY = 10 * MINUTE
_LONGEST_MESSAGE = 500
# What was found of an older configuration says nothing of this one.
_SETTLE = Statement(
    "UPDATE integration_instance SET health_status = {status}, health_message = {message}, "
    "health_latency_ms = {latency}, health_checked_at = {at}, health_failures = {failures}, "
    "health_history = {history} WHERE id = {id} AND tenant = {tenant} AND version = {version}"
)
_DUE = Statement(
    "SELECT id, tenant, next_check_at FROM integration_instance WHERE next_check_at <= {now} OR next_check_at > {late} "
    "ORDER BY next_check_at LIMIT {most}"
)
_CLAIM = Statement(
    "UPDATE integration_instance SET next_check_at = {next} WHERE id = {id} AND next_check_at = {before}"
)


class Finding(NamedTuple):
    """What a check found: `message` is for a person, `details` for a machine."""

    success: bool
    latency_ms: int
    message: str
    checked_at: int
    details: dict[str, Any]


@operation(
    scope=Scope.INTEGRATIONS_EXECUTE,
    audit="integration_instance.tested",
    writes="parts",
    raises=[NotFound, IntegrationDisabled, ValidationFailed],
)
async def test_integration_instance(
    context: Context, instance_id: UUID, timeout_seconds: int = DEFAULT_TEST_SECONDS
) -> Finding:
    """Test a connection with the method that the definition names; one that fails is an answer, and no refusal."""
    if not 1 <= timeout_seconds <= MOST_TEST_SECONDS:
        raise ValidationFailed({"timeoutSeconds": f"must be between 1 and {MOST_TEST_SECONDS}"})
    target = await find_target(context, instance_id)
    if not target.row["enabled"]:
        raise IntegrationDisabled
    finding = await check(context, target, timeout_seconds * SECOND)
    async with context.transaction():
        await settle(context, target, finding, tested=True)
        context.note("integration_instance", instance_id, after={"success": finding.success})
    return finding


async def check(context: Context, target: Target, timeout_ms: int) -> Finding:
    """Ask the other side once, whatever its circuit says."""
    at, began = context.now, context.runtime.clock.monotonic()
    details: dict[str, Any] = {}
    try:
        check_connected(target)
        message, success = await _asked(context, target, timeout_ms), True
    except DomainError as error:
        message, success, details = error.message[:_LONGEST_MESSAGE], False, {"code": error.code}
    except EgressError as error:
        message, success, details = str(error)[:_LONGEST_MESSAGE], False, {"code": "integration_error"}
    return Finding(success, int((context.runtime.clock.monotonic() - began) * SECOND), message, at, details)


async def _asked(context: Context, target: Target, timeout_ms: int) -> str:
    verification = target.compiled.definition.verification
    if verification is None and not target.compiled.methods and target.compiled.webhook is not None:
        return "Nothing is called here: webhooks come in, and it takes them."
    if verification is None:
        return await _reached(context, target, timeout_ms)
    method = target.compiled.methods[verification.method]
    params = checked_parameters(method, verification.params or {})
    run = await start_run(context, target, method, Trace(), timeout_ms=timeout_ms, guarded=False)
    await one_page(run, params, first_place(method.method.pagination, params))
    return f"{verification.method} answered as it should."


async def _reached(context: Context, target: Target, timeout_ms: int) -> str:
    """Without a method to call it is only seen whether anybody answers."""
    url, seconds = f"{target.base}/", timeout_ms / SECOND
    call = Call("GET", url, {}, None, seconds, _MOST_BYTES, target.may_call)
    answer = await context.runtime.egress.call(call)
    return f"The host answered with status {answer.status}; the definition names no method to test with."


def health_after(target: Target, finding: Finding, *, tested: bool) -> tuple[str, int]:
    """The health that follows, and the failures in a row."""
    if finding.success:
        return ("degraded" if finding.latency_ms > timeout_of(target) * _SLOW else "healthy"), 0
    failures = target.row["health_failures"] + 1
    return ("unhealthy" if tested or failures >= _UNHEALTHY_AT else "degraded"), failures


async def settle(context: Context, target: Target, finding: Finding, *, tested: bool) -> None:
    """Write what was found, and tell of a health that changed."""
    row = target.row
    status, failures = health_after(target, finding, tested=tested)
    history = msgspec.json.decode(row["health_history"] or "[]", type=list[dict[str, Any]])
    found = {"checkedAt": iso(finding.checked_at), "status": status, "latencyMs": finding.latency_ms}
    written = await context.database.execute(
        _SETTLE,
        status=status,
        message=finding.message,
        latency=finding.latency_ms,
        at=finding.checked_at,
        failures=failures,
        history=msgspec.json.encode([*history, found][-_KEPT:]).decode(),
        id=target.id,
        tenant=context.tenant,
        version=row["version"],
    )
    if written and (not history or history[-1]["status"] != status):
        message = {"type": HEALTH, "instance": str(target.id), "status": status, "at": finding.checked_at}
        context.runtime.announce(integrations_topic(context.tenant), message)


async def check_due(runtime: Any, context_of: Callable[[UUID], Context]) -> int:
    """Check the instances whose minute is over, each by one process; how many."""
    now = runtime.clock.now_ms()
    gate = asyncio.Semaphore(_AT_ONCE)
    rows = await runtime.database.fetch(_DUE, now=now, late=now + _LATER_THAN_ANY, most=_MOST_DUE)

    async def one(row: Mapping[str, Any]) -> bool:
        async with gate:
            later = now + int(MINUTE * random.uniform(0.9, 1.1))  # noqa: S311 - jitter
            if not await runtime.database.execute(_CLAIM, id=row["id"], before=row["next_check_at"], next=later):
                return False
            await _check_one(context_of(row["tenant"]), row["id"], later)
            return True

    return sum(await asyncio.gather(*(one(row) for row in rows)))


async def _check_one(context: Context, instance: UUID, later: int) -> None:
    try:
        target = await find_target(context, instance)
    except NotFound:
        target = None
    if target is None or not _is_checked(target):
        # A change of its status or configuration puts it on the list again.
        await context.database.execute(_CLAIM, id=instance, before=later, next=None)
        return
    await settle(context, target, await check(context, target, timeout_of(target)), tested=False)


def _is_checked(target: Target) -> bool:
    connected = target.row["enabled"] and target.row["status"] == "CONNECTED"
    return connected and target.compiled.definition.verification is not None


def timeout_of(target: Target) -> int:
    """Milliseconds that a check of the connection may take."""
    verification, given = target.compiled.definition.verification, target.config.get("timeout")
    found = [MOST_TEST_SECONDS * SECOND]
    found += [target.compiled.methods[verification.method].method.timeout] if verification is not None else []
    if isinstance(given, int | float) and not isinstance(given, bool) and given > 0:
        found.append(max(1, int(min(given, MOST_TEST_SECONDS) * SECOND)))
    return min(found)
