"""Hand-written SQL with named placeholders that runs unchanged on SQLite and PostgreSQL."""

import re
from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

Dialect = Literal["sqlite", "postgres"]

_TOKEN = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}|[{}]")
_MARK: dict[Dialect, str] = {"sqlite": "?", "postgres": "$"}


class Statement:
    """`SELECT … WHERE tenant = {tenant}`: each name becomes one numbered parameter; `{{` and `}}` are braces.

    Values never enter the text. Raises ValueError for a brace that is neither a placeholder nor doubled.
    """

    __slots__ = ("_compiled", "names", "template")

    def __init__(self, template: str) -> None:
        self.template = template
        self.names = _names(template)
        self._compiled: dict[Dialect, str] = {}

    def sql(self, dialect: Dialect) -> str:
        """The text for one engine, compiled once."""
        text = self._compiled.get(dialect)
        if text is None:
            text = self._compiled[dialect] = self._compile(_MARK[dialect])
        return text

    def arguments(self, dialect: Dialect, params: Mapping[str, Any]) -> list[Any]:
        """The values in the order of their numbers; raises TypeError naming unknown or missing ones."""
        if len(params) != len(self.names):
            raise self._mismatch(params)
        try:
            values = [params[name] for name in self.names]
        except KeyError:
            raise self._mismatch(params) from None
        return [_for_sqlite(value) for value in values] if dialect == "sqlite" else values

    def _compile(self, mark: str) -> str:
        numbers = {name: f"{mark}{number}" for number, name in enumerate(self.names, 1)}

        def replace(match: re.Match[str]) -> str:
            return numbers[match[1]] if match[1] else match[0][0]

        return _TOKEN.sub(replace, self.template)

    def _mismatch(self, params: Mapping[str, Any]) -> TypeError:
        missing = [name for name in self.names if name not in params]
        unknown = [name for name in params if name not in self.names]
        parts = [f"{kind} {', '.join(names)}" for kind, names in (("missing", missing), ("unknown", unknown)) if names]
        return TypeError(f"statement parameters: {'; '.join(parts)}: {self.template[:80]!r}")

    def __repr__(self) -> str:
        return f"Statement({self.template!r})"


def _names(template: str) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for match in _TOKEN.finditer(template):
        if match[1]:
            names[match[1]] = None
        elif len(match[0]) == 1:
            raise ValueError(f"a single brace at {match.start()}; write it twice: {template[:80]!r}")
    return tuple(names)


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return int(value) if isinstance(value, bool) else value
