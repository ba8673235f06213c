"""Secret values of a configuration: what its schema marks with `x-secret` or `format: password`, at any depth.

Of a schema's branches (`anyOf`, `if`, …) each is taken to hold, and a reference that is not followed here hides what it
describes: what might be secret is masked.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from services.integrations.definitions.schemas import compile_schema

MASK = "********"
_MOST_LEVELS = 64
_BRANCHES = ("allOf", "anyOf", "oneOf")
_ALTERNATIVES = ("if", "then", "else")
_ITEMS = ("items", "additionalItems", "unevaluatedItems")
_MEMBERS = ("additionalProperties", "unevaluatedProperties")
_HIDING: Mapping[str, Any] = {"x-secret": True}
_ABSENT = object()
_NOTHING = object()
Schema = Mapping[str, Any]


def masked(config: Mapping[str, Any] | None, schema: Schema | None) -> dict[str, Any] | None:
    """A configuration without the values that its schema marks as secret."""
    return None if config is None else _Walk(schema or {}).masked(dict(config))


def unmasked(
    config: Mapping[str, Any] | None, before: Mapping[str, Any] | None, schema: Schema | None
) -> dict[str, Any] | None:
    """A configuration in which a masked value, sent back as it was shown, stands for the value that there was."""
    return None if config is None else _Walk(schema or {}).unmasked(dict(config), before or {})


def restored(shown: Any, whole: Any) -> Any:
    """A masked value with what its masks stand for, whatever the schema says by now."""
    if shown == MASK:
        return shown if whole is _NOTHING else whole
    if isinstance(shown, Mapping):
        old: Any = whole if isinstance(whole, Mapping) else {}
        return {name: restored(inner, _at(old, name)) for name, inner in shown.items()}
    if isinstance(shown, list):
        old = whole if isinstance(whole, list) else []
        return [restored(inner, _at(old, place)) for place, inner in enumerate(shown)]
    return shown


def secret_texts(config: Mapping[str, Any], schema: Schema | None) -> list[str]:
    """The texts of a configuration that are marked as secret."""
    return list(_Walk(schema or {}).texts(config))


class _Walk:
    def __init__(self, root: Schema) -> None:
        self._root = root

    def masked(self, config: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self._replaced(config, [self._root], _ABSENT, 0)
        return found

    def unmasked(self, config: dict[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self._replaced(config, [self._root], before, 0)
        return found

    def texts(self, config: Mapping[str, Any]) -> Iterator[str]:
        waiting: list[tuple[Any, Sequence[Schema], bool]] = [(config, [self._root], False)]
        while waiting:
            value, schemas, hidden = waiting.pop()
            said = list(self._said(schemas))
            hidden = hidden or _hides(said)
            if isinstance(value, str) and hidden:
                yield value
            waiting += [(inner, below, hidden) for inner, below in _inner(value, said)]

    def _replaced(self, value: Any, schemas: Sequence[Schema], before: Any, level: int) -> Any:
        """Without `before`, secrets masked; with it, masks replaced."""
        said = list(self._said(schemas))
        if level and (_hides(said) or level > _MOST_LEVELS):
            return MASK if before is _ABSENT else before if value == MASK and before is not _NOTHING else value
        if isinstance(value, Mapping):
            old = before if before is _ABSENT or isinstance(before, Mapping) else {}
            return {
                name: self._replaced(inner, _of_member(said, name), _at(old, name), level + 1)
                for name, inner in value.items()
            }
        if isinstance(value, list):
            old = before if before is _ABSENT or isinstance(before, list) else []
            return [self._replaced(each, _of_item(said, n), _at(old, n), level + 1) for n, each in enumerate(value)]
        return value

    def _said(self, schemas: Sequence[Any]) -> Iterator[Schema]:
        """These schemas, and all that they refer to or are made of."""
        waiting, seen = list(schemas), set()
        while waiting:
            schema = waiting.pop()
            if not isinstance(schema, Mapping) or id(schema) in seen:
                continue
            seen.add(id(schema))
            yield schema
            waiting += [self._referred(schema[name]) for name in ("$ref", "$dynamicRef") if name in schema]
            waiting += [each for name in _BRANCHES if isinstance(schema.get(name), list) for each in schema[name]]
            waiting += [schema[name] for name in _ALTERNATIVES if name in schema]
            dependent = schema.get("dependentSchemas")
            waiting += list(dependent.values()) if isinstance(dependent, Mapping) else []

    def _referred(self, reference: Any) -> Any:
        at: Any = self._root
        if not isinstance(reference, str) or not reference.startswith("#") or reference[1:2] not in ("", "/"):
            return _HIDING
        for part in reference[1:].split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            at = at.get(name) if isinstance(at, Mapping) else None
        return _HIDING if at is None else at


def _hides(said: Sequence[Schema]) -> bool:
    return any(schema.get("x-secret") is True or schema.get("format") == "password" for schema in said)


def _of_member(said: Sequence[Schema], name: str) -> list[Any]:
    found: list[Any] = [_HIDING] if _hides(said) else []
    for schema in said:
        named = [inner for key, inner in _mapping(schema, "properties").items() if key == name]
        named += [inner for key, inner in _mapping(schema, "patternProperties").items() if _matches(key, name)]
        # What one schema names is no additional member of it.
        found += named or [schema[word] for word in _MEMBERS if word in schema]
    return found


def _mapping(schema: Schema, word: str) -> Mapping[str, Any]:
    found = schema.get(word)
    return found if isinstance(found, Mapping) else {}


def _matches(pattern: str, name: str) -> bool:
    return bool(_pattern(pattern).is_valid(name))


@lru_cache(maxsize=256)
def _pattern(text: str) -> Any:
    """A validator, because that is who says what a schema's pattern matches, and does so in linear time."""
    return compile_schema({"pattern": text})


def _of_item(said: Sequence[Schema], place: int) -> list[Any]:
    found: list[Any] = [_HIDING] if _hides(said) else []
    for schema in said:
        # `items` was a list of its own before 2020-12.
        first: list[Any] = next(
            (schema[word] for word in ("prefixItems", "items") if isinstance(schema.get(word), list)), []
        )
        found += [first[place]] if place < len(first) else [schema[word] for word in _ITEMS if word in schema]
        found += [schema["contains"]] if "contains" in schema else []
    return found


def _inner(value: Any, said: Sequence[Schema]) -> list[tuple[Any, list[Any]]]:
    if isinstance(value, Mapping):
        return [(inner, _of_member(said, name)) for name, inner in value.items()]
    return [(each, _of_item(said, place)) for place, each in enumerate(value)] if isinstance(value, list) else []


def _at(before: Any, place: Any) -> Any:
    """What stood at a place before; null is something."""
    if before is _ABSENT:
        return _ABSENT
    if isinstance(before, Mapping):
        return before.get(place, _NOTHING)
    return before[place] if place < len(before) else _NOTHING
