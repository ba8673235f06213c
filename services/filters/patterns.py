r"""Patterns of `like`: `%` is any run of characters, `_` is one; `\` before `%`, `_` or `\` takes it as it is."""

from collections.abc import Iterator

Pattern = tuple[str | None, ...]
#: Stand in a pattern that was read for what is not a character.
ANY, ONE = None, ""
_SPECIAL = "%_\\"


def read_pattern(text: str) -> Pattern:
    """Each character as itself, `ANY` and `ONE` for the wildcards. Raises ValueError for a stray backslash."""
    return tuple(_parts(iter(text)))


def _parts(chars: Iterator[str]) -> Iterator[str | None]:
    for char in chars:
        if char == "\\":
            char = next(chars, "")
            if not char or char not in _SPECIAL:
                raise ValueError(r"must have %, _ or \ after each \ ")
            yield char
        else:
            yield ANY if char == "%" else ONE if char == "_" else char


def like_text(pattern: Pattern) -> str:
    """The pattern for PostgreSQL's LIKE."""
    return "".join(_of_like(part) for part in pattern)


def _of_like(part: str | None) -> str:
    if part is ANY or part == ONE:
        return "_" if part == ONE else "%"
    return f"\\{part}" if part in _SPECIAL else part


def glob_text(pattern: Pattern) -> str:
    """The pattern for SQLite's GLOB, which tells letters of both cases apart, as its LIKE does not."""
    return "".join(_of_glob(part) for part in pattern)


def _of_glob(part: str | None) -> str:
    if part is ANY or part == ONE:
        return "?" if part == ONE else "*"
    return f"[{part}]" if part in "*?[" else part
