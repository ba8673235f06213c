"""Which media types of a description a method can send and read."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

Encoding: TypeAlias = Literal["json", "form", "multipart", "raw"]
#: The plain type first: of several it is the one that everybody means.
_PLAIN = "application/json"
#: A list of steps (RFC 6902), which descriptions give the schema of what is changed by it.
_PATCH = "application/json-patch+json"
_ENCODINGS: dict[str, Encoding] = {
    _PLAIN: "json", "text/json": "json", "*/*": "json", "application/*": "json",
    "application/x-www-form-urlencoded": "form", "multipart/form-data": "multipart",
}  # fmt: skip
_ORDER = (_PLAIN, "+json", "*/*", "application/*", "application/x-www-form-urlencoded", "multipart/form-data")


def essence(name: str) -> str:
    """`application/json` of `Application/JSON; charset=utf-8` (RFC 9110 section 8.3.1)."""
    return name.partition(";")[0].strip().lower()


def encoding(name: str) -> Encoding | None:
    """How a body of this media type is written; None where it is not."""
    kind = essence(name)
    if kind in _ENCODINGS:
        return _ENCODINGS[kind]
    if kind.endswith("+json"):
        return "json"
    # Parts of other kinds are known by a boundary, which is nothing that a definition can say.
    return None if kind.startswith("multipart/") or "/" not in kind else "raw"


def is_text(name: str) -> bool:
    """Whether an answer of this media type is read as a text; services.integrations.execution.results agrees."""
    kind = essence(name)
    return kind.startswith("text/") or kind.endswith("xml")


def is_many(name: str) -> bool:
    """Whether it may be anything: `image/*`, or bytes of any kind."""
    return "*" in name or essence(name) == "application/octet-stream"


def is_of_bytes(schema: Mapping[str, Any]) -> bool:
    """Whether a schema, its reference followed, says that a value is a file rather than JSON."""
    return schema.get("type") in ("string", "file") and schema.get("format") in ("binary", "base64")


def chosen(content: Mapping[str, Any], wanted: tuple[Encoding, ...]) -> str | None:
    """The media type to use, of those that have one of these encodings; plain JSON before all others."""
    usable = [name for name in content if isinstance(name, str) and encoding(name) in wanted]
    return min(usable, key=_rank, default=None)


def _rank(name: str) -> int:
    kind = essence(name)
    if kind == _PATCH:
        return len(_ORDER) + 1
    key = "+json" if kind.endswith("+json") else kind
    return _ORDER.index(key) if key in _ORDER else len(_ORDER)


def is_named(name: str) -> bool:
    """Whether it says more than JSON, so that it must be asked for by its name."""
    return essence(name).endswith("+json")
