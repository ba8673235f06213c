"""The operation: a method of an integration, executed; docs/surfaces/integrations.md gives the order of its checks."""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from app.auth.scopes import Scope
from app.clock import SECOND
from app.errors import (
    CircuitOpen,
    ExecutionFailed,
    IntegrationAuthFailed,
    IntegrationDisabled,
    IntegrationFailed,
    IntegrationNotAuthenticated,
    IntegrationNotReady,
    IntegrationRateLimited,
    IntegrationTimeout,
    MethodNotFound,
    NotFound,
    ValidationFailed,
)
from app.ids import new_id
from services.context import Context
from services.integrations.definitions.compiling import CompiledMethod
from services.integrations.execution.authentication import open_credentials
from services.integrations.execution.calls import Run, Trace, send
from services.integrations.execution.limits import check_limit, slow_down
from services.integrations.execution.pages import MOST_PAGES, Place, first_place, items_of, next_cursor, place_at
from services.integrations.execution.recording import recorded
from services.integrations.execution.requests import build_request
from services.integrations.execution.results import read_answer, result_of
from services.integrations.execution.targets import (
    Target,
    check_connected,
    checked_parameters,
    find_method,
    find_target,
)
from services.operations import operation


class NewExecution(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A call: `cursor` is the `nextCursor` of an earlier one; `all` gathers the items of all pages, up to a bound.

    `key` is the caller's Idempotency-Key, from which that of the other side is made.
    """

    method: str
    parameters: dict[str, Any] = {}
    cursor: str | None = None
    all: bool = False
    key: str | None = None


class Result(NamedTuple):
    """What a method gave; `paged` where it has pages, `cursor` then None after the last."""

    data: Any
    cursor: str | None = None
    paged: bool = False


@operation(
    scope=Scope.INTEGRATIONS_EXECUTE,
    audit="integration_method.executed",
    writes="parts",
    raises=[
        NotFound, MethodNotFound, ValidationFailed, IntegrationDisabled, IntegrationNotReady,
        IntegrationNotAuthenticated, IntegrationRateLimited, CircuitOpen, IntegrationFailed, IntegrationAuthFailed,
        IntegrationTimeout, ExecutionFailed,
    ],
)  # fmt: skip
async def execute_integration_method(context: Context, instance_id: UUID, request: NewExecution) -> Result:
    """Execute a method of an integration; what it changes elsewhere is in the audit history, what it reads is not."""
    target = await find_target(context, instance_id)
    method = find_method(target, request.method)
    return await recorded(
        context, target, method, lambda trace: execute_target(context, target, method, request, trace)
    )


async def execute_target(
    context: Context, target: Target, method: CompiledMethod, request: NewExecution, trace: Trace
) -> Result:
    """The method's result, by every check after those of what there is."""
    params = checked_parameters(method, request.parameters)
    check_connected(target)
    await check_limit(context, target, method)
    run = await start_run(context, target, method, trace, key=request.key)
    place = first_place(method.method.pagination, params)
    if request.cursor is not None:
        place = place_at(run, request.cursor, params)
    try:
        return await (_gathered if request.all else _page)(run, params, place)
    except IntegrationRateLimited as error:
        await slow_down(context, target, method, error)
        raise


async def start_run(
    context: Context, target: Target, method: CompiledMethod, trace: Trace, *, key: str | None = None, **given: Any
) -> Run:
    """The call with its credentials opened and its deadline set; `timeout_ms` and `guarded` may be given."""
    timeout = given.pop("timeout_ms", method.method.timeout)
    deadline = asyncio.get_running_loop().time() + timeout / SECOND
    try:
        async with asyncio.timeout_at(deadline):
            credentials = await open_credentials(context, target)
    except TimeoutError:
        text = f"The credentials of the integration could not be read within {timeout} ms."
        raise IntegrationTimeout(text, timeoutMs=timeout) from None
    return Run(
        context=context,
        target=target,
        method=method,
        credentials=credentials,
        deadline=deadline,
        timeout_ms=timeout,
        key=_key_for_upstream(context, target, method, key),
        trace=trace,
        **given,
    )


def _key_for_upstream(context: Context, target: Target, method: CompiledMethod, key: str | None) -> str:
    """The same for the same key of the same caller; the caller's own key says nothing to the other side."""
    if key is None:
        return str(new_id())
    known = (context.tenant, context.principal.subject, target.id, method.method.name, key)
    return hashlib.sha256(msgspec.json.encode([str(part) for part in known])).hexdigest()[:40]


async def one_page(run: Run, params: Mapping[str, Any], place: Place) -> tuple[Any, Any, str | None]:
    """The result of one page, the body that it is from, and the cursor of the next."""
    request = build_request(run.method, run.target.base, params, run.target.config, place.extras)
    if place.url is not None:
        request = request._replace(url=place.url)
    reading = read_answer(run, await send(run, request))
    result = result_of(run, reading)
    return result, reading.body, next_cursor(run, request.url, place, params, reading)


async def _page(run: Run, params: Mapping[str, Any], place: Place) -> Result:
    result, _, cursor = await one_page(run, params, place)
    return Result(result, cursor, run.method.method.pagination is not None)


async def _gathered(run: Run, params: Mapping[str, Any], place: Place) -> Result:
    """The items of all pages, within the deadline, the method's bound of pages and its bound of bytes."""
    pagination = run.method.method.pagination
    if pagination is None:
        raise ValidationFailed({"all": "the method has no pages"})
    items: list[Any] = []
    received = 0
    for _ in range(pagination.pages or MOST_PAGES):
        result, body, cursor = await one_page(run, params, place)
        found = items_of(pagination, result, body)
        if found is None:
            raise ExecutionFailed("The pages of this method hold no list of items; ask for one page at a time.")
        items += found
        received += run.trace.response_bytes or 0
        if cursor is None or received >= run.method.method.most_bytes:
            break
        place = place_at(run, cursor, params)
    return Result(items, cursor, True)
