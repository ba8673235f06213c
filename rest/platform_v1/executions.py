"""`/integrations/instances/{id}/methods/{name}/execute`, and what was executed."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from litestar import Response
from litestar.params import FromPath

from app.clock import iso
from rest.platform_v1 import execution_shapes as shapes
from rest.platform_v1 import queries
from rest.platform_v1.definitions import listed
from rest.platform_v1.entry import Asked, body_of, context_of
from rest.platform_v1.instances import instance_id
from rest.platform_v1.routing import Words, route, sent
from services.filters.expression import read_filter
from services.idempotency import HEADER
from services.inputs import read_input
from services.integrations.execution.executing import NewExecution, execute_integration_method
from services.integrations.execution.reading import list_integration_executions

_ONE = "/integrations/instances/{id:str}"
_FIELDS = {
    "id": "id", "method": "method", "sideEffect": "side_effect", "outcome": "outcome", "code": "code",
    "error": "error", "host": "host", "statusCode": "status_code", "latencyMs": "latency_ms", "attempts": "attempts",
    "responseBytes": "response_bytes", "requestId": "request_id", "actor": "actor_id", "surface": "surface", "at": "at",
}  # fmt: skip
_Filter: TypeAlias = Annotated[
    str | None,
    queries.filtering(
        _FIELDS,
        fields='{"outcome":"failed","method":"getRepository"}',
        operators='{"latencyMs":{"gte":1000},"at":{"gte":"2026-11-21T00:00:00Z"}}',
        alternatives='{"or":[{"statusCode":{"gte":500}},{"statusCode":null}]}',
    ),
]


@route(
    "POST",
    f"{_ONE}/methods/{{name:str}}/execute",
    execute_integration_method,
    Words(
        "execute_method",
        "Execute a method",
        "Calls the other side. Limited by the method's own rate limit; the headers tell of that one.",
    ),
    body=shapes.ExecutionBody,
)
async def execute_method(request: Asked, id: FromPath[str], name: FromPath[str]) -> Response[shapes.ExecutionAnswer]:
    given = read_input(shapes.ExecutionBody, await body_of(request) or b"{}")
    key = request.headers.get(HEADER)
    asked = NewExecution(method=name, parameters=given.parameters, cursor=given.cursor, all=given.all, key=key)
    made = await execute_integration_method(context_of(request), instance_id(id), asked)
    return sent({"status": "SUCCESS", "data": made.data, **({"nextCursor": made.cursor} if made.paged else {})})


@route(
    "GET",
    f"{_ONE}/executions",
    list_integration_executions,
    Words("list_executions", "What was executed", "The latest first; kept for a time that the operator sets."),
)
async def list_executions(
    request: Asked,
    id: FromPath[str],
    page: queries.Page = 1,
    limit: queries.Limit = 20,
    method: queries.MethodName = None,
    outcome: queries.Outcome = None,
    where: _Filter = None,
) -> Response[shapes.ExecutionPage]:
    queries.checked(method=method)
    given = {"instance": instance_id(id), "method": method, "outcome": outcome}
    asked = queries.listing(page, limit, "", sort="-at", where=read_filter(where, _FIELDS), **given)
    return listed(asked, await list_integration_executions(context_of(request), asked), _entry)


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "method": row["method"],
        "sideEffect": row["side_effect"],
        "outcome": row["outcome"],
        "code": row["code"],
        "error": row["error"],
        "host": row["host"],
        "statusCode": row["status_code"],
        "latencyMs": row["latency_ms"],
        "attempts": row["attempts"],
        "responseBytes": row["response_bytes"],
        "requestId": row["request_id"],
        "actor": row["actor_id"],
        "surface": row["surface"],
        "at": iso(row["at"]),
    }


ROUTES = [execute_method, list_executions]
