"""Patterns: whether a text matches, in linear time, and whether one pattern implies another."""

from functools import lru_cache

import jsonschema_rs


@lru_cache(maxsize=4096)
def _validator(pattern: str) -> jsonschema_rs.Draft202012Validator | None:
    try:
        options = jsonschema_rs.RegexOptions(size_limit=1_000_000)
        return jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=options)
    except (ValueError, jsonschema_rs.ValidationError):
        return None


def matches(pattern: str, text: str) -> bool:
    """Whether `pattern` is found in `text`; a pattern that cannot be read matches nothing."""
    validator = _validator(pattern)
    return validator is not None and validator.is_valid(text)


def pattern_implies(left: str, right: str) -> bool:
    """Whether every text that matches `left` matches `right`, as far as can be told without running either."""
    return left == right
