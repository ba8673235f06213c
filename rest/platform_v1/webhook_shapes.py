"""The bodies of webhooks: what their sender is answered, what is shown of an endpoint, and deliveries."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from rest.platform_v1.shapes import Instant, PageCounts


class _Shape(msgspec.Struct, rename="camel"):
    pass


class WebhookTaken(_Shape):
    """`DUPLICATE` where it was here before: nothing was done again. `id` is the delivery's."""

    status: Literal["ACCEPTED", "DUPLICATE"]
    id: str


class WebhookIssued(_Shape, kw_only=True):
    """What was made anew, and is shown this once. The previous secret holds until `previousSecretUntil`."""

    url: str | UnsetType = UNSET
    signing_secret: str | UnsetType = UNSET
    previous_secret_until: Instant | UnsetType = UNSET


class Delivery(_Shape, kw_only=True):
    """A webhook whose signature held. `rejected` is one that does not fit its event's schema; `error` says how."""

    id: str
    event_type: str | None
    delivery_id: str | None
    status: Literal["accepted", "rejected"]
    error: str | None
    scheme: Literal["standard", "timestamped", "hmac"]
    signed_at: Instant | None
    headers: dict[str, str]
    digest: str
    size_bytes: int
    request_id: str
    received_at: Instant
    payload_until: Instant | None


class DeliveryPage(_Shape):
    items: list[Delivery]
    pagination: PageCounts


class DeliveryAnswer(Delivery, kw_only=True):
    """`payload` is the JSON that came in; null where it is kept no longer."""

    payload: Any
