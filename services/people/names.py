"""Names as they are shown, ordered and searched, and the check of localised text from outside."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

import msgspec

from app.errors import ValidationFailed

Localised = str | dict[str, str | None]
Name = str | Mapping[str, str | None] | None

LIKE_ESCAPE = "!"
MAX_LOCALES = 200
MAX_TEXT = 10_000
#: An entry of an index holds 2,704 bytes (PostgreSQL), and a character up to four.
MAX_SORT_KEY = 600
#: Fields whose text may have line breaks and tabs; in all others they are control characters too.
_WITH_LINES = frozenset({"biography"})
_LOCALE = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*")
_MAX_LOCALE = 35


def display_name(name: Name) -> str:
    """The name to show: the string itself, else `en`, else the first locale in order that has one."""
    texts = _texts(name)
    return texts.get("en") or next((texts[locale] for locale in sorted(texts)), "")


def shown_name(text: str) -> str:
    """The name to show, from a name as it is stored: JSON text."""
    name: Name = msgspec.json.decode(text)
    return display_name(name)


def sort_key(name: Name) -> str:
    """What a list of people is ordered by."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", display_name(name)).casefold()).strip()[
        :MAX_SORT_KEY
    ]


def search_text(name: Name, orcid_id: str) -> str:
    """What a query is looked for in: each locale's name and the iD, folded, on a line of its own."""
    texts = _texts(name)
    return "\n".join(dict.fromkeys(fold_query(text) for text in [*(texts[key] for key in sorted(texts)), orcid_id]))


def fold_query(query: str) -> str:
    """Text without case, accents, compatibility forms and surplus white space."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", query).casefold())
    return " ".join("".join(char for char in folded if not unicodedata.combining(char)).split())


def like_pattern(query: str) -> str:
    """A LIKE pattern, with `ESCAPE '!'`, for what holds `query`; fold the query first."""
    return "%" + re.sub(r"([!%_])", rf"{LIKE_ESCAPE}\1", query) + "%"


def check_localised(value: object, field: str) -> Localised:
    """The value, when it is text or an object locale→text|null that says something.

    Raises ValidationFailed on `field`, or on `field.locale` where one locale's text is at fault.
    """
    if isinstance(value, str):
        _check_text(value, field, field)
        _check_some([value], field)
        return value
    if not isinstance(value, Mapping):
        raise ValidationFailed({field: "must be text, or an object from locale to text"})
    if len(value) > MAX_LOCALES:
        raise ValidationFailed({field: f"must have at most {MAX_LOCALES} locales"})
    checked = {_checked_locale(key, field): text for key, text in value.items()}
    for locale, text in checked.items():
        if text is not None:
            _check_text(text, f"{field}.{locale}", field)
    _check_some(checked.values(), field)
    return checked


def _texts(name: Name) -> dict[str, str]:
    """Locale → text of those that are not blank; a plain string stands under `en`."""
    given: Mapping[str, str | None] = {"en": name} if isinstance(name, str) else name or {}
    return {locale: text for locale, text in given.items() if text and text.strip()}


def _checked_locale(key: object, field: str) -> str:
    if not isinstance(key, str) or len(key) > _MAX_LOCALE or not _LOCALE.fullmatch(key):
        raise ValidationFailed({field: f"must have locales like en or pt-BR as its keys, not {str(key)[:40]!r}"})
    return key


def _check_text(text: object, place: str, field: str) -> None:
    if not isinstance(text, str):
        raise ValidationFailed({place: "must be text or null"})
    if len(text) > MAX_TEXT:
        raise ValidationFailed({place: f"must be at most {MAX_TEXT} characters"})
    allowed = "\t\n\r" if field in _WITH_LINES else ""
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in allowed for char in text):
        raise ValidationFailed({place: "must not hold control characters"})


def _check_some(texts: Iterable[str | None], field: str) -> None:
    if not any(text and text.strip() for text in texts):
        raise ValidationFailed({field: "must not be blank"})
