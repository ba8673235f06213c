"""Bodies of requests: JSON, a form, multipart/form-data (RFC 7578), a GraphQL document with its variables, or bytes."""

import base64
import binascii
import secrets
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from app.errors import ExecutionFailed, ValidationFailed
from services.integrations.definitions.model import Body


def encode_body(body: Body, value: Any) -> tuple[str, bytes]:
    """The content type and the bytes. Raises ExecutionFailed for a value that the encoding cannot hold."""
    if body.encoding == "graphql":
        asked = {"query": body.document, "variables": value, "operationName": body.operation_name}
        return "application/json", msgspec.json.encode({name: part for name, part in asked.items() if part is not None})
    if body.encoding == "json":
        return "application/json", msgspec.json.encode(value)
    if body.encoding == "raw":
        return _raw(value)
    if not isinstance(value, Mapping):
        raise ExecutionFailed(f"The body's template must give an object for the encoding {body.encoding}.")
    if body.encoding == "form":
        pairs = [(name, _plain(name, item)) for name, item in _fields(value)]
        return "application/x-www-form-urlencoded", urlencode(pairs).encode()
    return _multipart(value)


def _items(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each name with each of its values; what is null is left out."""
    for name, item in value.items():
        yield from ((name, one) for one in (item if isinstance(item, list) else [item]) if one is not None)


def _fields(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of a form: a plain list repeats its name, what nests has brackets: `card[number]`, `items[0][id]`."""
    for name, item in value.items():
        if isinstance(item, list) and not any(isinstance(one, Mapping | list) for one in item):
            yield from ((name, one) for one in item if one is not None)
        else:
            yield from _nested(name, item)


def _nested(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for inner, item in value.items():
            yield from _nested(f"{name}[{inner}]", item)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _nested(f"{name}[{position}]", item)
    elif value is not None:
        yield name, value


def _plain(name: str, value: Any) -> str:
    if isinstance(value, Mapping | list):
        raise ExecutionFailed(f"The form field {name[:100]} must be a text, a number or a truth value.")
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _multipart(value: Mapping[str, Any]) -> tuple[str, bytes]:
    boundary = secrets.token_hex(24)
    parts = b"".join(
        f"--{boundary}\r\n".encode() + _part(name, item) + b"\r\n" for name, item in _items(value)
    )  # fmt: skip
    return f"multipart/form-data; boundary={boundary}", parts + f"--{boundary}--\r\n".encode()


def _part(name: str, value: Any) -> bytes:
    head = f'Content-Disposition: form-data; name="{_quoted(name)}"'
    if not isinstance(value, Mapping):
        return f"{head}\r\n\r\n{_plain(name, value)}".encode()
    kind, content = _file(name, value)
    head += f'; filename="{_quoted(str(value.get("filename", "file")))}"\r\nContent-Type: {kind}'
    return f"{head}\r\n\r\n".encode() + content


def _raw(value: Any) -> tuple[str, bytes]:
    if isinstance(value, Mapping):
        return _file("body", value)
    if isinstance(value, str):
        return "text/plain; charset=utf-8", value.encode()
    raise ExecutionFailed("The body's template must give a text or an object with contentBase64 for the encoding raw.")


def _file(name: str, value: Mapping[str, Any]) -> tuple[str, bytes]:
    """The media type and the bytes of an object with `contentType` and `contentBase64`."""
    try:
        content = base64.b64decode(str(value.get("contentBase64", "")), validate=True)
    except (binascii.Error, ValueError):
        raise ValidationFailed({f"parameters.{name}": "contentBase64 is no base64"}) from None
    kind = str(value.get("contentType", "application/octet-stream"))
    if any(not " " <= char <= "~" for char in kind):
        raise ValidationFailed({f"parameters.{name}": "contentType is no media type"})
    return kind, content


def _quoted(text: str) -> str:
    """As browsers escape it: a name cannot end its quotes nor its line."""
    return text.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
