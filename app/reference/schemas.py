"""A JSON Schema as a tree that opens: names, types, rules, and what they mean."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from app.reference.markup import Html, anchor, el, joined, text
from app.reference.prose import code, sentence
from services.usage.elements import resolved

#: Levels that are shown in place; what is deeper is one link away, in the list of schemas.
_MOST_LEVELS = 4
_BOUNDS = (
    ("minimum", "≥ {}"), ("exclusiveMinimum", "> {}"), ("maximum", "≤ {}"), ("exclusiveMaximum", "< {}"),
    ("multipleOf", "a multiple of {}"), ("minLength", "at least {} characters"), ("maxLength", "at most {} characters"),
    ("minItems", "at least {} items"), ("maxItems", "at most {} items"), ("minProperties", "at least {} members"),
    ("maxProperties", "at most {} members"),
)  # fmt: skip
_CHOICES = ("oneOf", "anyOf")


class Member(NamedTuple):
    """A child in the tree: a property, or one of several alternatives."""

    name: str
    schema: Any
    required: bool


def _name_of(schema: Any) -> str | None:
    reference = schema.get("$ref") if isinstance(schema, dict) else None
    return reference.rsplit("/", 1)[-1] if isinstance(reference, str) else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


class SchemaTree:
    """Renders the schemas of one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def resolve(self, schema: Any) -> Mapping[str, Any]:
        found = resolved(self._document, schema)
        return found if isinstance(found, dict) else {}

    def type_of(self, schema: Any) -> Html:
        """The type in words, names of schemas as links."""
        name = _name_of(schema)
        if name is not None:
            return el("a", name, href=f"#{anchor('schema', name)}")
        found = self.resolve(schema)
        for word in _CHOICES:
            if word in found:
                return joined((self.type_of(part) for part in found[word]), " or ")
        if "allOf" in found:
            return joined((self.type_of(part) for part in found["allOf"]), " and ")
        kinds = found.get("type", self._implied(found))
        kinds = kinds if isinstance(kinds, list) else [kinds]
        return joined((self._kind(kind, found) for kind in kinds), " or ")

    def _implied(self, found: Mapping[str, Any]) -> str:
        if "properties" in found:
            return "object"
        return "array" if "items" in found else "any value"

    def _kind(self, kind: str, found: Mapping[str, Any]) -> Html:
        if kind == "array" and "items" in found:
            return joined(["array of ", self.type_of(found["items"])])
        more = found.get("additionalProperties")
        if kind == "object" and isinstance(more, dict) and more and "properties" not in found:
            return joined(["map of ", self.type_of(more)])
        return text(f"{kind} ({found['format']})" if "format" in found and kind != "null" else kind)

    def rules(self, schema: Any) -> list[Html]:
        """Each constraint in words."""
        found = self.resolve(schema)
        told = [text(words.format(found[key])) for key, words in _BOUNDS if key in found]
        if "enum" in found:
            told.append(joined(["one of ", joined((code(_plain(value)) for value in found["enum"]), " ")]))
        if "const" in found:
            told.append(joined(["always ", code(_plain(found["const"]))]))
        if "pattern" in found:
            told.append(joined(["matches ", code(found["pattern"])]))
        if "default" in found:
            told.append(joined(["default ", code(_json(found["default"]))]))
        if found.get("uniqueItems"):
            told.append(text("no two items alike"))
        if found.get("additionalProperties") is False:
            told.append(text("no other members"))
        told += [text(word) for key, word in (("readOnly", "read only"), ("writeOnly", "write only")) if found.get(key)]
        if "examples" in found and isinstance(found["examples"], list) and found["examples"]:
            told.append(joined(["such as ", code(_json(found["examples"][0]))]))
        return told

    def members(self, schema: Any) -> Iterator[Member]:
        """The children of a schema: of an array those of its items, of alternatives those that have any."""
        found = self.resolve(schema)
        required = set(found.get("required", ()))
        for name, member in found.get("properties", {}).items():
            yield Member(name, member, name in required)
        for part in found.get("allOf", ()):
            yield from self.members(part)
        choices = [part for word in _CHOICES for part in found.get(word, ()) if any(self.members(part))]
        if len(choices) == 1:
            yield from self.members(choices[0])
        elif choices:
            for number, part in enumerate(choices, 1):
                yield Member(_name_of(part) or f"alternative {number}", part, False)
        if "items" in found:
            yield from self.members(found["items"])
        more = found.get("additionalProperties")
        if isinstance(more, dict) and any(self.members(more)):
            yield Member("any name", more, False)

    def tree(self, schema: Any, above: tuple[str, ...] = ()) -> Html:
        """The members as a list; a schema inside of itself, and what is too deep, is its name alone."""
        above = (*above, *self._names(schema))
        rows = [self._row(member, above) for member in self.members(schema)]
        return el("ul", rows, class_="tree") if rows else Html("")

    def _names(self, schema: Any) -> list[str]:
        """The named schemas whose members a tree of `schema` shows."""
        found = self.resolve(schema)
        inner = [*(part for word in (*_CHOICES, "allOf") for part in found.get(word, ())), found.get("items")]
        return [name for part in (schema, *inner) if (name := _name_of(part)) is not None]

    def _row(self, member: Member, above: tuple[str, ...]) -> Html:
        line = self._line(member)
        repeated = set(self._names(member.schema)) & set(above)
        deeper = not repeated and len(above) < _MOST_LEVELS and any(self.members(member.schema))
        if not deeper:
            return el("li", line)
        return el("li", el("details", el("summary", line), self.tree(member.schema, above)))

    def _line(self, member: Member) -> Html:
        found = self.resolve(member.schema)
        marks = [el("span", "required", class_="mark")] if member.required else []
        if found.get("deprecated"):
            marks.append(deprecation(found))
        rules = joined((el("span", rule, class_="rule") for rule in self.rules(member.schema)), " ")
        about = found.get("description")
        return joined([
            el("code", member.name, class_="name"), " ", el("span", self.type_of(member.schema), class_="type"), " ",
            *marks, " ", rules, el("span", sentence(about), class_="about") if isinstance(about, str) else "",
        ])  # fmt: skip


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def deprecation(found: Mapping[str, Any]) -> Html:
    """The badge of what is deprecated, with the day from which it may be gone."""
    sunset = found.get("x-sunset")
    words = f"deprecated, gone from {sunset[:10]}" if isinstance(sunset, str) else "deprecated"
    return el("strong", words, class_="mark ending")
