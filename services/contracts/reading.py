"""Files into contract documents: OpenAPI as JSON or YAML, GraphQL as text; what else they refer to comes along."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

import msgspec
import yaml

from services.contracts import yaml_core
from services.nesting import nests_deeper
from services.strict_json import read_strictly

MAX_BYTES = 64 * 1024 * 1024
MAX_FILES = 500
#: Deeper than any contract that people wrote; keeps every walk far from the interpreter's own limit.
MAX_DEPTH = 200
#: Where the documents of other files stand after reading.
FILES = "x-dovetail-files"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SDL = {".graphql", ".graphqls", ".gql", ".sdl"}


class UnreadableDocument(ValueError):
    """What was given is no contract document; `line` counts from 1 where it is known."""

    def __init__(self, reason: str, *, name: str = "", line: int | None = None, found: object = None) -> None:
        self.reason = reason
        self.name = name
        self.line = line
        place = ":".join(part for part in (name, str(line) if line else "") if part)
        tail = f" (found {found!r:.80})" if found is not None else ""
        super().__init__(f"{place}: {reason}{tail}" if place else f"{reason}{tail}")


class ContractDocument(msgspec.Struct, frozen=True):
    """`openapi` is the parsed document where `kind` says so, otherwise `sdl` is the text."""

    kind: Literal["openapi", "sdl"]
    name: str
    openapi: dict[str, Any] = {}
    sdl: str = ""


def read_document(data: bytes, name: str, *, older: bool = False) -> ContractDocument:
    """A document from bytes. `name` gives the extension and stands in messages. Raises UnreadableDocument.

    `older`: Swagger 2.0, too, as the OpenAPI 3.0 document that says the same.
    """
    if Path(name).suffix.lower() in _SDL:
        return ContractDocument("sdl", name, sdl=_decoded(data, name))
    return ContractDocument("openapi", name, openapi=_modern(_openapi(parse(data, name), name, older), name))


def read_path(path: Path) -> ContractDocument:
    """A document from a file; what it refers to in files of its own folder is taken in. Raises UnreadableDocument.

    Swagger 2.0 is read as the OpenAPI 3.0 document that says the same.
    """
    name = str(path)
    if path.suffix.lower() in _SDL:
        return read_document(_bytes(path), name)
    root = _openapi(parse(_bytes(path), name), name, older=True)
    _Bundle(path, root).take_in()
    return ContractDocument("openapi", name, openapi=_modern(root, name))


def parse(data: bytes, name: str) -> Any:
    """JSON or YAML, by extension and content, into plain values. Raises UnreadableDocument."""
    text = _decoded(data, name)
    found = _parsed(text, name)
    try:
        return _carried(found) if _SURROGATE.search(text) else found
    except RecursionError as error:
        raise UnreadableDocument("is nested too deep", name=name) from error


def _carried(value: Any) -> Any:
    """The same, with lone surrogates, which JSON can escape and UTF-8 cannot carry, as the text of their escapes."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, list):
        return [_carried(each) for each in value]
    return {_carried(key): _carried(each) for key, each in value.items()} if isinstance(value, dict) else value


def _parsed(text: str, name: str) -> Any:
    suffix = Path(name).suffix.lower()
    looks_json = text.lstrip()[:1] in ("{", "[")
    if suffix == ".json" or (looks_json and suffix not in (".yaml", ".yml")):
        return _json(text, name)
    if looks_json:
        try:
            return _json(text, name)
        except UnreadableDocument:
            return _yaml(text, name)
    return _yaml(text, name)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableDocument(error.strerror or "cannot be opened", name=str(path)) from error


def _decoded(data: bytes, name: str) -> str:
    if len(data) > MAX_BYTES:
        raise UnreadableDocument(f"larger than {MAX_BYTES} bytes", name=name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableDocument("is not UTF-8", name=name, line=data[: error.start].count(b"\n") + 1) from error


def _json(text: str, name: str) -> Any:
    try:
        return read_strictly(text)
    except json.JSONDecodeError as error:
        raise UnreadableDocument(f"is not JSON: {error.msg}", name=name, line=error.lineno) from error
    except (RecursionError, ValueError) as error:
        reason = "is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise UnreadableDocument(reason, name=name) from error


def _yaml(text: str, name: str) -> Any:
    try:
        return yaml_core.load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise UnreadableDocument(f"is not YAML: {error.problem}", name=name, line=line) from error
    except yaml.YAMLError as error:
        raise UnreadableDocument(f"is not YAML: {error}", name=name) from error


def is_known(version: Any) -> bool:
    """Whether a version can be read; unquoted YAML makes a number of `3.1`."""
    return str(version).startswith(("3.0", "3.1", "3.2"))


def _openapi(value: Any, name: str, older: bool) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnreadableDocument("an OpenAPI document is an object", name=name)
    if "openapi" not in value and "swagger" in value:
        if not older:
            raise UnreadableDocument("Swagger 2.0 is not read here; convert it to OpenAPI 3", name=name)
        if str(value["swagger"]) not in ("2.0", "2"):
            raise UnreadableDocument("swagger: must be 2.0", name=name, found=value["swagger"])
        return value
    version = value.get("openapi")
    if not is_known(version):
        raise UnreadableDocument("openapi: must be 3.0.x, 3.1.x or 3.2.x", name=name, found=version)
    return value


def _modern(value: dict[str, Any], name: str) -> dict[str, Any]:
    """A Swagger 2.0 document as OpenAPI 3.0; others as they are."""
    if "openapi" in value:
        return value
    # A page of rules for a format that few still write, loaded by the first who brings one.
    from services.contracts.swagger import converted

    measure(value, name)
    return converted(value)


def measure(value: Any, name: str = "") -> None:
    """Raise UnreadableDocument for a value that is nested deeper than MAX_DEPTH."""
    if nests_deeper(value, MAX_DEPTH):
        raise UnreadableDocument(f"nested deeper than {MAX_DEPTH} levels", name=name)


class _Bundle:
    """Takes the files that a document refers to into it, under FILES, and turns the references to there."""

    def __init__(self, path: Path, root: dict[str, Any]) -> None:
        self.main = path.resolve()
        self.folder = self.main.parent
        self.root = root
        self.files: dict[str, Any] = {}

    def take_in(self) -> None:
        waiting: list[tuple[Path, Any]] = [(self.main, self.root)]
        while waiting:
            place, value = waiting.pop()
            for holder in _references(value):
                target = self._turned(holder, place)
                if target is not None:
                    waiting.append(target)
        if self.files:
            self.root[FILES] = self.files

    def _turned(self, holder: dict[str, Any], place: Path) -> tuple[Path, Any] | None:
        """Turn one reference; the file and its value where it was read for the first time."""
        file, _, fragment = holder["$ref"].partition("#")
        if "://" in file or (not file and place == self.main):
            return None
        path = (place.parent / unquote(file)).resolve() if file else place
        if not path.is_relative_to(self.folder) or not (path == self.main or path.is_file()):
            return None
        key = "" if path == self.main else path.relative_to(self.folder).as_posix()
        fresh = bool(key) and key not in self.files
        if fresh:
            if len(self.files) >= MAX_FILES:
                raise UnreadableDocument(f"refers to more than {MAX_FILES} files", name=str(self.main))
            self.files[key] = parse(_bytes(path), str(path))
        prefix = f"#/{FILES}/{key.replace('~', '~0').replace('/', '~1')}" if key else "#"
        holder["$ref"] = prefix + (fragment if fragment.startswith("/") else "")
        return (path, self.files[key]) if fresh else None


def _references(value: Any) -> Iterator[dict[str, Any]]:
    stack, seen = [value], set()
    while stack:
        each = stack.pop()
        if not isinstance(each, (dict, list)) or id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, dict):
            if isinstance(each.get("$ref"), str):
                yield each
            stack.extend(each.values())
        else:
            stack.extend(each)
