"""Who a person is: name and biography, as far as they are public."""

from typing import Any

import msgspec

from app.errors import ValidationFailed
from services.people.orcid import parse_orcid
from services.people.records.members import RecordUnreadable, child, is_public, lines, locale, token, wrapped

DEFAULT_LOCALE = "en"
_MAX_NAME = 1_000
_KNOWN = frozenset(
    {"name", "other-names", "biography", "researcher-urls", "emails", "addresses", "keywords", "external-identifiers"}
)


class PersonRecord(msgspec.Struct, frozen=True):
    """`name` is a string or an object locale→string; `biography` an object locale→string."""

    orcid_id: str
    name: str | dict[str, str | None] | None
    biography: dict[str, str | None] | None


def read_person(body: Any, orcid_id: str | None = None) -> PersonRecord:
    """A `/person` body, or a whole record that holds one.

    Raises RecordUnreadable for anything else, and where the iD in it is missing or not `orcid_id`.
    """
    person = child(body, "person") if isinstance(child(body, "person"), dict) else body
    if not isinstance(person, dict) or not _KNOWN & person.keys():
        raise RecordUnreadable("This is no ORCID person: it has none of the members of one.")
    return PersonRecord(_owner(body, person, orcid_id), _name(person), _biography(person, body))


def stated_orcid(body: Any) -> str | None:
    """The iD that a whole record or a person's body gives as its own."""
    person = child(body, "person")
    for text in (
        child(body, "orcid-identifier", "path"),
        child(body, "orcid-identifier", "uri"),
        *(_first_part(child(holder, *path)) for holder in (body, person) for path in (("path",), ("name", "path"))),
    ):
        try:
            return parse_orcid(text)
        except ValidationFailed:
            continue
    return None


def _first_part(path: Any) -> str:
    return path.strip("/").partition("/")[0] if isinstance(path, str) else ""


def _owner(body: Any, person: Any, expected: str | None) -> str:
    stated = stated_orcid(body) or stated_orcid(person)
    if expected is not None and stated not in (None, expected):
        raise RecordUnreadable(f"This is the record of {stated}, not of {expected}.")
    owner = expected or stated
    if owner is None:
        raise RecordUnreadable("The record does not say whose it is.")
    return owner


def _name(person: Any) -> str | None:
    """The public credit-name, else given and family name, whichever there are."""
    name = child(person, "name")
    if not is_public(child(name, "visibility")):
        return None
    credit = child(name, "credit-name")
    if is_public(child(credit, "visibility")) and (text := wrapped(credit)):
        return text[:_MAX_NAME]
    parts = [wrapped(child(name, key)) for key in ("given-names", "family-name")]
    return " ".join(part for part in parts if part)[:_MAX_NAME] or None


def _biography(person: Any, body: Any) -> dict[str, str | None] | None:
    """Under the locale that the whole record prefers, else `en`: ORCID v3.0 gives a biography none.

    Only where it says that it is public: a biography without a visibility is not taken.
    """
    biography = child(person, "biography")
    text = lines(child(biography, "content"))
    if text is None or token(child(biography, "visibility")) != "public":
        return None
    return {locale(child(body, "preferences", "locale")) or DEFAULT_LOCALE: text}
