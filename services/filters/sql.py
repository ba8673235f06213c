"""The tree as one SQL condition; what a caller wrote only ever becomes a parameter.

Each comparison is true or false, also of a row whose field is null: `ne` and `in` count null as a value that differs
from every other, the others are false of it. Texts are compared by code point, whatever the collation.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import msgspec

from app.database import Dialect
from services.filters.fields import ORDERED, Field
from services.filters.patterns import glob_text, like_text
from services.filters.tree import Comparison, Group, Part

_SIGNS = {"eq": "=", "ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class Rendered:
    """`sql` with placeholders, and `params`, their values: `filter_0` is the first."""

    def __init__(self, tree: Group, fields: Mapping[str, Field], dialect: Dialect) -> None:
        self._fields, self._postgres = fields, dialect == "postgres"
        self.params: dict[str, Any] = {}
        self.sql = self._part(tree)

    def _part(self, part: Part) -> str:
        if isinstance(part, Comparison):
            return f"({' OR '.join(self._comparison(self._fields[part.field], part.operator, part.value))})"
        return f"({f' {part.word.upper()} '.join(self._part(each) for each in part.parts)})"

    def _comparison(self, field: Field, operator: str, value: Any) -> Iterator[str]:
        """Conditions of which one must hold."""
        if operator == "in":
            yield from self._among(field, value)
        elif operator == "like":
            word, text = ("LIKE", like_text(value)) if self._postgres else ("GLOB", glob_text(value))
            yield f"{field.sql} {word} {self._put(text, 'TEXT')}"
        elif value is None:
            yield f"{field.sql} IS {'NOT ' if operator == 'ne' else ''}NULL"
        else:
            by_code_point = operator in ORDERED and field.kind.sql_type == "TEXT" and self._postgres
            left = f'{field.sql} COLLATE "C"' if by_code_point else field.sql
            yield f"{left} {_SIGNS[operator]} {self._put(value, field.kind.sql_type)}"
            if operator == "ne" and field.nullable:
                yield f"{field.sql} IS NULL"

    def _among(self, field: Field, values: tuple[Any, ...]) -> Iterator[str]:
        """One parameter and one plan, however many values there are."""
        given = [value for value in values if value is not None]
        if given and self._postgres:
            yield f"{field.sql} = ANY({self._put(given, f'{field.kind.sql_type}[]')})"
        elif given:
            plain = [str(value) if isinstance(value, UUID) else value for value in given]
            listed = self._put(msgspec.json.encode(plain).decode(), "TEXT")
            yield f"{field.sql} IN (SELECT value FROM json_each({listed}))"  # noqa: S608 - own words
        if len(given) < len(values):
            yield f"{field.sql} IS NULL"

    def _put(self, value: Any, sql_type: str) -> str:
        name = f"filter_{len(self.params)}"
        self.params[name] = value
        return f"CAST({{{name}}} AS {sql_type})" if self._postgres else f"{{{name}}}"
