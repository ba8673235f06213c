"""Schemas of Swagger 2.0 as those of OpenAPI 3.0, each once, and what a document's references lead to."""

from typing import Any
from urllib.parse import quote, unquote

_MAX_CHAIN = 64
_DEFINITIONS = "#/definitions/"
_FILES = "#/x-dovetail-files/"
#: Values, not schemas.
_VALUES = {"example", "examples", "default", "enum", "required"}
_MAPS = {"properties", "patternProperties", "definitions"}


class Schemas:
    """Schemas of one document; equal objects stay one object. Nothing that is given is changed."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        #: Schemas that are referred to where they stand, outside `definitions`, by their reference.
        self.elsewhere: dict[str, Any] = {}
        self._known: dict[int, Any] = {}

    def resolved(self, value: Any) -> Any:
        """What a value refers to; itself where it is no reference, or one that leads nowhere."""
        for _ in range(_MAX_CHAIN):
            reference = value.get("$ref") if isinstance(value, dict) else None
            target = self._target(reference) if isinstance(reference, str) else None
            if target is None:
                return value
            value = target
        return value

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            return None
        value: Any = self.document
        for part in reference[2:].split("/"):
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and name.isdecimal() and len(name) < 7 and int(name) < len(value):
                value = value[int(name)]
            else:
                value = value.get(name) if isinstance(value, dict) else None
        return value

    def converted(self, value: Any) -> Any:
        """A schema, or an object or list of schemas, as OpenAPI 3.0 writes it."""
        if not isinstance(value, (dict, list)):
            return value
        if id(value) not in self._known:
            self._known[id(value)] = self._list(value) if isinstance(value, list) else self.rewritten(value)
        return self._known[id(value)]

    def _list(self, value: list[Any]) -> list[Any]:
        return [self.converted(each) for each in value]

    def rewritten(self, value: dict[str, Any]) -> dict[str, Any]:
        """A schema that is no part of the document itself; what is known of an object goes by its identity."""
        found = {key: self._keyword(key, each) for key, each in value.items()}
        if isinstance(found.get("$ref"), str):
            found["$ref"] = self._reference(found["$ref"])
        if found.get("type") == "file":
            found |= {"type": "string", "format": "binary"}
        if isinstance(found.get("discriminator"), str):
            found["discriminator"] = {"propertyName": found["discriminator"]}
        if found.get("x-nullable") is True:
            found["nullable"] = True
        listed = found.get("x-ms-enum")
        if isinstance(listed, dict) and listed.get("modelAsString") is True:
            found.setdefault("x-extensible-enum", True)
        return found

    def _keyword(self, key: Any, value: Any) -> Any:
        if key in _MAPS and isinstance(value, dict):
            return {name: self.converted(each) for name, each in value.items()}
        return value if key in _VALUES or str(key).startswith("x-") else self.converted(value)

    def _reference(self, reference: str) -> str:
        if reference.startswith(_DEFINITIONS):
            return f"#/components/schemas/{reference.removeprefix(_DEFINITIONS)}"
        if not reference.startswith("#/") or reference.startswith(_FILES):
            return reference
        if reference not in self.elsewhere:
            target = self._target(reference)
            if target is None:
                return reference
            self.elsewhere[reference] = {}
            self.elsewhere[reference] = self.converted(target)
        return f"#/components/schemas/{quote(reference.replace('~', '~0').replace('/', '~1'))}"
