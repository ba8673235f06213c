"""The way in: the gate judges the key, the operation its scope, and the ledger notes the use."""

from collections.abc import Mapping
from typing import Any, Literal

from app.headers import header
from services.access.gate import Approach
from services.context import Context
from services.operations import check_scope, declared
from services.runtime import Runtime

Version = Literal["integrations/v1", "integrations/v2"]


def approach_of(
    scope: Any,
    opt: Mapping[str, Any],
    version: Version,
    *,
    page: int = 1,
    walk: str | None = None,
    pays_ahead: bool = True,
) -> Approach:
    """A request as it comes to the gate; `walk` names the list and query of which this is a `page`."""
    client, state = scope.get("client"), scope["state"]
    return Approach(
        api_key=header(scope, b"x-api-key"),
        origin=header(scope, b"origin"),
        address=client[0] if client else "unknown",
        surface=state.get("surface", version),
        request_id=state["request_id"],
        operation=declared(opt["operation"]).name,
        walk=walk,
        page=page,
        pays_ahead=pays_ahead,
    )


async def let_in(scope: Any, opt: Mapping[str, Any], approach: Approach) -> None:
    """Header, key, credential, installation, rate limit, origin, scope. `opt` is the route's; raises the refusal."""
    state: dict[str, Any] = scope["state"]
    runtime: Runtime = state["runtime"]
    operation = declared(opt["operation"])
    state["approach"] = approach
    principal = await runtime.gate.admit(approach, pending_too=bool(opt.get("pending_too")))
    context = state["context"] = Context(runtime, principal, "rest", approach.request_id)
    await check_scope(context, operation)
    if approach.opened is not None:
        opened = approach.opened
        asked = (approach.surface, opt.get("operation_id", operation.name), scope["query_string"])
        runtime.usage.note(opened.tenant, opened.installation, opened.credential, *asked)
