"""What there is on the other side: resources of one type, by the method that the definition names for it."""

import re
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
from services.integrations.definitions.compiling import CompiledMethod
from services.integrations.definitions.expressions import compile_expression, reads
from services.integrations.definitions.model import Discovery
from services.integrations.execution.executing import NewExecution, Result, execute_target
from services.integrations.execution.recording import recorded
from services.integrations.execution.targets import checked_parameters, find_method, find_target
from services.operations import operation

MOST_RESOURCES, DEFAULT_RESOURCES = 500, 100
_NAMED = ("id", "name", "type")
#: Of a cursor: how many resources of that page were shown before, and the page's own cursor.
_CURSOR = re.compile(r"([0-9]{1,9})[.](.*)", re.DOTALL)


class NewDiscovery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Which resources, of a parent where they have one; `cursor` is the `nextCursor` of an earlier answer."""

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
    shown, cursor = _place(request.cursor)
    asked = _asked(discovery, request, cursor, paged=method.method.pagination is not None)
    _check_parent(method, asked)
    found = await recorded(
        context, target, method, lambda trace: execute_target(context, target, method, asked, trace)
    )  # fmt: skip
    listed = _narrowed(discovery, request, _listed(discovery, found.data))[shown:]
    resources = listed[: request.limit]
    if discovery.below and request.parent:
        resources = [each | {"id": f"{request.parent.rstrip('/')}/{each['id']}"} for each in resources]
    following = _cursor(discovery, found)
    if len(listed) > request.limit:
        # The other side gives more at once than was asked for.
        following = f"{shown + request.limit}.{cursor or ''}"
    elif following is not None:
        following = f"0.{following}"
    return Discovered(request.resource_type, resources, following, context.now)


def _check_parent(method: CompiledMethod, asked: NewExecution) -> None:
    """The caller gave a parent and no parameters, so that is what a fault of theirs is told of."""
    try:
        checked_parameters(method, asked.parameters)
    except ValidationFailed as error:
        faults = "; ".join(f"{path} {rule}" for path, rule in (error.details or {}).items())
        text = f"must be the id of a resource that has these: {asked.method} does not take what it gives ({faults})"
        raise ValidationFailed({"parent": text}) from None


def _place(cursor: str | None) -> tuple[int, str | None]:
    if cursor is None:
        return 0, None
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise ValidationFailed({"cursor": "must be the nextCursor of an earlier answer"})
    return int(found[1]), found[2] or None


def _asked(discovery: Discovery, request: NewDiscovery, cursor: str | None, *, paged: bool) -> NewExecution:
    own = paged and discovery.cursor is None
    parent = request.parent and request.parent.rstrip("/")
    seen = {
        "parent": parent or None,
        "parts": parent.split("/") if parent else None,
        "query": request.query,
        "limit": request.limit,
    }
    seen["cursor"] = None if own else cursor
    params = {} if discovery.params is None else _searched(discovery.params, seen)
    if not isinstance(params, dict):
        raise ExecutionFailed("The parameters of the discovery must be an object.")
    given = {name: value for name, value in params.items() if value is not None}
    return NewExecution(method=discovery.method, parameters=given, cursor=cursor if own else None)


def _listed(discovery: Discovery, result: Any) -> list[Any]:
    found = result if discovery.resources is None else _searched(discovery.resources, result)
    if not isinstance(found, list):
        raise IntegrationFailed("The integration gave a malformed response: it holds no list of resources.")
    return found


def _narrowed(discovery: Discovery, request: NewDiscovery, listed: list[Any]) -> list[dict[str, Any]]:
    """The resources; where the definition hands the query to nobody, those whose id or name has it, in any case."""
    resources = [_resource(each, request.resource_type) for each in listed]
    if not request.query or (discovery.params is not None and reads(discovery.params, "query")):
        return resources
    wanted = request.query.casefold()
    return [each for each in resources if wanted in each["id"].casefold() or wanted in each["name"].casefold()]


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
