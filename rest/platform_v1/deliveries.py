"""`/integrations/instances/{id}/webhook` and `…/deliveries`: an endpoint made anew, and what came in at it."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from litestar import Response
from litestar.params import FromPath
from msgspec import Raw

from app.clock import iso
from app.errors import NotFound
from rest.platform_v1 import queries
from rest.platform_v1 import webhook_shapes as shapes
from rest.platform_v1.definitions import listed
from rest.platform_v1.entry import Asked, body_of, context_of, expected_version
from rest.platform_v1.instances import instance_id, issued
from rest.platform_v1.routing import Words, route, sent
from services.filters.expression import read_filter
from services.inputs import read_input
from services.integrations.webhooks.endpoints import (
    SecretRotation,
    rotate_integration_webhook_secret,
    rotate_integration_webhook_url,
)
from services.integrations.webhooks.reading import get_integration_delivery, list_integration_deliveries

_ONE = "/integrations/instances/{id:str}"
_FIELDS = {
    "id": "id", "eventType": "event_type", "deliveryId": "delivery_id", "status": "status", "error": "error",
    "scheme": "scheme", "signedAt": "signed_at", "digest": "digest", "sizeBytes": "size_bytes",
    "requestId": "request_id", "receivedAt": "received_at",
}  # fmt: skip
_Filter: TypeAlias = Annotated[
    str | None,
    queries.filtering(
        _FIELDS,
        fields='{"status":"rejected","eventType":"order.paid"}',
        operators='{"sizeBytes":{"gte":1000},"receivedAt":{"gte":"2026-11-21T00:00:00Z"}}',
        alternatives='{"or":[{"eventType":{"like":"order.%"}},{"eventType":null}]}',
    ),
]


@route(
    "POST",
    f"{_ONE}/webhook/rotate-secret",
    rotate_integration_webhook_secret,
    Words(
        "rotate_webhook_secret",
        "Sign with a new secret",
        "The one before holds for `overlapSeconds` more. A secret that was made here is shown this once.",
    ),
    body=SecretRotation,
)
async def rotate_webhook_secret(request: Asked, id: FromPath[str]) -> Response[shapes.WebhookIssued]:
    given, wanted = read_input(SecretRotation, await body_of(request) or b"{}"), instance_id(id)
    version = expected_version(request)
    return sent(issued(await rotate_integration_webhook_secret(context_of(request), wanted, given, version=version)))


@route(
    "POST",
    f"{_ONE}/webhook/rotate-url",
    rotate_integration_webhook_url,
    Words("rotate_webhook_url", "Receive at a new URL", "It is shown this once; the one before ends at once."),
)
async def rotate_webhook_url(request: Asked, id: FromPath[str]) -> Response[shapes.WebhookIssued]:
    context, version = context_of(request), expected_version(request)
    return sent(issued(await rotate_integration_webhook_url(context, instance_id(id), version=version)))


@route(
    "GET",
    f"{_ONE}/deliveries",
    list_integration_deliveries,
    Words("list_deliveries", "What came in", "The latest first, without payloads; `deliveryId` is the sender's own."),
)
async def list_deliveries(
    request: Asked,
    id: FromPath[str],
    page: queries.Page = 1,
    limit: queries.Limit = 20,
    event: queries.EventType = None,
    status: queries.DeliveryStatus = None,
    delivery: queries.DeliveryId = None,
    where: _Filter = None,
) -> Response[shapes.DeliveryPage]:
    queries.checked(eventType=event)
    queries.checked(deliveryId=delivery)
    given: dict[str, Any] = {
        "instance": instance_id(id),
        "event_type": event,
        "status": status,
        "delivery_id": delivery,
    }
    asked = queries.listing(page, limit, "", sort="-received_at", where=read_filter(where, _FIELDS), **given)
    return listed(asked, await list_integration_deliveries(context_of(request), asked), _entry)


@route(
    "GET",
    f"{_ONE}/deliveries/{{delivery:str}}",
    get_integration_delivery,
    Words("get_delivery", "One delivery", "With its payload, as it came in, for as long as that is kept."),
)
async def get_delivery(request: Asked, id: FromPath[str], delivery: FromPath[str]) -> Response[shapes.DeliveryAnswer]:
    wanted = queries.uuid_or_none(delivery)
    if wanted is None:
        raise NotFound("There is no such delivery.")
    row = await get_integration_delivery(context_of(request), instance_id(id), wanted)
    payload = row["payload"]
    return sent(_entry(row) | {"payload": None if payload is None else Raw(payload.encode())})


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "eventType": row["event_type"],
        "deliveryId": row["delivery_id"],
        "status": row["status"],
        "error": row["error"],
        "scheme": row["scheme"],
        "signedAt": row["signed_at"] and iso(row["signed_at"]),
        "headers": Raw(row["headers"].encode()),
        "digest": row["digest"],
        "sizeBytes": row["size_bytes"],
        "requestId": row["request_id"],
        "receivedAt": iso(row["received_at"]),
        "payloadUntil": row["payload_expires_at"] and iso(row["payload_expires_at"]),
    }


ROUTES = [rotate_webhook_secret, rotate_webhook_url, list_deliveries, get_delivery]
