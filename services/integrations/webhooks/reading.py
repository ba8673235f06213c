"""Deliveries, listed without their payloads; and the payloads, for those who may execute."""

from typing import Any, get_args
from uuid import UUID

from app.auth.encryption import Place, Sealed, Unreadable
from app.auth.scopes import Scope
from app.database import Row
from app.errors import ExecutionFailed, NotFound, ValidationFailed
from services.context import Context
from services.filters.fields import ID, INSTANT, INTEGER, TEXT, Field, one_of
from services.integrations.definitions.webhooks import Scheme
from services.integrations.instances.rows import find_instance
from services.integrations.webhooks.storing import TABLE
from services.offset_lists import list_page
from services.operations import operation
from services.paging import KeysetPage, KeysetRequest, Listing, OffsetPage, OffsetRequest, Sort, rows_among

_SHOWN = (
    "id, instance, event_type, delivery_id, status, error, scheme, signed_at, headers, digest, size_bytes, request_id, "
    "received_at, payload_expires_at"
)
DELIVERIES = Listing(
    source=TABLE,
    columns=_SHOWN,
    sorts={"received_at": Sort("received_at", int)},
    default_sort="received_at",
    filters={
        "instance": "instance = {instance}",
        "event_type": "event_type = {event_type}",
        "status": "status = {status}",
        "delivery_id": "delivery_id = {delivery_id}",
    },
    fields={
        "id": Field("id", ID),
        "event_type": Field("event_type", TEXT, nullable=True),
        "delivery_id": Field("delivery_id", TEXT, nullable=True),
        "status": Field("status", one_of("accepted", "rejected")),
        "error": Field("error", TEXT, nullable=True),
        "scheme": Field("scheme", one_of(*get_args(Scheme))),
        "signed_at": Field("signed_at", INSTANT, nullable=True),
        "digest": Field("digest", TEXT),
        "size_bytes": Field("size_bytes", INTEGER),
        "request_id": Field("request_id", TEXT),
        "received_at": Field("received_at", INSTANT),
    },
)


@operation(scope=Scope.INTEGRATIONS_READ, raises=[NotFound, ValidationFailed])
async def list_integration_deliveries(
    context: Context, request: OffsetRequest | KeysetRequest
) -> OffsetPage | KeysetPage:
    """List the webhooks that came in, the latest first; of one instance where the filter names it."""
    instance = request.filters.get("instance")
    if instance is not None:
        await find_instance(context.tenant, instance)
    return await list_page(context, DELIVERIES, request)


@operation(scope=Scope.INTEGRATIONS_READ)
async def get_integration_deliveries(context: Context, deliveries: list[UUID]) -> list[Row]:
    """The deliveries of these ids that the tenant has, without their payloads, in no order."""
    return await rows_among(context.database, TABLE, _SHOWN, context.tenant, "id", deliveries, "received_at, id")


@operation(scope=Scope.INTEGRATIONS_EXECUTE, raises=[ExecutionFailed])
async def get_integration_payloads(context: Context, deliveries: list[UUID]) -> list[Row]:
    """The payloads of these deliveries that are kept, as `id` and `payload`, the JSON text that came in."""
    rows = await rows_among(
        context.database, TABLE, "id, payload, key_id", context.tenant, "id", deliveries, "received_at, id"
    )
    return [{"id": row["id"], "payload": _opened(context, row)} for row in rows if row["payload"] is not None]


@operation(scope=Scope.INTEGRATIONS_EXECUTE, raises=[NotFound, ExecutionFailed])
async def get_integration_delivery(context: Context, instance_id: UUID, delivery_id: UUID) -> dict[str, Any]:
    """One delivery of an instance with its payload, the JSON text that came in; None where it is kept no longer."""
    columns = f"{_SHOWN}, payload, key_id"
    rows = await rows_among(context.database, TABLE, columns, context.tenant, "id", [delivery_id], "id")
    if not rows or rows[0]["instance"] != instance_id:
        raise NotFound("There is no such delivery.")
    row = dict(rows[0])
    return row | {"payload": None if row["payload"] is None else _opened(context, row)}


def _opened(context: Context, row: Any) -> str:
    try:
        sealed = Sealed(row["key_id"], row["payload"])
        return context.runtime.encryption.open(sealed, Place(TABLE, row["id"], "payload"))
    except Unreadable:
        raise ExecutionFailed("The payload cannot be opened with the keys of this server.") from None
