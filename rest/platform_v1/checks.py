"""`/integrations/{id}/test`, `/discover` and `/health`: how a connection is, and what there is behind it."""

from typing import Any

import msgspec
from litestar import Response
from litestar.params import FromPath

from app.clock import iso
from rest.platform_v1 import execution_shapes as shapes
from rest.platform_v1.entry import Asked, body_of, context_of
from rest.platform_v1.envelope import enveloped
from rest.platform_v1.instances import instance_id
from rest.platform_v1.routing import Words, route
from services.inputs import read_input
from services.integrations.execution.discovering import NewDiscovery, discover_integration_resources
from services.integrations.execution.health import test_integration_instance
from services.integrations.instances.reading import get_integration_instance

_ONE = "/integrations/{id:str}"


@route(
    "POST",
    f"{_ONE}/test",
    test_integration_instance,
    Words("test_integration", "Test a connection", "A connection that failed is an answer: `success` is false."),
    body=shapes.TestBody,
)
async def test_integration(request: Asked, id: FromPath[str]) -> Response[shapes.TestEnvelope]:
    given = read_input(shapes.TestBody, await body_of(request))
    found = await test_integration_instance(context_of(request), instance_id(id), given.timeout_seconds)
    shown = {"success": found.success, "latencyMs": found.latency_ms, "message": found.message}
    return enveloped(request, shown | {"checkedAt": iso(found.checked_at), "details": found.details})


@route(
    "POST",
    f"{_ONE}/discover",
    discover_integration_resources,
    Words("discover_resources", "Discover resources", "What there is on the other side, of one type, page by page."),
    body=NewDiscovery,
)
async def discover_resources(request: Asked, id: FromPath[str]) -> Response[shapes.DiscoveryEnvelope]:
    given = read_input(NewDiscovery, await body_of(request))
    found = await discover_integration_resources(context_of(request), instance_id(id), given)
    shown = {"resourceType": found.resource_type, "resources": found.resources, "nextCursor": found.cursor}
    return enveloped(request, shown | {"discoveredAt": iso(found.at)})


@route(
    "GET",
    f"{_ONE}/health",
    get_integration_instance,
    Words("get_integration_health", "The health of an integration", "What the last twenty checks found."),
)
async def get_integration_health(request: Asked, id: FromPath[str]) -> Response[shapes.HealthEnvelope]:
    row = await get_integration_instance(context_of(request), instance_id(id))
    shown: dict[str, Any] = {
        "status": row["health_status"],
        "message": row["health_message"],
        "lastCheckedAt": row["health_checked_at"] and iso(row["health_checked_at"]),
        "latencyMs": row["health_latency_ms"],
        "consecutiveFailures": row["health_failures"],
        "history": msgspec.json.decode(row["health_history"] or "[]"),
    }
    return enveloped(request, shown)


ROUTES = [test_integration, discover_resources, get_integration_health]
