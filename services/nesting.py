"""How deep a value nests: level by level, so that what a stranger sent decides nothing about our stack."""

from typing import Any

HOLDERS = frozenset({dict, list})


def nests_deeper(value: Any, most: int) -> bool:
    """Whether objects and lists, as JSON and YAML are read into them, lie more than `most` within one another."""
    level = [value] if type(value) in HOLDERS else []
    for _ in range(most):
        level = [
            inner
            for each in level
            for inner in (each.values() if type(each) is dict else each)
            if type(inner) in HOLDERS
        ]
        if not level:
            return False
    return True
