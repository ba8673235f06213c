"""YAML by the 1.2 core schema: no dates, no yes/no booleans, keys are text; duplicates and alias bombs are refused.

Values are built from the parser's events, level by level: the loader's own composer recurses in C and can be
brought down by deep nesting.
"""

import re
from typing import Any

import yaml

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: A document that grows beyond this when its aliases are written out is taken for an attack.
MAX_VALUES = 5_000_000
MAX_LEVELS = 200
_MERGE = "<<"

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]{1,400}\Z")
_OCTAL_HEX = re.compile(r"0o[0-7]{1,400}\Z|0x[0-9a-fA-F]{1,400}\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")


def _problem(event: Any, text: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=text, problem_mark=event.start_mark)


def _scalar(event: Any) -> Any:
    """A plain scalar by the core schema; a quoted one, or one tagged as text, is text."""
    text: str = event.value
    if not event.implicit[0] and event.tag != "tag:yaml.org,2002:int":
        return text
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.match(text):
        return int(text)
    if _OCTAL_HEX.match(text):
        return int(text[2:], 8 if text[1] == "o" else 16)
    return _number(event, text)


def _number(event: Any, text: str) -> Any:
    if _NO_NUMBER.match(text):
        raise _problem(event, "JSON has no such number")
    if not _FLOAT.match(text):
        return text
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _problem(event, "a number out of range")
    return number


class _Level:
    """A collection under construction; `weight` counts its values with aliases written out."""

    __slots__ = ("anchor", "event", "key", "merges", "value", "weight")

    def __init__(self, event: Any, value: Any) -> None:
        self.event = event
        self.anchor = event.anchor
        self.value = value
        self.key: str | None = None
        self.merges: list[Any] = []
        self.weight = 1


class _Builder:
    def __init__(self) -> None:
        self.levels: list[_Level] = []
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.result: Any = None

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._open(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._close()

    def _open(self, event: Any) -> None:
        if len(self.levels) >= MAX_LEVELS:
            raise _problem(event, f"nested deeper than {MAX_LEVELS} levels")
        if self._awaits_key():
            raise _problem(event, "a key must be text")
        self.levels.append(_Level(event, {} if isinstance(event, yaml.MappingStartEvent) else []))

    def _close(self) -> None:
        level = self.levels.pop()
        for merged in level.merges:
            for each in merged if isinstance(merged, list) else [merged]:
                if not isinstance(each, dict):
                    raise _problem(level.event, "a merge key takes mappings")
                level.value = {**each, **level.value}
        if level.anchor:
            self.anchors[level.anchor] = (level.value, level.weight)
        self._put(level.event, level.value, level.weight)

    def _scalar(self, event: Any) -> None:
        if self._awaits_key():
            self._key(event)
            return
        value = _scalar(event)
        if event.anchor:
            self.anchors[event.anchor] = (value, 1)
        self._put(event, value, 1)

    def _key(self, event: Any) -> None:
        level = self.levels[-1]
        if event.value in level.value:
            raise _problem(event, f"the key {event.value!r} stands there twice")
        level.key = event.value
        if event.anchor:
            self.anchors[event.anchor] = (event.value, 1)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self.anchors:
            raise _problem(event, f"no value is named {event.anchor!r} before this")
        value, weight = self.anchors[event.anchor]
        if self._awaits_key():
            if not isinstance(value, str):
                raise _problem(event, "a key must be text")
            self.levels[-1].key = value
            return
        self._put(event, value, weight)

    def _awaits_key(self) -> bool:
        return bool(self.levels) and isinstance(self.levels[-1].value, dict) and self.levels[-1].key is None

    def _put(self, event: Any, value: Any, weight: int) -> None:
        if not self.levels:
            self.result = value
            return
        level = self.levels[-1]
        level.weight += weight
        if level.weight > MAX_VALUES:
            raise _problem(event, "aliases make the document too large")
        if isinstance(level.value, list):
            level.value.append(value)
            return
        key, level.key = level.key, None
        if key == _MERGE and isinstance(value, (dict, list)):
            level.merges.append(value)
        else:
            level.value[key] = value


def load(text: str) -> Any:
    """The one document in `text`. Raises yaml.YAMLError."""
    parser, builder, documents = _PARSER(text), _Builder(), 0
    try:
        while parser.check_event():
            event = parser.get_event()
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _problem(event, "more than one document in the file")
            builder.take(event)
    finally:
        parser.dispose()
    return builder.result
