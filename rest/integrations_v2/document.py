"""The document made whole: examples and headers of the answers, and what the framework leaves out of schemas."""

from typing import Any

from litestar.openapi.spec import OpenAPI

from rest.framework import Surface
from rest.integrations_v2.described import HEADERS, PARTS, ROWS, WORDS
from rest.integrations_v2.queries import LEAST

_BY_ID = {words.operation_id: words for words in WORDS.values()}
Node = dict[str, Any]


class DescribedApp(Surface):
    """The routes, whose document is the finished one."""

    @property
    def openapi_schema(self) -> Any:
        return Finished(super().openapi_schema)


class Finished:
    """What the framework says of the routes, completed."""

    def __init__(self, made: OpenAPI) -> None:
        self._made = made

    def to_schema(self) -> Node:
        found: Node = self._made.to_schema()
        for path in found["paths"].values():
            _finish_operation(path["get"])
        for schema in found["components"]["schemas"].values():
            _finish_schema(schema)
        return found


def _finish_operation(operation: Node) -> None:
    for parameter in operation.get("parameters", []):
        _finish_parameter(parameter)
    words, answers = _BY_ID[operation["operationId"]], operation["responses"]
    answers["200"]["description"] = words.summary
    answers["200"]["content"]["application/json"]["examples"] = {"answer": {"value": words.example}}
    if operation.get("security"):
        for status in ("200", "304"):
            answers[status]["headers"] = HEADERS


def _finish_parameter(parameter: Node) -> None:
    """A parameter that may be left out is not null when it is sent; a bound of zero is a bound."""
    schema = parameter["schema"]
    kinds = [one for one in schema.pop("oneOf", []) if one != {"type": "null"}]
    for kind in kinds:
        schema |= kind
    schema.pop("description", None)
    if parameter["name"] in LEAST:
        schema["minimum"] = LEAST[parameter["name"]]
    parameter["schema"] = schema


def _finish_schema(schema: Node) -> None:
    """All schemas are of answers: consumers must bear a value of an enum that they do not know yet."""
    paged = "next_cursor" in schema.get("properties", {})
    for name, part in schema.get("properties", {}).items():
        if "enum" in part:
            part["x-extensible-enum"] = True
        if name in PARTS:
            part["description"] = PARTS[name]
        elif paged and part.get("type") == "array":
            part["description"] = ROWS
