"""Witnesses that are requests: what a caller sent by the former contract, and the new one refuses.

Each shows the part of the request that decides: headers, query, cookies or path, as they are on the wire.
"""

from typing import Any
from urllib.parse import quote

from services.contracts.findings import Witness

_NOTE = "a request that was accepted before, refused now"
_PLACES = {"header": "headers", "query": "query", "cookie": "cookies", "path": "path", "querystring": "query"}
_DELIMITERS = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}


def with_credentials(schemes: list[tuple[str, dict[str, Any], frozenset[str]]]) -> Witness:
    """A request with these credentials and no others: (name, security scheme, scopes) of each."""
    found: dict[str, Any] = {"headers": {}}
    for name, scheme, scopes in schemes:
        place, key, value = _credential(name, scheme, scopes)
        found.setdefault(place, {})[key] = value
    return Witness(found, _NOTE)


def _credential(name: str, scheme: dict[str, Any], scopes: frozenset[str]) -> tuple[str, str, str]:
    kind, where = scheme.get("type"), scheme.get("in")
    if kind == "apiKey" and isinstance(where, str):
        return _PLACES.get(where, "headers"), str(scheme.get("name")), "a valid key"
    if kind == "mutualTLS":
        return "tls", "certificate", "a trusted certificate"
    said = f" with the scopes {', '.join(sorted(scopes))}" if scopes else ""
    label = str(scheme.get("scheme", "Bearer")).capitalize() if kind == "http" else "Bearer"
    return "headers", "Authorization", f"{label} a valid credential of {name}{said}"


def without_parameter(place: str) -> Witness:
    """A request that does not carry the parameter."""
    return Witness({_PLACES.get(place, place): {}}, _NOTE)


def written(place: str, name: str, style: Any, explode: Any, types: Any) -> Witness | None:
    """A list or an object as the former style writes it (OpenAPI 3.1, Style Values); None where neither may be sent."""
    items = ["a", "b"] if "array" in types else ["k", "v"] if "object" in types else None
    if items is None:
        return None
    key, pairs = quote(name), "array" not in types
    if place not in ("query", "cookie", "querystring"):
        text = "k=v" if pairs and explode else ",".join(items)
        return Witness({_PLACES.get(place, place): {name: text}}, _NOTE)
    if style == "deepObject":
        text = f"{key}[k]=v"
    elif style in _DELIMITERS:
        text = f"{key}={_DELIMITERS[style].join(items)}"
    elif explode:
        text = "k=v" if pairs else "&".join(f"{key}={item}" for item in items)
    else:
        text = f"{key}={','.join(items)}"
    return Witness({_PLACES.get(place, place): text}, _NOTE)
