"""Parameters of an operation into properties of its `paramSchema` and templates of its request.

Of paths and headers the style `simple` is taken, which RFC 6570's simple expansion says; of queries see
services.integrations.importing.queries. A value that is a document of its own is given as its text.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl, quote

from services.integrations.definitions.faults import Fault
from services.integrations.definitions.model import CONFIG
from services.integrations.definitions.templates import check_header
from services.integrations.importing.documents import Source, Unresolved, listed, members
from services.integrations.importing.queries import Query
from services.integrations.importing.reports import LeftOut, Notes
from services.integrations.importing.schemas import Translator

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_UNFIT = re.compile(r"[^A-Za-z0-9_]+")
#: OpenAPI says that parameters of these names are to be ignored.
_IGNORED = frozenset({"accept", "content-type", "authorization"})
_PLACES = ("path", "query", "header")
#: What a path may hold as it is, beside letters and digits (RFC 3986 section 3.3), and the braces of its variables.
_IN_PATH = "/{}%:@!$&'()*+,;=~"
_MOST_BRANCHES = 50
#: Under this name the body of a request is given.
BODY = "body"


class Parameters:
    """What the parameters of one operation come to; `raw` are they themselves, by their property."""

    def __init__(self, translator: Translator, notes: Notes) -> None:
        self.translator, self.notes = translator, notes
        self.path = ""
        self.properties: dict[str, Any] = {}
        self.required: list[str] = []
        self.uses: dict[str, None] = {}
        self._query = Query(self)
        self.headers: dict[str, str] = {}
        self.raw: dict[str, dict[str, Any]] = {}
        self._written = ""

    @property
    def query(self) -> dict[str, str]:
        return self._query.made

    def take(self, path: str, given: list[dict[str, Any]]) -> None:
        """Place each parameter, those of the path first. Raises LeftOut where a required one cannot be said."""
        placed: dict[str, str] = {}
        for parameter in sorted(given, key=lambda each: each["in"] != "path"):
            where, name = f"parameters.{parameter['in']}.{parameter['name']}", parameter["name"]
            if parameter["in"] == "path":
                placed[name] = self._in_path(parameter, where)
                continue
            reason = self._place(parameter, where)
            if reason is not None and parameter.get("required") is True:
                raise LeftOut(where, reason)
            if reason is not None:
                self.notes.untyped(where, f"{reason}; it is left out")
        self.path = self._path(path, placed)

    def constant(self, path: str) -> str:
        """The path without its fragment; a query that is written into it goes where queries go."""
        bare, _, self._written = path.partition("#")[0].partition("?")
        return bare

    def _in_path(self, parameter: dict[str, Any], where: str) -> str:
        if parameter.get("style", "simple") != "simple":
            raise LeftOut(where, f"has the style {parameter['style']}, which a template cannot say")
        schema = self._schema(parameter, where)
        variable = self.property(parameter, schema, where)
        if variable not in self.required:
            self.required.append(variable)
        return variable + ("*" if parameter.get("explode") is True and self.is_of(schema, "object") else "")

    def _path(self, path: str, placed: dict[str, str]) -> str:
        def variable(match: re.Match[str]) -> str:
            name = match[1]
            if name not in placed:
                self.notes.note(f"parameters.path.{name}", "is not described; it is taken as text")
                placed[name] = self.property({"name": name, "in": "path"}, {"type": "string"}, "path")
                self.required.append(placed[name])
            return f"{{{placed[name]}}}"

        for name in placed:
            if f"{{{name}}}" not in f"{path}?{self._written}":
                raise LeftOut(f"parameters.path.{name}", "does not stand in the path")
        for name, text in parse_qsl(self._written, keep_blank_values=True):
            self.query[name] = _VARIABLE.sub(variable, text)
        return quote(_VARIABLE.sub(variable, path), safe=_IN_PATH)

    def _place(self, parameter: dict[str, Any], where: str) -> str | None:
        """Place a parameter of the query or a header; the reason where that cannot be said."""
        place = parameter["in"]
        if place not in _PLACES:
            return f"stands in the {place}, and a definition sets none"
        schema = self._schema(parameter, where)
        if place == "header":
            return self._in_header(parameter, schema, where)
        return self._query.place(parameter, schema, where)

    def _in_header(self, parameter: dict[str, Any], schema: Any, where: str) -> str | None:
        name = parameter["name"]
        if name.lower() in _IGNORED:
            self.notes.note(where, "is set by the connection, as OpenAPI says")
            return None
        try:
            check_header(name, "")
        except Fault as fault:
            return str(fault)
        modifier = "*" if parameter.get("explode") is True and self.is_of(schema, "object") else ""
        self.headers[name] = f"{{{self.property(parameter, schema, where)}{modifier}}}"
        return None

    def _schema(self, parameter: dict[str, Any], where: str) -> Any:
        """The schema; text where there is none, and where the value is a document of its own."""
        if "content" not in parameter:
            return parameter.get("schema", {"type": "string"})
        kinds = ", ".join(map(str, members(parameter["content"])))
        self.notes.note(where, f"is given as one text, which is {kinds or 'a document'}")
        return {"type": "string"}

    def property(self, parameter: dict[str, Any], schema: Any, where: str) -> str:
        """The property of a parameter, under a name that a template can use."""
        name = self._free(parameter["name"], parameter["in"])
        if self.is_of(schema, "array") and self._nests(schema):
            self.notes.untyped(where, "has items that are lists or objects, of which its style says nothing")
        found = self.translator.inline(schema, "request", where, self.notes)
        self.uses |= dict.fromkeys(found.uses)
        made = found.schema
        told = parameter.get("description")
        if isinstance(made, dict) and isinstance(told, str) and told.strip():
            made = {"description": told.strip()[:500], **made}
        self.properties[name], self.raw[name] = made, parameter
        if parameter.get("required") is True:
            self.required.append(name)
        return name

    def _free(self, name: str, place: str) -> str:
        wanted = _UNFIT.sub("_", name).strip("_")[:100] or "parameter"
        number, tried = 1, wanted
        while tried in self.properties or tried in (CONFIG, BODY):
            number, tried = number + 1, f"{place}_{wanted}" if number == 1 else f"{place}_{wanted}_{number}"
        if tried != name:
            self.notes.note(f"parameters.{place}.{name}", f"is given as {tried}")
        return tried

    def _nests(self, schema: Any) -> bool:
        """Whether every item of a list would be a list or an object."""
        found = [branch["items"] for branch in self.branches(schema) if "items" in branch]
        plain = ("string", "integer", "number", "boolean")
        return bool(found) and all(
            (self.is_of(items, "array") or self.is_of(items, "object"))
            and not any(self._says(items, kind) for kind in plain)
            for items in found
        )

    def _says(self, schema: Any, kind: str) -> bool:
        return any(kind == each.get("type") or kind in listed(each.get("type")) for each in self.branches(schema))

    def resolved(self, schema: Any) -> dict[str, Any]:
        try:
            return self.translator.source.resolved(schema)
        except Unresolved:
            return {}

    def branches(self, schema: Any) -> list[dict[str, Any]]:
        """A schema with its alternatives, and theirs; without those that only hold some."""
        return list(islice(self._branches(schema, set()), _MOST_BRANCHES))

    def _branches(self, schema: Any, seen: set[int]) -> Iterator[dict[str, Any]]:
        found = self.resolved(schema)
        if id(found) in seen or len(seen) >= _MOST_BRANCHES:
            return
        seen.add(id(found))
        inner = [each for name in ("anyOf", "oneOf", "allOf") for each in listed(found.get(name))]
        for each in inner[:_MOST_BRANCHES]:
            yield from self._branches(each, seen)
        if "properties" in found or not inner:
            yield found

    def is_of(self, schema: Any, kind: str) -> bool:
        """Whether a value may be of this type: it says so, or one of its branches does."""
        for branch in [self.resolved(schema), *self.branches(schema)]:
            given = branch.get("type")
            if kind == given or (isinstance(given, list) and kind in given):
                return True
            if given is None and {"object": "properties", "array": "items", "string": "pattern"}[kind] in branch:
                return True
        return False


def parameters_of(source: Source, item: dict[str, Any], operation: dict[str, Any], notes: Notes) -> list[Any]:
    """The parameters of an operation: its own replace those of its path. Raises LeftOut for one that is none."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for given in (*listed(item.get("parameters")), *listed(operation.get("parameters"))):
        try:
            parameter = source.resolved(given)
        except Unresolved as error:
            raise LeftOut("parameters", f"has one that {error}") from None
        name, place = parameter.get("name"), parameter.get("in")
        if not isinstance(name, str) or not isinstance(place, str) or not name:
            notes.untyped("parameters", "has one without name and place; it is left out")
            continue
        found[name, place] = parameter
    return list(found.values())
