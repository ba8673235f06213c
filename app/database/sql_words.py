"""What kind of statement a text is, without parsing it: which connection may run it."""

from collections.abc import Iterator
from functools import lru_cache


def leading_verb(sql: str) -> str:
    """The first word of a statement in lower case, after comments; `` where there is none."""
    return next(_words(sql), "")


_MAIN = {"select", "values", "insert", "update", "delete", "replace"}
_QUOTES = {"'": "'", '"': '"', "`": "`", "[": "]"}


def _words(sql: str) -> Iterator[str]:
    """The bare words outside quotes, comments and parentheses, in lower case."""
    at, depth, size = 0, 0, len(sql)
    while at < size:
        char = sql[at]
        if sql.startswith("--", at):
            end = sql.find("\n", at)
            at = size if end < 0 else end
        elif sql.startswith("/*", at):
            end = sql.find("*/", at + 2)
            at = size if end < 0 else end + 2
        elif char in _QUOTES:
            end = sql.find(_QUOTES[char], at + 1)
            at = size if end < 0 else end + 1
        elif char.isalpha() or char == "_":
            start = at
            while at < size and (sql[at].isalnum() or sql[at] == "_"):
                at += 1
            if depth == 0:
                yield sql[start:at].lower()
        else:
            depth += (char == "(") - (char == ")")
            at += 1


@lru_cache(maxsize=2048)
def only_reads(sql: str) -> bool:
    """Whether a reader can run it: SELECT, VALUES, or WITH that leads to one of them."""
    words = _words(sql)
    first = next(words, "")
    if first == "with":
        first = next(
            (word for word in words if word in ("select", "values", "insert", "update", "delete", "replace")), ""
        )
    return first in ("select", "values")
