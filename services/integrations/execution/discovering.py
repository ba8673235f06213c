"""What there is on the other side: resources of one type, by the method that the definition names for it."""

from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from app.auth.scopes import Scope
from app.errors import (
    CircuitOpen,
    DiscoveryUnsupported,
    ExecutionFailed,
    IntegrationAuthFailed,
    IntegrationDisabled,
    IntegrationFailed,
    IntegrationNotAuthenticated,
    IntegrationNotReady,
    IntegrationRateLimited,
    IntegrationTimeout,
    NotFound,
    ValidationFailed,
)
from services.context import Context
from services.integrations.definitions.expressions import compile_expression
from services.integrations.definitions.model import Discovery
from services.integrations.execution.executing import NewExecution, Result, execute_target
from services.integrations.execution.recording import recorded
from services.integrations.execution.targets import find_method, find_target
from services.operations import operation

MOST_RESOURCES, DEFAULT_RESOURCES = 500, 100
_NAMED = ("id", "name", "type")


class NewDiscovery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Which resources: `cursor` is the `nextCursor` of an earlier answer."""

    resource_type: str
    parent: str | None = None
    query: str | None = None
    limit: int = DEFAULT_RESOURCES
    cursor: str | None = None


class Discovered(NamedTuple):
    """Resources as `{id, name, type, metadata}`; `cursor` is None after the last page."""

    resource_type: str
    resources: list[dict[str, Any]]
    cursor: str | None
    at: int


@operation(
    scope=Scope.INTEGRATIONS_EXECUTE,
    raises=[
        NotFound, ValidationFailed, DiscoveryUnsupported, IntegrationDisabled, IntegrationNotReady,
        IntegrationNotAuthenticated, IntegrationRateLimited, CircuitOpen, IntegrationFailed, IntegrationAuthFailed,
        IntegrationTimeout, ExecutionFailed,
    ],
)  # fmt: skip
async def discover_integration_resources(context: Context, instance_id: UUID, request: NewDiscovery) -> Discovered:
    """Discover what there is on the other side, for a choice of it here."""
    if not 1 <= request.limit <= MOST_RESOURCES:
        raise ValidationFailed({"limit": f"must be between 1 and {MOST_RESOURCES}"})
    target = await find_target(context, instance_id)
    offered = target.compiled.definition.discover or {}
    discovery = offered.get(request.resource_type)
    if discovery is None:
        raise DiscoveryUnsupported(resourceTypes=sorted(offered))
    method = find_method(target, discovery.method)
    asked = _asked(discovery, request, paged=method.method.pagination is not None)
    found = await recorded(
        context, target, method, lambda trace: execute_target(context, target, method, asked, trace)
    )  # fmt: skip
    resources = _resources(discovery, request, found.data)
    return Discovered(request.resource_type, resources, _cursor(discovery, found), context.now)


def _asked(discovery: Discovery, request: NewDiscovery, *, paged: bool) -> NewExecution:
    own = paged and discovery.cursor is None
    seen = {"parent": request.parent, "query": request.query, "limit": request.limit}
    seen["cursor"] = None if own else request.cursor
    params = {} if discovery.params is None else _searched(discovery.params, seen)
    if not isinstance(params, dict):
        raise ExecutionFailed("The parameters of the discovery must be an object.")
    given = {name: value for name, value in params.items() if value is not None}
    return NewExecution(method=discovery.method, parameters=given, cursor=request.cursor if own else None)


def _resources(discovery: Discovery, request: NewDiscovery, result: Any) -> list[dict[str, Any]]:
    found = result if discovery.resources is None else _searched(discovery.resources, result)
    if not isinstance(found, list):
        raise IntegrationFailed("The integration gave a malformed response: it holds no list of resources.")
    return [_resource(each, request.resource_type) for each in found[: request.limit]]


def _resource(found: Any, kind: str) -> dict[str, Any]:
    """A text is its own name; of an object, what has no place of its own is metadata."""
    if not isinstance(found, dict):
        return {"id": str(found), "name": str(found), "type": kind, "metadata": {}}
    name = found.get("name", found.get("id"))
    shown = {"id": str(found.get("id", name)), "name": str(name), "type": str(found.get("type", kind))}
    return shown | {"metadata": {key: value for key, value in found.items() if key not in _NAMED}}


def _cursor(discovery: Discovery, found: Result) -> str | None:
    if discovery.cursor is None:
        return found.cursor
    value = _searched(discovery.cursor, found.data)
    return None if value in (None, "") else str(value)


def _searched(expression: str, value: Any) -> Any:
    try:
        return compile_expression(expression).search(value)
    except Exception as error:  # noqa: BLE001 - whatever the author's expression does to a stranger's answer
        raise ExecutionFailed(f"The discovery cannot be applied to the answer ({type(error).__name__}).") from None
