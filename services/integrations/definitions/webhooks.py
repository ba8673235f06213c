"""The webhooks that a definition of type `webhook` receives, as its author writes them: all of it is data."""

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta

from services.integrations.definitions.challenges import Challenge
from services.integrations.definitions.parts import Expression, HeaderName, Part, Schema

#: The secret that webhooks are signed with, among the secrets of an instance.
SIGNING_SECRET, PREVIOUS_SECRET = "signingSecret", "previousSigningSecret"
Scheme: TypeAlias = Literal["standard", "timestamped", "hmac"]
EventName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
FieldName: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,20}$(?!\n)")]
STANDARD_HEADERS = {"id": "webhook-id", "timestamp": "webhook-timestamp", "signature": "webhook-signature"}


class Signature(Part, kw_only=True, frozen=True):
    """How a webhook is signed, with HMAC-SHA-256 over bytes that end with the raw body.

    - `standard`: Standard Webhooks; `id.timestamp.body`, base64, in `header` as `v1,…`, several with spaces between.
      `header`, `idHeader` and `timestampHeader` are needed only where they have other names.
    - `timestamped`: one `header`, `t=…,v1=…`; `timestamp.body`, in hexadecimal. The two names may be others.
    - `hmac`: `header` has `prefix` and the signature. `signed` says what is signed, with `{timestamp}` and `{body}`;
      where it names the timestamp, `timestampHeader` has it. Without, a replay is known by its body.
    """

    scheme: Scheme
    header: HeaderName | None = None
    id_header: HeaderName | None = None
    timestamp_header: HeaderName | None = None
    timestamp_field: FieldName | None = None
    signature_field: FieldName | None = None
    encoding: Literal["hex", "base64"] | None = None
    prefix: Annotated[str, Meta(max_length=50)] | None = None
    signed: Annotated[str, Meta(min_length=1, max_length=100)] | None = None

    @property
    def signature_header(self) -> str:
        return self.header or STANDARD_HEADERS["signature"]

    @property
    def timed_by(self) -> str | None:
        """The header that has nothing but the timestamp."""
        given = STANDARD_HEADERS["timestamp"] if self.scheme == "standard" else None
        return self.timestamp_header or given

    @property
    def named_by(self) -> str | None:
        """The header with the id that is signed too."""
        given = STANDARD_HEADERS["id"] if self.scheme == "standard" else None
        return self.id_header or given

    @property
    def is_timed(self) -> bool:
        """Whether when it was signed is signed too, so that an old one is refused."""
        return self.scheme != "hmac" or self.timestamp_header is not None


class Source(Part, kw_only=True, frozen=True):
    """Where a value of a webhook is: in a header, or, by JMESPath, in the body. Exactly one of the two."""

    header: HeaderName | None = None
    body: Expression | None = None


class WebhookExample(Part, kw_only=True, frozen=True):
    """A webhook as the sender makes it: `payload` fits the event's schema. The definition's offline contract test."""

    payload: Any
    headers: dict[str, str] | None = None


class Event(Part, kw_only=True, frozen=True):
    """One type of event, by the name that the sender gives it."""

    name: EventName
    description: Annotated[str, Meta(max_length=10_000)] | None = None
    payload_schema: Schema | None = None
    examples: Annotated[list[WebhookExample], Meta(max_length=20)] | None = None


class Webhook(Part, kw_only=True, frozen=True):
    """What comes in: one of `signatures` must hold. `eventType` and `deliveryId` say where the sender names them.

    Of `events` each has its schema; one of another type is taken as it is. `challenge` is what the sender wants
    answered before it sends any.
    """

    signatures: Annotated[list[Signature], Meta(min_length=1, max_length=5)]
    event_type: Source | None = None
    delivery_id: Source | None = None
    events: Annotated[list[Event], Meta(max_length=500)] | None = None
    challenge: Challenge | None = None
