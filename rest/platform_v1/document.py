"""The document made whole: each operation names its refusals, in the dialect of its path, and 204 has no content."""

import json
from collections.abc import Iterator
from typing import Any

from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPI

from app.errors import (
    CircuitOpen,
    DomainError,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    Internal,
    InvalidQueryParameters,
    InvalidToken,
    MalformedBody,
    PayloadTooLarge,
    RateLimited,
    RequestsLimited,
    ScopeDenied,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
    ValidationFailed,
)
from rest.framework import Surface
from rest.platform_v1.errors import body_at, form_of, is_service
from rest.platform_v1.examples import BODIES
from rest.platform_v1.queries import RULES, not_a_parameter
from services.operations import declared

Node = dict[str, Any]
_REQUEST_ID = "req_5f0c1d2e3a4b5c6d7e8f"
_AT = "2026-11-21T09:30:00.000Z"
_TOO_LARGE = {413: "The body is larger than this server takes.", 415: "The body is of no media type that is read here."}


class DescribedApp(Surface):
    """The routes, whose document is the finished one."""

    @property
    def openapi_schema(self) -> Any:
        return Finished(super().openapi_schema, self.route_handler_method_map)


class Finished:
    """What the framework says of the routes, completed."""

    def __init__(self, made: OpenAPI, handlers: Any) -> None:
        self._made, self._handlers = made, handlers
        self.components = made.components

    def to_schema(self) -> Node:
        found: Node = self._made.to_schema()
        for path, handlers in self._handlers.items():
            plain = _plain(path)
            for method, handler in handlers.items():
                if (said := found["paths"].get(plain, {}).get(method.lower())) is not None:
                    _finish(said, plain, handler)
        return found


def _plain(path: str) -> str:
    """`/x/{id:str}` as the document writes it."""
    return path.replace(":str}", "}")


def _finish(said: Node, path: str, handler: HTTPRouteHandler) -> None:
    if "requestBody" in said:
        said["requestBody"]["content"]["application/json"]["example"] = BODIES[said["operationId"]]
    answers = said["responses"]
    answers.get("204", {}).pop("content", None)
    by_status: dict[int, list[DomainError]] = {}
    for error in _refusals(said, handler):
        by_status.setdefault(form_of(path, error).status or error.status, []).append(error)
    for status, errors in by_status.items():
        answer = answers.setdefault(str(status), {"description": _TOO_LARGE.get(status, errors[0].message)})
        schema = {"$ref": f"#/components/schemas/{'ServiceError' if is_service(path) else 'EnvelopeError'}"}
        shown = answer.setdefault("content", {}).setdefault("application/json", {"schema": schema})
        shown["examples"] = {error.code: {"value": _example(path, error)} for error in errors}
        named = ", ".join(f"`{form_of(path, error).code}` (`{error.code}`)" for error in errors)
        answer["description"] = f"{answer['description']} {named}."
    said["responses"] = dict(sorted(answers.items()))


def _refusals(said: Node, handler: HTTPRouteHandler) -> Iterator[DomainError]:
    """What the surface refuses by itself, then what the operation raises; each code once."""
    seen: set[str] = set()
    operation = declared(handler.opt["operation"])
    if handler.opt.get("open"):
        yield from map(_sample, [RequestsLimited, Internal, Unavailable, PayloadTooLarge, *operation.raises])
        return
    kinds: list[type[DomainError]] = [Unauthenticated, InvalidToken, RequestsLimited, Internal, Unavailable]
    kinds += [ScopeDenied] if operation.scope else []
    kinds += [InvalidQueryParameters]
    kinds += [MalformedBody, ValidationFailed, PayloadTooLarge, UnsupportedMediaType] if handler.opt["body"] else []
    kinds += [IdempotencyInProgress, IdempotencyKeyReused] if "POST" in handler.http_methods else []
    names = {one["name"] for one in said.get("parameters", ()) if one["in"] == "query"}
    for kind in [*kinds, *operation.raises]:
        if kind.code not in seen:
            seen.add(kind.code)
            yield _of_query(names) if kind is InvalidQueryParameters else _sample(kind)


def _of_query(names: set[str]) -> InvalidQueryParameters:
    """A refusal that this list of parameters can have."""
    return InvalidQueryParameters(
        {"page": RULES["page"]} if "page" in names else {"verbose": not_a_parameter("verbose", names)}
    )


def _sample(kind: type[DomainError]) -> DomainError:
    if issubclass(kind, RateLimited | CircuitOpen):
        return kind(3)
    return kind({"name": "is required"}) if issubclass(kind, ValidationFailed) else kind()


def _example(path: str, error: DomainError) -> Any:
    found = json.loads(body_at(path, _REQUEST_ID, error))
    if "meta" in found:
        found["meta"]["timestamp"] = _AT
    return found
