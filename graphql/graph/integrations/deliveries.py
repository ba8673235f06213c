"""Webhooks that came in, on the control plane: listed, and told as they come."""

from collections.abc import AsyncGenerator, Mapping
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import msgspec
import strawberry

from graph.audit.subscriptions import Lagged
from graph.comparisons import filter_of
from graph.connections import After, Before, Connection, First, Last, page_request
from graph.edges import edge
from graph.integrations.enums import IntegrationDeliveryStatus
from graph.integrations.listening import live_messages
from graph.integrations.queries import OF_INSTANCE
from graph.integrations.types import INSTANCES, IntegrationInstance
from graph.integrations.wheres import DELIVERY_IDS, DeliveryWhere
from graph.loaders import loader
from graph.relay import from_global_id, id_column
from graph.request import Info
from graph.requires import operation_field, subscription_field
from graph.rows import AbsentAsNull, column, json_text
from graph.scalars import JSON, DateTime
from graph.sorting import Direction, SortDirection, filters_of, keyset
from services.context import Context
from services.integrations.instances.reading import get_integration_instances
from services.integrations.webhooks import reading
from services.integrations.webhooks.storing import RECEIVED, REJECTED


async def _payloads_of(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    """The payloads that are kept, of these deliveries."""
    return {row["id"]: row["payload"] for row in await reading.get_integration_payloads(context, ids)}


async def _deliveries(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    """The tenant's deliveries among these ids."""
    return {row["id"]: row for row in await reading.get_integration_deliveries(context, ids)}


PAYLOADS, DELIVERIES = loader(_payloads_of), loader(_deliveries)


@strawberry.type(description="A webhook that came in, and whose signature held.")
class IntegrationDelivery:
    id: strawberry.ID = id_column("IntegrationDelivery")
    event_type: str | None = column(description="The type of the event; null where its definition names none.")
    delivery_id: str | None = column(description="What its sender calls it; null where that has no name for it.")
    status: IntegrationDeliveryStatus = column(description="What became of it.")
    error: str | None = column(description="Which rules it breaks; null where it was accepted.")
    scheme: str = column(description="How it was signed: standard, timestamped or hmac.")
    signed_at: DateTime | None = column(description="When it was signed; null where that is not signed.")
    headers: JSON = column(convert=json_text, description="The headers that say what it is.")
    digest: str = column(description="SHA-256 of what was signed, in hexadecimal.")
    size_bytes: int = column(description="The size of its body.")
    request_id: str = column(description="The request that brought it.")
    received_at: DateTime = column(description="When it came in.")
    instance: IntegrationInstance | None = edge(
        get_integration_instances,
        IntegrationInstance | None,
        INSTANCES,
        key="instance",
        description="The instance that it came in at.",
    )

    @operation_field(
        reading.get_integration_payloads,
        JSON | None,
        description="What it says; null where that is kept no longer. For those who may execute methods.",
        # Each may be a megabyte.
        cost=40,
    )
    async def payload(root: strawberry.Parent[Any], info: Info) -> Any:
        text = await PAYLOADS.load(info.context, root["id"])
        return None if text is None else msgspec.json.decode(text)


@strawberry.type(description="A webhook that came in just now.")
class IntegrationDeliveryEvent:
    event_type: str | None = column(description="The type of the event; null where its definition names none.")
    delivery_id: str | None = column(description="What its sender calls it; null where that has no name for it.")
    status: IntegrationDeliveryStatus = column(description="What became of it.")
    error: str | None = column(description="Which rules it breaks; null where it was accepted.")
    size_bytes: int = column(description="The size of its body.")
    at: DateTime = column(description="When it came in.")
    delivery: IntegrationDelivery | None = edge(
        reading.get_integration_deliveries,
        IntegrationDelivery | None,
        DELIVERIES,
        key="delivery_key",
        description="The delivery; null where it is gone.",
    )


@strawberry.type(description="One message of a stream of deliveries: an event or a notice.")
class IntegrationDeliveryMessage:
    event: IntegrationDeliveryEvent | None = column(description="The event; null in a notice.")
    lagged: Lagged | None = column(description="The notice; null with an event.")


@strawberry.input(description="Which deliveries: those that pass everything that is given.")
class IntegrationDeliveryFilter:
    instance: strawberry.ID | None = strawberry.field(default=None, description="Of this instance.")
    event_type: str | None = strawberry.field(default=None, description="Of this type of event.")
    status: IntegrationDeliveryStatus | None = strawberry.field(default=None, description="In this status.")
    delivery_id: str | None = strawberry.field(default=None, description="That its sender calls so.")


DeliveryFilter: TypeAlias = Annotated[
    IntegrationDeliveryFilter | None, strawberry.argument(description="Which deliveries to list.")
]
Instance: TypeAlias = Annotated[strawberry.ID | None, strawberry.argument(description="Of this instance alone.")]


@strawberry.type
class DeliveryQuery:
    @operation_field(reading.list_integration_deliveries, Connection[IntegrationDelivery] | None)
    async def integration_deliveries(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        filter: DeliveryFilter = None,
        where: DeliveryWhere = None,
        direction: Direction = SortDirection.DESC,
    ) -> Any:
        wanted: Any = {"filters": filters_of(filter, OF_INSTANCE), "where": filter_of(where, DELIVERY_IDS)}
        request = page_request(first, last, after, before, descending=direction.descending, **wanted)
        return keyset(await reading.list_integration_deliveries(info.context.context, request))


@strawberry.type
class DeliverySubscription:
    @subscription_field(
        reading.list_integration_deliveries,
        IntegrationDeliveryMessage,
        description="Each webhook as it comes in, once. What was missed is in `integrationDeliveries`.",
    )
    async def integration_delivery_events(self, info: Info, instance: Instance = None) -> AsyncGenerator[Any, None]:
        wanted = None if instance is None else from_global_id(instance, "IntegrationInstance", "instance")
        kinds = (RECEIVED, REJECTED)
        async for message in live_messages(info.context.context, wanted, kinds, info.context.listening):
            yield AbsentAsNull(_with_delivery(message))


def _with_delivery(message: Mapping[str, Any]) -> dict[str, Any]:
    event = message.get("event")
    return dict(message) if event is None else {"event": {**event, "delivery_key": UUID(event["delivery"])}}
