"""The parts of a contract that a request can be seen to use: query parameters, members of a body, schema coordinates.

Names are written as a finding's `where` has them: `request.query.q`, `request.body.origins[].name`; on GraphQL they
are schema coordinates: `Person.name`, `Query.people(first:)`, `PersonFilter.orcidId`, `Status.ACTIVE`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote_plus

from services.usage.rows import served_as

#: What is remembered of shapes of requests; past it everything is worked out anew.
_MOST_SHAPES, _LONGEST_SHAPE = 4_096, 1_000
_MOST_DEPTH = 8
K = TypeVar("K")
V = TypeVar("V")
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


class Elements:
    """Names that are counted together; compared by identity, so that counting one more costs one look-up."""

    __slots__ = ("names",)

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)


class RequestElements:
    """What of each REST operation's own parameters and members a request sent; other names are not looked at."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], frozenset[str]] = {}
        self._shapes: dict[tuple[str, str, tuple[bytes, ...]], tuple[Elements, ...]] = {}
        self._interned: dict[tuple[str, ...], Elements] = {}

    def learn(self, api: str, document: Mapping[str, Any]) -> None:
        """Take the names from an OpenAPI document; `api` is its name in the ledger (`integrations/v1`)."""
        for operation, names in request_elements(document).items():
            for name in served_as(api):
                self._known[name, operation] = names

    def known(self, api: str, operation: str) -> frozenset[str]:
        return self._known.get((api, operation), frozenset())

    def of_query(self, api: str, operation: str, query: bytes) -> tuple[Elements, ...]:
        """The contract's parameters that stand in a raw query string."""
        names = tuple([pair.partition(b"=")[0] for pair in query.split(b"&")])
        key = api, operation, names
        found = self._shapes.get(key)
        if found is None:
            decoded = {f"request.query.{unquote_plus(name.decode('latin-1'))}" for name in names}
            found = self.intern(self.known(api, operation) & decoded)
            # Names of any length may come; only short ones are worth their memory.
            if sum(map(len, names)) < _LONGEST_SHAPE:
                _bounded(self._shapes)[key] = found
        return found

    def of_body(self, api: str, operation: str, body: Any) -> tuple[Elements, ...]:
        """The contract's members that a decoded JSON body has, at any depth."""
        return self.intern(self.known(api, operation).intersection(body_elements(body)))

    def intern(self, names: Iterable[str]) -> tuple[Elements, ...]:
        """The same names are the same Elements, so that they are counted together; `()` for none."""
        key = tuple(sorted(names))
        if not key:
            return ()
        if key not in self._interned:
            _bounded(self._interned)[key] = Elements(key)
        return (self._interned[key],)


def _bounded(memory: dict[K, V]) -> dict[K, V]:
    if len(memory) >= _MOST_SHAPES:
        memory.clear()
    return memory


def body_elements(value: Any, path: str = "request.body", depth: int = 0) -> Iterator[str]:
    """`request.body.name` for each member of a decoded body; items of a list are `[]`."""
    if depth > _MOST_DEPTH:
        return
    if isinstance(value, dict):
        for name, member in value.items():
            yield f"{path}.{name}"
            yield from body_elements(member, f"{path}.{name}", depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from body_elements(item, f"{path}[]", depth + 1)


def request_elements(document: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Operation id → every parameter of the query and member of a JSON body that the document knows."""
    found: dict[str, frozenset[str]] = {}
    for item in document.get("paths", {}).values():
        for method, operation in item.items():
            if method in _METHODS and "operationId" in operation:
                shared = [*item.get("parameters", ()), *operation.get("parameters", ())]
                found[operation["operationId"]] = frozenset(_of_operation(document, operation, shared))
    return found


def _of_operation(document: Mapping[str, Any], operation: Mapping[str, Any], parameters: list[Any]) -> Iterator[str]:
    for given in parameters:
        parameter = resolved(document, given)
        if parameter.get("in") == "query":
            yield f"request.query.{parameter['name']}"
    body = resolved(document, operation.get("requestBody", {}))
    for media, content in body.get("content", {}).items():
        if "json" in media:
            yield from schema_elements(document, content.get("schema", {}), "request.body", ())


def resolved(document: Mapping[str, Any], value: Any) -> Any:
    """The object that a local `$ref` names (RFC 6901 pointer), or the value itself."""
    for _ in range(_MOST_DEPTH):
        reference = value.get("$ref") if isinstance(value, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        value = document
        for part in reference[2:].split("/"):
            value = value.get(part.replace("~1", "/").replace("~0", "~"), {})
    return value


def schema_elements(document: Mapping[str, Any], schema: Any, path: str, above: tuple[str, ...]) -> Iterator[str]:
    """The members of a JSON Schema at any depth; a schema inside of itself ends there."""
    reference = schema.get("$ref") if isinstance(schema, dict) else None
    found = resolved(document, schema)
    if not isinstance(found, dict) or reference in above or len(above) > _MOST_DEPTH:
        return
    above = (*above, str(reference))
    for name, member in found.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from schema_elements(document, member, f"{path}.{name}", above)
    if "items" in found:
        yield from schema_elements(document, found["items"], f"{path}[]", above)
    for word in ("allOf", "oneOf", "anyOf"):
        for part in found.get(word, ()):
            yield from schema_elements(document, part, path, above)
