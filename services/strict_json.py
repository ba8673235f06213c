"""JSON and no more than that: each name of an object once, and no number that JSON cannot say.

RFC 8259 section 4 leaves open what a repeated name means; whoever wrote it meant both.
"""

import json
from typing import Any, NoReturn


def read_strictly(text: str) -> Any:
    """The value of a text. Raises json.JSONDecodeError, RecursionError, and ValueError, whose message is the rule."""
    return json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_constant)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        again = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {again[:60]!r} stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
