"""`/integrations/webhooks/{token}`: where webhooks come in. Their signature is the only credential.

The challenge of a sender is anybody's text: it goes back as plain text that no browser takes for anything else.
"""

from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import FromPath

from app.errors import DomainError, PayloadTooLarge, RequestsLimited
from rest.platform_v1.entry import Asked
from rest.platform_v1.routing import sent
from rest.platform_v1.shapes import ServiceError
from rest.platform_v1.webhook_shapes import WebhookTaken
from services.integrations.definitions.challenges import MOST_MEMBERS
from services.integrations.signing.headers import Headers
from services.integrations.webhooks.challenges import Answered, read_query
from services.integrations.webhooks.receiving import Arrival, receive_at, receive_integration_webhook
from services.runtime import Runtime

#: Whatever the server takes elsewhere: payloads are kept.
_MOST_BYTES = 1_048_576
_REFUSALS = {
    400: "The body is no JSON, or breaks the schema of its event.",
    401: "There is no such endpoint, or the signature does not hold; the answer does not say which.",
    409: "The integration is disabled, or waits for something.",
    410: "The integration's definition is archived.",
    429: "More than is taken of this address or for this integration; `Retry-After` says for how long.",
    500: "Something went wrong here; `requestId` names the request.",
    503: "A part that this needs is away; try again after `Retry-After` seconds.",
}


#: What is sent back was chosen by who asks.
_INERT = {
    "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}  # fmt: skip
_PLAIN, _JSON = "text/plain; charset=utf-8", "application/json; profile=challenge"
#: Of several texts. Who reads the profile above counts on one.
_SEVERAL = "application/json; profile=challenge-members"
_TEXT = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
_NAMED_TEXT = OpenAPIMediaType(
    schema=Schema(
        type=OpenAPIType.OBJECT,
        additional_properties=Schema(type=OpenAPIType.STRING),
        min_properties=1,
        max_properties=1,
    )
)
_NAMED_TEXTS = OpenAPIMediaType(
    schema=Schema(
        type=OpenAPIType.OBJECT,
        additional_properties=Schema(type=OpenAPIType.STRING),
        min_properties=2,
        max_properties=MOST_MEMBERS,
    )
)


@dataclass
class _WithPayload(Operation):
    def __post_init__(self) -> None:
        self.request_body = RequestBody(content={"application/json": OpenAPIMediaType(schema=Schema())}, required=True)
        _tell_challenge(self, keep=True)


@dataclass
class _Challenge(Operation):
    def __post_init__(self) -> None:
        _tell_challenge(self, keep=False)


def _tell_challenge(operation: Operation, *, keep: bool) -> None:
    """What a challenge is answered with, beside what there is: JSON of another profile than what was taken."""
    answer = (operation.responses or {})["200"]
    assert isinstance(answer, OpenAPIResponse)
    before = (answer.content if keep else None) or {}
    answer.content = {**before, _PLAIN: _TEXT, _JSON: _NAMED_TEXT, _SEVERAL: _NAMED_TEXTS}


_RESPONSES = {
    status: ResponseSpec(data_container=ServiceError, description=text, generate_examples=False)
    for status, text in _REFUSALS.items()
}


@post(
    "/integrations/webhooks/{token:str}",
    operation_id="receive_webhook",
    summary="Receive a webhook",
    description=(
        "For the other side of an integration: its webhooks, signed as the definition says. One that was here before "
        "is answered with `DUPLICATE`, and nothing is done again. A challenge, where the definition has one, is "
        "answered with its text."
    ),
    tags=["integrations"],
    opt={"operation": receive_integration_webhook, "body": None, "media": (), "open": True},
    security=[{}],
    responses=_RESPONSES,
    status_code=200,
    operation_class=_WithPayload,
    request_max_body_size=_MOST_BYTES,
)
async def receive_webhook(request: Asked, token: FromPath[str]) -> Response[WebhookTaken]:
    return await _received(request, token, "POST")


@get(
    "/integrations/webhooks/{token:str}",
    operation_id="answer_webhook_challenge",
    summary="Answer a challenge",
    description=(
        "For the other side of an integration, which asks before it sends: its text comes back, where it shows what "
        "the definition wants."
    ),
    tags=["integrations"],
    opt={"operation": receive_integration_webhook, "body": None, "media": (), "open": True},
    security=[{}],
    responses=_RESPONSES,
    status_code=200,
    operation_class=_Challenge,
)
async def answer_webhook_challenge(request: Asked, token: FromPath[str]) -> Response[None]:
    return await _received(request, token, "GET")


async def _received(request: Asked, token: str, method: Literal["GET", "POST"]) -> Response[Any]:
    runtime: Runtime = request.app.state.runtime
    state: dict[str, Any] = request.scope["state"]
    try:
        await _limit(runtime, request)
        body = await _body(runtime, request) if method == "POST" else b""
        query = read_query(request.scope["query_string"])
        arrival = Arrival(Headers(_pairs(request)), body, query, method)
        taken = await receive_at(runtime, token, arrival, state["request_id"])
    except DomainError as error:
        state["webhook"] = error.code
        raise
    if isinstance(taken, Answered):
        state["webhook"] = "challenge"
        return _told(taken)
    state["webhook"] = "duplicate" if taken.duplicate else "accepted"
    return sent({"status": state["webhook"].upper(), "id": str(taken.id)})


def _told(answered: Answered) -> Response[Any]:
    if answered.members is not None:
        body, media = msgspec.json.encode(answered.members), _JSON if len(answered.members) == 1 else _SEVERAL
    else:
        body, media = answered.text.encode(), "text/plain"
    return Response(body, status_code=200, headers=dict(_INERT), media_type=media)


async def _limit(runtime: Runtime, request: Asked) -> None:
    address = request.client.host if request.client is not None else "unknown"
    most = runtime.settings.deliveries_per_address_per_minute
    verdict = await runtime.limiter.hit(f"webhooks:{address}", most, most)
    if not verdict.admitted:
        raise RequestsLimited(verdict.retry_seconds)


async def _body(runtime: Runtime, request: Asked) -> bytes:
    body = await request.body()
    if len(body) > min(_MOST_BYTES, runtime.settings.max_body_bytes):
        raise PayloadTooLarge
    return body


def _pairs(request: Asked) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"]]


ROUTES = [receive_webhook, answer_webhook_challenge]
