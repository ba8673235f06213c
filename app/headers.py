"""Reading headers of an ASGI scope."""

import re
from typing import Any

#: RFC 9110 section 12.4.2: three digits at most, and none above 1.
_QUALITY = re.compile(r"(?i:;\s*q)\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*(?:;|$)", re.ASCII)


def header(scope: Any, name: bytes) -> str | None:
    """The first header of that (lower-case) name."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None


def prefers(accept: str | None, media: str, usual: str) -> bool:
    """Whether `Accept` wants `media` rather than what is usual; not so where both are as welcome (RFC 9110, 12.5.1)."""
    ranges = [each.strip() for each in (accept or "*/*").split(",")]
    return _quality(ranges, media) > _quality(ranges, usual)


def _quality(ranges: list[str], media: str) -> float:
    """How welcome a media type is: the nearest range says it, whatever stands before or behind; 0 where none does."""
    for wanted in (media, f"{media.partition('/')[0]}/*", "*/*"):
        for each in ranges:
            name, parameters, rest = each.partition(";")
            if name.strip().lower() == wanted:
                found = _QUALITY.search(parameters + rest)
                return float(found[1]) if found else 1.0
    return 0.0
