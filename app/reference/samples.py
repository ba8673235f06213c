"""A value that fits a schema, and the command that sends a request."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from services.usage.elements import resolved

_MOST_DEPTH = 6
_TEXTS = {
    "date-time": "2026-01-31T12:00:00Z", "date": "2026-01-31", "uuid": "0190a5c0-0000-7000-8000-000000000000",
    "uri": "https://example.org/", "email": "ada@example.org",
}  # fmt: skip
#: The variables of the shell that hold a caller's credential in the examples.
_HEADERS = {"apiKey": "$DOVETAIL_API_KEY", "http": "Bearer $DOVETAIL_TOKEN"}


def sample(document: Mapping[str, Any], schema: Any, depth: int = 0) -> Any:
    """The schema's own example where it has one, else the plainest value that fits its types."""
    found = resolved(document, schema)
    if not isinstance(found, dict) or depth > _MOST_DEPTH:
        return None
    for key in ("example", "const", "default"):
        if key in found:
            return found[key]
    for key in ("examples", "enum"):
        if isinstance(found.get(key), list) and found[key]:
            return found[key][0]
    for word in ("oneOf", "anyOf"):
        if found.get(word):
            return sample(document, found[word][0], depth + 1)
    return _made(document, found, depth)


def _made(document: Mapping[str, Any], found: Mapping[str, Any], depth: int) -> Any:
    kind = found.get("type", "object" if "properties" in found or "allOf" in found else None)
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object":
        return _members(document, found, depth)
    if kind == "array":
        item = sample(document, found.get("items"), depth + 1)
        return [] if item is None else [item]
    if kind == "string":
        return _TEXTS.get(found.get("format", ""), "text")
    least = found.get("minimum", 0)
    return {"integer": least, "number": least, "boolean": True}.get(str(kind))


def _members(document: Mapping[str, Any], found: Mapping[str, Any], depth: int) -> dict[str, Any]:
    made = {name: sample(document, member, depth + 1) for name, member in found.get("properties", {}).items()}
    for part in found.get("allOf", ()):
        inner = sample(document, part, depth + 1)
        made |= inner if isinstance(inner, dict) else {}
    return made


def content_sample(document: Mapping[str, Any], content: Mapping[str, Any]) -> Any:
    """The example that a media type gives, or a sample of its schema."""
    if "example" in content:
        return content["example"]
    for given in (content.get("examples") or {}).values():
        value = resolved(document, given)
        if isinstance(value, dict) and "value" in value:
            return value["value"]
    return sample(document, content.get("schema"))


def curl(
    document: Mapping[str, Any],
    address: str,
    method: str,
    operation: Mapping[str, Any],
    parameters: Sequence[Mapping[str, Any]],
) -> str:
    """A line for a shell. A path's parameter is a variable of the shell in capitals."""
    for parameter in parameters:
        if parameter["in"] == "path":
            address = address.replace(f"{{{parameter['name']}}}", f"${_variable(parameter['name'])}")
    needed = [p for p in parameters if p["in"] == "query" and p.get("required")]
    pairs = [f"{quote(p['name'])}={quote(str(_given(document, p)))}" for p in needed]
    lines = ["curl" + ("" if method == "get" else f" -X {method.upper()}")]
    lines[0] += f' "{address}{"?" if pairs else ""}{"&".join(pairs)}"'
    lines += [f'-H "{header}"' for header in _credentials(document, operation)]
    headers = [p for p in parameters if p["in"] == "header" and p.get("required")]
    given = [f"{p['name']}: {_given(document, p)}" for p in headers]
    lines += [f"-H {shlex.quote(header)}" for header in given]
    body = resolved(document, operation.get("requestBody", {})).get("content", {})
    for media, content in body.items():
        lines.append(f"-H {shlex.quote(f'Content-Type: {media}')}")
        lines.append(f"-d {shlex.quote(json.dumps(content_sample(document, content), ensure_ascii=False))}")
        break
    return " \\\n  ".join(lines)


def _given(document: Mapping[str, Any], parameter: Mapping[str, Any]) -> Any:
    value = parameter["example"] if "example" in parameter else sample(document, parameter.get("schema"))
    return "" if value is None else value


def _variable(name: str) -> str:
    words = "".join(f"_{char}" if char.isupper() else char for char in name)
    return "".join(char if char.isalnum() else "_" for char in words).upper().strip("_")


def _credentials(document: Mapping[str, Any], operation: Mapping[str, Any]) -> list[str]:
    """The headers of the first way in that the operation takes."""
    schemes = document.get("components", {}).get("securitySchemes", {})
    ways = operation.get("security", document.get("security", []))
    found = []
    for name in ways[0] if ways else ():
        scheme = resolved(document, schemes.get(name, {}))
        kind = scheme.get("type", "")
        if kind in ("oauth2", "openIdConnect"):
            kind = "http"
        if kind in _HEADERS:
            found.append(f"{scheme.get('name', 'Authorization')}: {_HEADERS[kind]}")
    return found
