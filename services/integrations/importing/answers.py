"""The answers of an operation into its `resultSchema`, and hints of how further pages are asked for."""

import re
from typing import Any, NamedTuple

from services.integrations.importing.bundles import Bundler
from services.integrations.importing.documents import Unresolved, members
from services.integrations.importing.media_types import (
    chosen,
    encoding,
    is_many,
    is_named,
    is_of_bytes,
    is_text,
)
from services.integrations.importing.parameters import Parameters
from services.integrations.importing.reports import Notes
from services.integrations.importing.schemas import Translated

_SUCCESS = re.compile(r"2(?:[0-9]{2}|XX)", re.IGNORECASE)
_SIZES = ("per_page", "page_size", "pageSize", "PageSize", "perPage", "limit", "count", "max_results", "maxResults")
_CURSORS = ("cursor", "page_token", "pageToken", "PageToken", "next_token", "nextToken", "continue", "after")
_ACCEPTABLE = re.compile(r"[A-Za-z0-9!#$&^_.+*/ ;=,\"'-]{1,500}")
_TEXT: dict[str, Any] = {"type": "string"}
_BYTES: dict[str, Any] = {
    "type": "object",
    "properties": {"contentType": {"type": "string"}, "contentBase64": {"type": "string"}},
    "required": ["contentType", "contentBase64"],
}
_NEXT = ("next_cursor", "nextCursor", "next_page_token", "nextPageToken", "nextToken", "next_token", "cursor")


class Answer(NamedTuple):
    """The first successful answer: its status, media type of the document, and headers."""

    status: int
    media: dict[str, Any]
    headers: dict[str, Any]


class Answers:
    """What an operation answers when it goes well."""

    def __init__(self, responses: Any, parameters: Parameters, notes: Notes) -> None:
        self.parameters, self.notes = parameters, notes
        self.source = parameters.translator.source
        self.first: Answer | None = None
        self.schemas: list[Any] = []
        self._read(members(responses))

    def _read(self, responses: dict[str, Any]) -> None:
        good = sorted((str(status) for status in responses if _SUCCESS.fullmatch(str(status))), key=str.upper)
        if not good and "default" in responses:
            good = ["default"]
        empty = False
        for status in good:
            try:
                response = self.source.resolved(responses.get(status, responses.get(_number(status))))
            except Unresolved as error:
                self.notes.untyped(f"responses.{status}", str(error))
                continue
            empty |= not self._content(status, response)
        if not good:
            self.notes.untyped("responses", "has no successful answer; any is taken")
        if self.schemas and empty:
            self.schemas.append({"type": "null"})

    def _content(self, status: str, response: dict[str, Any]) -> bool:
        """Take in an answer's JSON; False where it has none."""
        content = members(response.get("content"))
        name = chosen(content, ("json",))
        if name is None or is_of_bytes(self.parameters.resolved(members(content[name]).get("schema"))):
            return self._other(status, content) if content else False
        media = members(content[name])
        if is_named(name):
            self._accept([name])
        if self.first is None:
            code = int(status) if status.isdigit() else 200
            self.first = Answer(code, media, members(response.get("headers")))
        schema = media.get("schema", {})
        if schema not in self.schemas:
            self.schemas.append(schema)
        return True

    def _other(self, status: str, content: dict[str, Any]) -> bool:
        """Take in what is no JSON: a text, or bytes, as they are given to the caller."""
        names = [name for name in content if isinstance(name, str)]
        self._accept(names)
        schema = _read_as(names)
        if schema not in self.schemas:
            self.schemas.append(schema)
        for name in names:
            described = members(content[name]).get("schema", {"type": "string"})
            if is_text(name) and not self.parameters.is_of(described, "string"):
                text = f"is of {name}, of which the result is the text: its parts are not typed"
                self.notes.untyped(f"responses.{status}", text)
        return True

    def _accept(self, names: list[str]) -> None:
        """Ask for what is described; where nothing is said, JSON is asked for."""
        text = ", ".join(dict.fromkeys(name.strip() for name in names))
        if "Accept" not in self.parameters.headers and _ACCEPTABLE.fullmatch(text):
            self.parameters.headers["Accept"] = text

    def schema(self, bundler: Bundler) -> dict[str, Any] | None:
        """The schema of the result; None where no answer has a body."""
        if not self.schemas:
            return None
        value = self.schemas[0]
        if len(self.schemas) > 1:
            # Not an operation of the document: an answer has one of these.
            found = [bundler.translator.inline(each, "result", "responses", self.notes) for each in self.schemas]
            uses = tuple(dict.fromkeys(use for each in found for use in each.uses))
            whole = {"anyOf": [each.schema for each in found]}
            return bundler.bundled(
                Translated(whole, uses, sum(each.size for each in found) + 12, False), "result", "responses", self.notes
            )
        return bundler.bundled(
            bundler.translator.inline(value, "result", "responses", self.notes), "result", "responses", self.notes
        )

    def pagination(self) -> dict[str, Any] | None:
        """How further pages are asked for, where parameters and answer make it plain."""
        if self.first is None:
            return None
        query = self.parameters.query
        by_name = {name.lower(): name for name in self.first.headers if isinstance(name, str)}
        size = next((name for name in _SIZES if name in query), None)
        sized = {} if size is None else {"sizeParameter": size}
        if "link" in by_name and ("page" in query or size is not None):
            return {"style": "link", **sized}
        cursor = next((name for name in _CURSORS if name in query), None)
        if cursor is not None:
            properties = self._properties()
            following = next((name for name in _NEXT if name in properties), None)
            if following is not None:
                return {"style": "cursor", "parameter": cursor, "cursor": following, **sized}
        for style in ("page", "offset"):
            if style in query and size is not None:
                return {"style": style, "parameter": style, **sized}
        return None

    def _properties(self) -> dict[str, Any]:
        try:
            schema = self.source.resolved(self.schemas[0]) if self.schemas else {}
        except Unresolved:
            return {}
        return members(schema.get("properties"))


def _read_as(names: list[str]) -> dict[str, Any]:
    """How services.integrations.execution.results reads an answer of these media types."""
    if any(is_many(name) or encoding(name) == "json" for name in names):
        return {}
    found = [_TEXT] if any(map(is_text, names)) else []
    found += [_BYTES] if not all(map(is_text, names)) else []
    return found[0] if len(found) == 1 else {"anyOf": found}


def _number(status: str) -> Any:
    """YAML reads an unquoted status as a number, where it is not a key."""
    return int(status) if status.isdigit() else status
