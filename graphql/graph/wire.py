"""GraphQL over HTTP: what a request and an answer look like on the wire, and nothing about what they mean."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

import msgspec

from app.clock import Clock
from app.errors import DomainError, MalformedBody, PayloadTooLarge, QueryRefused, RateLimited
from app.ids import new_request_id
from graph.errors import refusal
from graph.limits import is_bad_text
from services.limits import Verdict

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

GRAPHQL_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"
EVENT_STREAM = "text/event-stream"

_MOST_VARIABLE_DEPTH = 20


class GraphqlRequest(msgspec.Struct, frozen=True, rename="camel"):
    """The body of a request; unknown members are other people's extensions and are left alone."""

    query: str | None = None
    document_id: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None


class Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


_decoder = msgspec.json.Decoder(GraphqlRequest)


def read_request(body: bytes) -> GraphqlRequest:
    """Raises MalformedBody; a list (a batch) is refused by saying so."""
    if body.lstrip()[:1] == b"[":
        raise MalformedBody("Batches are not accepted: send one operation in one request.")
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise MalformedBody(f"The body is no GraphQL request: {error}.") from None
    except (msgspec.DecodeError, RecursionError):
        raise MalformedBody from None


def check_variables(variables: Mapping[str, Any]) -> None:
    """Raise QueryRefused, saying where, for text that cannot be stored and for what nests too deeply."""
    stack: list[tuple[str, Any, int]] = [("variables", variables, 0)]
    while stack:
        where, value, depth = stack.pop()
        if isinstance(value, str):
            if is_bad_text(value):
                raise QueryRefused(f"The text at {where} holds U+0000 or half a surrogate pair.")
        elif depth > _MOST_VARIABLE_DEPTH:
            raise QueryRefused(f"The value at {where[:80]} nests more than {_MOST_VARIABLE_DEPTH} levels.")
        elif isinstance(value, dict):
            stack.extend((f"{where}.{name[:40]}", inner, depth + 1) for name, inner in value.items())
            stack.extend((f"the names of {where}", name, depth + 1) for name in value)
        elif isinstance(value, list):
            stack.extend((f"{where}[{index}]", inner, depth + 1) for index, inner in enumerate(value))


async def read_body(scope: Scope, receive: Receive, most: int) -> bytes | None:
    """The whole body; None where the client went away. Raises PayloadTooLarge as soon as that is known."""
    length = header(scope, b"content-length")
    if length is not None and length.isdigit() and int(length[:20]) > most:
        raise PayloadTooLarge
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        piece = message.get("body", b"")
        size += len(piece)
        if size > most:
            raise PayloadTooLarge
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


def header(scope: Scope, name: bytes) -> str | None:
    """A header of the request, by its name in lower case."""
    for found, value in scope["headers"]:
        if found.lower() == name:
            return bytes(value).decode("latin-1")
    return None


def request_id_of(scope: Scope) -> str:
    found = (scope.get("state") or {}).get("request_id")
    return found if isinstance(found, str) else new_request_id()


def media_types(scope: Scope) -> set[str]:
    """What the client accepts, without parameters and without what it refuses by `q=0`."""
    offered = (header(scope, b"accept") or "*/*").lower().split(",")
    return {part.partition(";")[0].strip() for part in offered if not part.replace(" ", "").endswith(";q=0")}


def limit_headers(verdict: Verdict, clock: Clock) -> dict[str, str]:
    """The cost bucket's state: the usual X- headers (reset in Unix seconds) and the IETF pair."""
    after = max(0, round(verdict.reset_after))
    headers = {
        "X-RateLimit-Limit": str(verdict.quota),
        "X-RateLimit-Remaining": str(verdict.remaining),
        "X-RateLimit-Reset": str(clock.now_ms() // 1000 + after),
        "RateLimit-Policy": f'"cost";q={verdict.quota};w=60',
        "RateLimit": f'"cost";r={verdict.remaining};t={after}',
    }
    return headers if verdict.admitted else headers | {"Retry-After": str(verdict.retry_seconds)}


def refused(error: DomainError, request_id: str, media: str, headers: Mapping[str, str] | None = None) -> Reply:
    """The answer to a request that was not executed."""
    more = dict(headers or {})
    if error.status == 401:
        more["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RateLimited):
        more.setdefault("Retry-After", str(error.retry_after))
    return json_reply(error.status, {"errors": [refusal(error, request_id)]}, media, more)


def json_reply(status: int, content: Any, media: str, headers: Mapping[str, str] | None = None) -> Reply:
    described = {"Content-Type": f"{media}; charset=utf-8", "Cache-Control": "no-store", "Vary": "Accept"}
    return Reply(status, described | dict(headers or {}), msgspec.json.encode(content))


async def send_reply(send: Send, reply: Reply, *, head: bool = False) -> None:
    headers = {**reply.headers, "Content-Length": str(len(reply.body))} if reply.status != 204 else reply.headers
    await send({"type": "http.response.start", "status": reply.status, "headers": raw_headers(headers)})
    await send({"type": "http.response.body", "body": b"" if head else reply.body})


def raw_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
