"""Parameters of a query into its templates, by their style (OpenAPI 3.1 section 4.8.12.2).

`form` is what a template says by itself. Of `deepObject`, and of an exploded object, each property that is named
becomes a parameter of its own; one whose properties are free is given as an object. The styles with another delimiter
are given as one text.
"""

from typing import TYPE_CHECKING, Any

from services.integrations.definitions.faults import Fault
from services.integrations.definitions.methods import MOST_PARAMETERS
from services.integrations.definitions.templates import check_query_name
from services.integrations.importing.documents import members

if TYPE_CHECKING:
    from services.integrations.importing.parameters import Parameters

_DEEPEST = 4
_DELIMITERS = {"spaceDelimited": "a space", "pipeDelimited": "|"}


class Query:
    """The query of one operation: `made` are its templates by the names that are sent."""

    def __init__(self, parameters: "Parameters") -> None:
        self.parameters = parameters
        self.made: dict[str, str] = {}

    def place(self, parameter: dict[str, Any], schema: Any, where: str) -> str | None:
        """Place one parameter; the reason where that cannot be said."""
        try:
            check_query_name(parameter["name"])
        except Fault as fault:
            return str(fault)
        notes, is_of = self.parameters.notes, self.parameters.is_of
        style = parameter.get("style", "form")
        explode = parameter.get("explode", style == "form")
        if parameter.get("allowReserved") is True:
            notes.note(where, "may hold reserved characters; they are sent percent-encoded")
        if style == "deepObject":
            return self._deep(parameter, schema, where)
        if style in _DELIMITERS and not explode:
            notes.note(where, f"is given as one text, with {_DELIMITERS[style]} between its parts")
            self._add(parameter["name"], parameter, {"type": "string"}, where)
        elif is_of(schema, "array"):
            self._add(parameter["name"], parameter, schema, where, "*" if explode else "")
        elif style == "form" and explode and is_of(schema, "object"):
            return self._spread(parameter, schema, where, "{}")
        elif style != "form":
            return f"has the style {style}, which a template cannot say"
        else:
            self._add(parameter["name"], parameter, schema, where)
        return None

    def _deep(self, parameter: dict[str, Any], schema: Any, where: str) -> str | None:
        if self.parameters.is_of(schema, "array"):
            text = "is a list of the style deepObject, which OpenAPI leaves open; it is sent as name[]"
            self.parameters.notes.note(where, text)
            self._add(f"{parameter['name']}[]", parameter, schema, where, "*")
            return None
        return self._spread(parameter, schema, where, f"{parameter['name']}[{{}}]")

    def _spread(self, parameter: dict[str, Any], schema: Any, where: str, key: str, level: int = 1) -> str | None:
        """Each property as a parameter of its own; `key` has {} where its name goes."""
        branches = self.parameters.branches(schema)
        named = [(name, each) for branch in branches for name, each in members(branch.get("properties")).items()]
        if level > _DEEPEST:
            return f"nests deeper than {_DEEPEST}"
        told = parameter | {"required": False}
        reason = None if named else self._free(parameter, where, key)
        for name, inner in dict(named).items():
            inner_key = key.replace("{}", name)
            if self.parameters.is_of(inner, "object") and members(self.parameters.resolved(inner)).get("properties"):
                reason = self._spread(parameter, inner, where, f"{inner_key}[{{}}]", level + 1)
            elif self.parameters.is_of(inner, "array"):
                self._add(inner_key if key == "{}" else f"{inner_key}[]", told, inner, where, "*")
            else:
                self._add(inner_key, told, inner, where)
        others = [branch for branch in branches if not self.parameters.is_of(branch, "object")]
        if others and level == 1 and key != "{}":
            self._add(parameter["name"], told, {"anyOf": others} if len(others) > 1 else others[0], where)
        if level > 1 or reason is None or not named:
            return reason
        self.parameters.notes.untyped(where, f"a property of it {reason}; that is left out")
        return None

    def _free(self, parameter: dict[str, Any], where: str, key: str) -> str | None:
        """An object of any properties: `{name*}` sends each of them, under a name with `*` where theirs goes."""
        if "*" in key:
            return "has a * in its name"
        plain = {"type": ["string", "number", "boolean", "null"]}
        self._add(key.replace("{}", "*"), parameter, {"type": "object", "additionalProperties": plain}, where, "*")
        return None

    def _add(self, key: str, parameter: dict[str, Any], schema: Any, where: str, modifier: str = "") -> None:
        if key in self.made:
            self.parameters.notes.untyped(where, f"sends {key}, as another parameter does; it is left out")
            return
        if len(self.made) >= MOST_PARAMETERS:
            self.parameters.notes.untyped(where, f"is beyond the {MOST_PARAMETERS} parameters that a method can have")
            return
        try:
            check_query_name(key)
        except Fault as fault:
            self.parameters.notes.untyped(where, f"a property of it {fault}; it is left out")
            return
        name = key if key != "*" else parameter["name"]
        variable = self.parameters.property(parameter | {"name": name.replace("[*]", "")}, schema, where)
        self.made[key] = f"{{{variable}{modifier}}}"
