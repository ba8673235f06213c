"""Parameters of an operation into properties of its `paramSchema` and templates of its request.

The styles that RFC 6570's simple expansion can say: `simple` in paths and headers, `form` in queries, and `deepObject`
for objects whose properties are known, each of which becomes a parameter of its own.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from services.integrations.definitions.faults import Fault
from services.integrations.definitions.methods import MOST_PARAMETERS
from services.integrations.definitions.model import CONFIG
from services.integrations.definitions.templates import check_header
from services.integrations.importing.documents import Source, Unresolved, listed, members
from services.integrations.importing.reports import LeftOut, Notes
from services.integrations.importing.schemas import Translator

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_UNFIT = re.compile(r"[^A-Za-z0-9_]+")
#: OpenAPI says that parameters of these names are to be ignored.
_IGNORED = frozenset({"accept", "content-type", "authorization"})
_STYLES = {"path": "simple", "query": "form", "header": "simple"}
_DEEPEST = 4
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
        self.query: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.raw: dict[str, dict[str, Any]] = {}

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
        """The path without a query that was written into it, which goes where queries go."""
        bare, mark, query = path.partition("?")
        if "{" in query:
            raise LeftOut("path", "has variables in a query that is written into the path")
        if mark:
            self.query.update(parse_qsl(query, keep_blank_values=True))
        return bare.partition("#")[0]

    def _in_path(self, parameter: dict[str, Any], where: str) -> str:
        if parameter.get("style", "simple") != "simple":
            raise LeftOut(where, f"has the style {parameter['style']}, which a template cannot say")
        schema = _schema(parameter)
        if schema is None:
            raise LeftOut(where, "is written as a document of its own")
        variable = self._property(parameter, schema, where)
        if variable not in self.required:
            self.required.append(variable)
        return variable + ("*" if parameter.get("explode") is True and self._is(schema, "object") else "")

    def _path(self, path: str, placed: dict[str, str]) -> str:
        def variable(match: re.Match[str]) -> str:
            name = match[1]
            if name not in placed:
                self.notes.note(f"parameters.path.{name}", "is not described; it is taken as text")
                placed[name] = self._property({"name": name, "in": "path"}, {"type": "string"}, "path")
                self.required.append(placed[name])
            return f"{{{placed[name]}}}"

        for name in placed:
            if f"{{{name}}}" not in path:
                raise LeftOut(f"parameters.path.{name}", "does not stand in the path")
        return _VARIABLE.sub(variable, path)

    def _place(self, parameter: dict[str, Any], where: str) -> str | None:
        """Place a parameter of the query or a header; the reason where that cannot be said."""
        place, schema = parameter["in"], _schema(parameter)
        if place not in _STYLES:
            return f"stands in the {place}, and a definition sets none"
        if schema is None:
            return "is written as a document of its own"
        if place == "header":
            return self._in_header(parameter, schema, where)
        if any(not "!" <= char <= "~" for char in parameter["name"]):
            return "has a name that is not printable ASCII"
        return self._in_query(parameter, schema, where)

    def _in_header(self, parameter: dict[str, Any], schema: Any, where: str) -> str | None:
        name = parameter["name"]
        if name.lower() in _IGNORED:
            self.notes.note(where, "is set by the connection, as OpenAPI says")
            return None
        if parameter.get("explode") is True and self._is(schema, "object"):
            return "is an object that is exploded"
        try:
            check_header(name, "")
        except Fault as fault:
            return str(fault)
        self.headers[name] = f"{{{self._property(parameter, schema, where)}}}"
        return None

    def _in_query(self, parameter: dict[str, Any], schema: Any, where: str) -> str | None:
        style = parameter.get("style", "form")
        explode, name = parameter.get("explode", style == "form"), parameter["name"]
        if parameter.get("allowReserved") is True:
            self.notes.note(where, "may hold reserved characters; they are sent percent-encoded")
        if style == "deepObject":
            return self._deep(parameter, schema, where)
        if self._is(schema, "array"):
            if style in ("spaceDelimited", "pipeDelimited") and not explode:
                return f"is a list of the style {style}, which a template cannot say"
            self._add_query(name, parameter, schema, where, "*" if explode else "")
        elif style == "form" and explode and self._is(schema, "object"):
            return self._spread(parameter, schema, where, "{}")
        elif style != "form":
            return f"has the style {style}, which a template cannot say"
        else:
            self._add_query(name, parameter, schema, where)
        return None

    def _deep(self, parameter: dict[str, Any], schema: Any, where: str) -> str | None:
        if self._is(schema, "array"):
            self.notes.note(where, "is a list of the style deepObject, which OpenAPI leaves open; it is sent as name[]")
            self._add_query(f"{parameter['name']}[]", parameter, schema, where, "*")
            return None
        return self._spread(parameter, schema, where, f"{parameter['name']}[{{}}]")

    def _spread(self, parameter: dict[str, Any], schema: Any, where: str, key: str, level: int = 1) -> str | None:
        """Each property as a parameter of its own; `key` has {} where its name goes."""
        branches = list(self._branches(schema))
        named = [(name, each) for branch in branches for name, each in members(branch.get("properties")).items()]
        others = [branch for branch in branches if not self._is(branch, "object")]
        if not named or level > _DEEPEST:
            return "is an object whose properties are not named" if not named else f"nests deeper than {_DEEPEST}"
        reason = None
        for name, inner in dict(named).items():
            inner_key = key.replace("{}", name)
            if self._is(inner, "object") and members(self._resolved(inner)).get("properties"):
                reason = self._spread(parameter, inner, where, f"{inner_key}[{{}}]", level + 1)
            elif self._is(inner, "array"):
                self._add_query(f"{inner_key}[]", parameter | {"required": False}, inner, where, "*")
            else:
                self._add_query(inner_key, parameter | {"required": False}, inner, where)
        if others and level == 1 and key != "{}":
            scalar = {"anyOf": others} if len(others) > 1 else others[0]
            self._add_query(parameter["name"], parameter | {"required": False}, scalar, where)
        if level > 1 or reason is None:
            return reason
        self.notes.untyped(where, f"a property of it {reason}; that is left out")
        return None

    def _branches(self, schema: Any) -> Iterator[dict[str, Any]]:
        found = self._resolved(schema)
        inner = [each for name in ("anyOf", "oneOf", "allOf") for each in listed(found.get(name))]
        if inner:
            for each in inner[:20]:
                resolved = self._resolved(each)
                if not any(name in resolved for name in ("anyOf", "oneOf", "allOf")):
                    yield resolved
        if "properties" in found or not inner:
            yield found

    def _add_query(self, key: str, parameter: dict[str, Any], schema: Any, where: str, modifier: str = "") -> None:
        if len(self.query) >= MOST_PARAMETERS:
            self.notes.untyped(where, f"is beyond the {MOST_PARAMETERS} parameters that a method can have")
            return
        if any(not "!" <= char <= "~" for char in key):
            self.notes.untyped(where, "has a property whose name is not printable ASCII; it is left out")
            return
        variable = self._property(parameter | {"name": key}, schema, where)
        self.query[key] = f"{{{variable}{modifier}}}"

    def _property(self, parameter: dict[str, Any], schema: Any, where: str) -> str:
        """The property of a parameter, under a name that a template can use."""
        name = self._free(parameter["name"], parameter["in"])
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

    def _resolved(self, schema: Any) -> dict[str, Any]:
        try:
            return self.translator.source.resolved(schema)
        except Unresolved:
            return {}

    def _is(self, schema: Any, kind: str) -> bool:
        """Whether a value may be of this type: it says so, or one of its branches does."""
        for branch in [self._resolved(schema), *self._branches(schema)]:
            given = branch.get("type")
            if kind == given or (isinstance(given, list) and kind in given):
                return True
            if given is None and {"object": "properties", "array": "items"}[kind] in branch:
                return True
        return False


def _schema(parameter: dict[str, Any]) -> Any:
    """The schema; text where there is none, and None where the value is a document of its own."""
    if "content" in parameter:
        return None
    return parameter.get("schema", {"type": "string"})


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
