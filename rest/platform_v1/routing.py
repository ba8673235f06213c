"""Routes of operations: scope, security and refusals in the document come from the operation that a route calls."""

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import msgspec
from litestar import Response, delete, get, post, put
from litestar.enums import MediaType
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, Reference, RequestBody, Schema

from app.errors import DomainError
from rest.platform_v1.entry import Asked, admit, body_of, context_of
from rest.platform_v1.errors import answer, is_service
from rest.platform_v1.shapes import EnvelopeError, ServiceError
from services.idempotency import HEADER, Answer, once
from services.idempotency import Asked as Once
from services.operations import declared

_VERBS: dict[str, Any] = {"GET": get, "POST": post, "PUT": put, "DELETE": delete}
_JSON = "application/json"
#: Kept for a repeated request beside status and body.
_KEPT_HEADERS = ("etag", "location")
_ERRORS = {
    400: "The request breaks a rule; the answer names each field and its rule.",
    401: "Neither a bearer token nor a client certificate that is known here.",
    403: "The caller lacks the scope.",
    404: "There is no such thing, or it is another tenant's.",
    409: "The present state does not allow it, or it collides with what is there.",
    422: "The request is well-formed, and cannot be carried out as it is.",
    429: "The limit is used up; `Retry-After` says for how long.",
    500: "Something went wrong here; `requestId` names the request.",
    502: "The other side answered with an error, or refuses the credentials.",
    503: "A part that this needs is away; try again after `Retry-After` seconds.",
    504: "The other side gave no full answer in time.",
}


class Words(NamedTuple):
    """What the document says of a route."""

    operation_id: str
    summary: str
    description: str


def route(
    verb: Literal["GET", "POST", "PUT", "DELETE"],
    path: str,
    operation: Callable[..., Any],
    words: Words,
    *,
    status: int = 200,
    body: type | None = None,
    media: tuple[str, ...] = (),
    upload: bool = False,
) -> Callable[[Callable[..., Awaitable[Response[Any]]]], HTTPRouteHandler]:
    """A route that calls one operation. A POST with an Idempotency-Key is done once.

    The body is JSON of the shape `body`; `media` are other media types that the route reads itself. An `upload` may be
    as large as an import; a place among the imports is taken before it is read.
    """
    found = declared(operation)
    scopes = [str(found.scope)] if found.scope else []

    def declare(function: Callable[..., Awaitable[Response[Any]]]) -> HTTPRouteHandler:
        made: HTTPRouteHandler = _VERBS[verb](
            path,
            operation_id=words.operation_id,
            summary=words.summary,
            description=words.description,
            tags=[path.split("/")[1]],
            guards=[admit],
            opt={"operation": operation, "body": body, "media": (_JSON, *media), "upload": upload},
            security=[{"Bearer": scopes}, {"ClientCertificate": scopes}],
            responses=_refusals(path, verb),
            status_code=status,
            operation_class=_with_body(body, media),
            # An upload is counted as it is read; the rest has the application's limit.
            **({"request_max_body_size": None} if upload else {}),
        )(_placed(_once(function)) if upload else _once(function) if verb == "POST" else function)
        return made

    return declare


def _refusals(path: str, verb: str) -> dict[int, ResponseSpec]:
    shape = ServiceError if is_service(path) else EnvelopeError
    wanted = [400, 401, 403, 429, 500, 503, *([404] if "{" in path or verb == "POST" else [])]
    wanted += [409] if verb != "GET" else []
    wanted += [502, 504] if path.endswith("/execute") else []
    wanted += [502] if path.endswith("/oauth2/callback") else []
    wanted += [422] if verb == "POST" or (verb == "PUT" and not is_service(path)) else []
    return {
        status: ResponseSpec(data_container=shape, description=_ERRORS[status], generate_examples=False)
        for status in sorted(wanted)
    }


@functools.cache
def _with_body(kind: type | None, media: tuple[str, ...]) -> type[Operation]:
    """An operation of the document whose request body is this shape."""
    if kind is None:
        return Operation
    content = {_JSON: OpenAPIMediaType(schema=Reference(ref=f"#/components/schemas/{kind.__name__}"))}
    content |= {name: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING)) for name in media}

    @dataclass
    class WithBody(Operation):
        def __post_init__(self) -> None:
            self.request_body = RequestBody(content=content, required=True)

    return WithBody


def _placed(function: Callable[..., Awaitable[Response[Any]]]) -> Callable[..., Awaitable[Response[Any]]]:
    @functools.wraps(function)
    async def run(request: Asked, **given: Any) -> Response[Any]:
        context = context_of(request)
        with context.runtime.imports.held(context):
            return await function(request=request, **given)

    return run


def _once(function: Callable[..., Awaitable[Response[Any]]]) -> Callable[..., Awaitable[Response[Any]]]:
    @functools.wraps(function)
    async def run(request: Asked, **given: Any) -> Response[Any]:
        key = request.headers.get(HEADER)
        if key is None:
            return await function(request=request, **given)
        context, query = context_of(request), request.scope["query_string"].decode("latin-1")
        path = request.scope["path"] + (f"?{query}" if query else "")
        kept: list[Response[Any]] = []

        async def work() -> Answer:
            response = await _answered(request, function, given)
            kept.append(response)
            headers = {name: value for name, value in response.headers.items() if name.lower() in _KEPT_HEADERS}
            return Answer(response.status_code or 200, headers, bytes(response.content))

        done = await once(context, Once(key, "POST", path, await body_of(request)), work)
        if not done.replayed:
            return kept[0]
        headers = done.answer.headers | {"Idempotency-Replayed": "true"}
        return Response(done.answer.body, status_code=done.answer.status, headers=headers, media_type=MediaType.JSON)

    return run


async def _answered(
    request: Asked, function: Callable[..., Awaitable[Response[Any]]], given: dict[str, Any]
) -> Response[Any]:
    try:
        return await function(request=request, **given)
    except DomainError as error:
        return answer(request.scope["path"], request.scope["state"]["request_id"], error)


def sent(value: Any, status: int = 200, version: int | None = None, location: str | None = None) -> Response[Any]:
    """An answer of JSON; `version` of its row is its ETag."""
    headers = {} if version is None else {"ETag": f'"{version}"'}
    if location is not None:
        headers["Location"] = location
    return Response(msgspec.json.encode(value), status_code=status, headers=headers, media_type=MediaType.JSON)


def nothing() -> Response[Any]:
    return Response(None, status_code=204)
