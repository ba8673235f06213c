"""What a filter means, told a second time: over rows in memory, from the expression itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

Row = Mapping[str, Any]
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def passes(expression: Mapping[str, Any], row: Row) -> bool:
    """Whether a row, by the names of the expression, is one that was asked for."""
    return all(_member(name, given, row) for name, given in expression.items())


def _member(name: str, given: Any, row: Row) -> bool:
    if name == "and":
        return all(passes(each, row) for each in given)
    if name == "or":
        return any(passes(each, row) for each in given)
    comparisons = given if isinstance(given, dict) else {"eq": given}
    return all(_holds(row[name], operator, _typed(name, value)) for operator, value in comparisons.items())


def _typed(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_typed(name, each) for each in value]
    if name == "at":
        return (datetime.fromisoformat(value) - _EPOCH) // timedelta(milliseconds=1)
    return value


def _holds(seen: Any, operator: str, value: Any) -> bool:
    if operator == "eq":
        return bool(seen == value)
    if operator == "ne":
        return bool(seen != value)
    if operator == "in":
        return seen in value
    if seen is None:
        return False
    if operator == "like":
        return re.fullmatch(_regex(value), seen, re.DOTALL) is not None
    return bool({"gt": seen > value, "gte": seen >= value, "lt": seen < value, "lte": seen <= value}[operator])


def _regex(pattern: str) -> str:
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return "".join({"%": ".*", "_": "."}.get(part, re.escape(part[-1])) for part in parts)
