"""ORCID iDs: sixteen characters in four groups, the last a check digit (ISO 7064 MOD 11-2)."""

import re

from app.errors import ValidationFailed

_PREFIX = re.compile(r"(?:https?://)?(?:www\.)?orcid\.org/", re.IGNORECASE)
_GROUPED = re.compile(r"[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]")
_PLAIN = re.compile(r"[0-9]{15}[0-9X]")


def check_digit(digits: str) -> str:
    """The check character, 0-9 or X, of fifteen digits."""
    total = 0
    for digit in digits:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11]


def parse_orcid(text: str) -> str:
    """The iD as `0000-0000-0000-000X`, from an iD or its orcid.org address.

    Raises ValidationFailed on `orcid_id`, with the rule that is broken.
    """
    if not isinstance(text, str) or not text.strip():
        raise _invalid("must not be empty")
    bare = _PREFIX.sub("", text.strip(), count=1) if _PREFIX.match(text.strip()) else text.strip()
    bare = bare.removesuffix("/").upper()
    if "/" in bare:
        raise _invalid("must be an iD or an address at https://orcid.org/")
    if _PLAIN.fullmatch(bare):
        bare = "-".join(bare[start : start + 4] for start in (0, 4, 8, 12))
    if not _GROUPED.fullmatch(bare):
        raise _invalid(_shape_rule(bare))
    if check_digit(bare[:-1].replace("-", "")) != bare[-1]:
        raise _invalid("has a check digit that does not fit; one of its digits is mistyped")
    return bare


def _invalid(rule: str) -> ValidationFailed:
    return ValidationFailed({"orcid_id": rule})


def _shape_rule(bare: str) -> str:
    if "X" in bare[:-1]:
        return "may have an X only as its last character"
    if len(bare.replace("-", "")) != 16:
        return "must have sixteen digits, as in 0000-0002-1825-0097"
    return "must be four groups of four digits joined by hyphens, as in 0000-0002-1825-0097"
