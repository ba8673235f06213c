"""Reading members of JSON that may be absent, null or of another type than it should be."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

_LOCALE = re.compile(r"([A-Za-z]{2,3})((?:-[A-Za-z0-9]{1,8})*)")


class RecordUnreadable(Exception):
    """What was read is no ORCID answer of the kind that was asked for; the message says why."""


def child(value: Any, *path: str) -> Any:
    """The member at the end of `path`, or None where any step is no object or has no such member."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def plain(value: Any, limit: int = 10_000) -> str | None:
    """Text on one line: white space tidied, control characters and lone surrogates gone; None when blank."""
    if not isinstance(value, str):
        return None
    spaced = " ".join(value[: 4 * limit].split())
    return "".join(char for char in spaced if unicodedata.category(char) not in ("Cc", "Cs"))[:limit].strip() or None


def lines(value: Any, limit: int = 10_000) -> str | None:
    """Text that keeps its lines, each tidied, with no more than one empty line between two."""
    if not isinstance(value, str):
        return None
    tidied = "\n".join(plain(line) or "" for line in value[: 4 * limit].splitlines())
    return re.sub(r"\n{3,}", "\n\n", tidied).strip()[:limit].strip() or None


def wrapped(value: Any) -> str | None:
    """The text of ORCID's `{"value": "…"}`, or of a bare string."""
    return plain(child(value, "value") if isinstance(value, Mapping) else value)


def integer(value: Any) -> int | None:
    """A non-negative whole number, as a number, as ASCII digits, or wrapped in `{"value": …}`."""
    if isinstance(value, Mapping):
        value = value.get("value")
    if isinstance(value, str) and value.isascii() and value.strip().isdecimal() and len(value) <= 18:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def token(value: Any) -> str | None:
    """A word of a closed list as v3.0 writes it: `JOURNAL_ARTICLE` of v2 is `journal-article`."""
    text = plain(value)
    return text.lower().replace("_", "-") if text else None


def is_public(value: Any) -> bool:
    """The visibility is public. Where none is given it is: ORCID's public API answers with nothing else."""
    return value is None or token(value) == "public"


def locale(value: Any) -> str | None:
    """A language tag in the usual case (RFC 5646 section 2.1.1), `zh_CN` as `zh-CN`; None when it is none."""
    found = _LOCALE.fullmatch(value.strip().replace("_", "-")) if isinstance(value, str) and len(value) <= 35 else None
    if found is None:
        return None
    parts = [part.upper() if len(part) == 2 else part.lower() for part in found[2].split("-")[1:]]
    return "-".join([found[1].lower(), *(part.title() if len(part) == 4 else part for part in parts)])
