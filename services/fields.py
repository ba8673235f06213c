"""Rules for single fields of what is sent in; each refusal names the field and says what would be right."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date

from app.errors import ValidationFailed

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def text(field: str, value: str | None, *, most: int, required: bool = True) -> str | None:
    """Trimmed text of at most `most` characters without control characters; None where it may be absent."""
    cleaned = (value or "").strip()
    if not cleaned:
        if required:
            raise ValidationFailed({field: "must not be empty"})
        return None
    if len(cleaned) > most:
        raise ValidationFailed({field: f"must be at most {most} characters, this has {len(cleaned)}"})
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in cleaned):
        raise ValidationFailed({field: "must not contain control characters"})
    return cleaned


def required_text(field: str, value: str | None, *, most: int) -> str:
    return text(field, value, most=most) or ""


def required_line(field: str, value: str | None, *, most: int) -> str:
    """Trimmed text on one line, for a name."""
    found = required_text(field, value, most=most)
    if len(found.splitlines()) > 1:
        raise ValidationFailed({field: "must be one line"})
    return found


def one_of(field: str, value: str, allowed: Iterable[str]) -> str:
    known = list(allowed)
    if value not in known:
        raise ValidationFailed({field: f"must be one of {', '.join(known)}"})
    return value


def between(field: str, value: int | None, least: int, most: int) -> int | None:
    if value is not None and not least <= value <= most:
        raise ValidationFailed({field: f"must be between {least} and {most}"})
    return value


def day(field: str, value: str | None) -> str | None:
    """A calendar day YYYY-MM-DD, or None."""
    if value is None or value == "":
        return None
    try:
        if not _DATE.fullmatch(value):
            raise ValueError(value)
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValidationFailed({field: "must be a day as YYYY-MM-DD"}) from None
