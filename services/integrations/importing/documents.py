"""The document that is imported: its references followed, whatever they lead to."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

_MOST_HOPS = 50
#: The methods of a path item; what stands beside them is shared by all.
VERBS = ("get", "head", "post", "put", "patch", "delete", "options", "trace", "query")


class Unresolved(Exception):
    """A reference that leads nowhere within the document; the text says why."""


class Source:
    """An OpenAPI document; `dated` where its schemas are of 3.0, which is no JSON Schema of its own."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.dated = str(root.get("openapi", "")).startswith("3.0")
        self._found: dict[str, Any] = {}

    def at(self, pointer: str) -> Any:
        """What a reference such as `#/components/schemas/A` names. Raises Unresolved."""
        if pointer not in self._found:
            self._found[pointer] = self._at(pointer)
        return self._found[pointer]

    def _at(self, pointer: str) -> Any:
        if not pointer.startswith("#"):
            raise Unresolved(f"refers to {pointer[:100]}, which is another document")
        if pointer != "#" and not pointer.startswith("#/"):
            raise Unresolved(f"refers to {pointer[:100]}, which is an anchor and no path")
        value: Any = self.root
        for token in pointer.split("/")[1:]:
            value = _step(value, unquote(token).replace("~1", "/").replace("~0", "~"), pointer)
        return value

    def resolved(self, value: Any) -> dict[str, Any]:
        """The object itself, or what it refers to in the end. Raises Unresolved."""
        for _ in range(_MOST_HOPS):
            if not isinstance(value, dict):
                raise Unresolved("is no object")
            if not isinstance(value.get("$ref"), str):
                return value
            value = self.at(value["$ref"])
        raise Unresolved("refers to itself")

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
        """Each operation: verb, path, its path item, itself; path items that cannot be read give one empty verb."""
        paths = self.root.get("paths")
        for path, item in paths.items() if isinstance(paths, dict) else ():
            if path.startswith("x-"):
                continue
            try:
                item = self.resolved(item)
            except Unresolved as error:
                yield "", path, {}, {"reason": str(error)}
                continue
            for verb in VERBS:
                if verb in item:
                    operation = item[verb]
                    yield verb, path, item, operation if isinstance(operation, dict) else {}


def _step(value: Any, token: str, pointer: str) -> Any:
    if isinstance(value, Mapping) and token in value:
        return value[token]
    if isinstance(value, list) and token.isascii() and token.isdigit() and int(token) < len(value):
        return value[int(token)]
    raise Unresolved(f"refers to {pointer[:100]}, which is not there")


def encodable(root: Any) -> Any:
    """The document as it can be stored: lone surrogates, which are no text, are replaced."""
    try:
        msgspec.json.encode(root)
    except UnicodeEncodeError:
        return _encodable(root)
    return root


def _encodable(value: Any) -> Any:
    if isinstance(value, dict):
        return {_encodable(key): _encodable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_encodable(inner) for inner in value]
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


class Numbered:
    """Names that are given once; the second of the same is `name_2`. A thousand of the same cost a thousand steps."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def free(self, wanted: str) -> str:
        number, found = self._last.get(wanted, 0), wanted
        while found in self._last:
            number += 1
            found = f"{wanted}_{number + 1}"
        self._last[wanted] = number
        self._last.setdefault(found, 0)
        return found


def members(value: Any) -> dict[str, Any]:
    """A value that should be an object; an empty one where it is not."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """A value that should be a list; an empty one where it is not."""
    return value if isinstance(value, list) else []
