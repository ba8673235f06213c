"""The expression as a caller writes it: JSON text, or an object that was read already."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from app.errors import ValidationFailed
from services.strict_json import read_strictly

MOST_CHARACTERS = 8_192
PLACE = "filter"


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """An expression that is not checked yet; `fields` are the caller's names and those of the list for them.

    `place` is what refusals call it by.
    """

    expression: Any
    fields: Mapping[str, str]
    place: str = PLACE


def read_filter(text: str | None, fields: Mapping[str, str]) -> Filter | None:
    """The filter of a JSON text; None where there is none. Raises ValidationFailed for what is not JSON."""
    if text is None:
        return None
    if len(text) > MOST_CHARACTERS:
        raise ValidationFailed({PLACE: f"must be at most {MOST_CHARACTERS} characters"})
    try:
        found = read_strictly(text)
    except json.JSONDecodeError as error:
        rule = f"must be JSON: {error.msg[:1].lower()}{error.msg[1:]} at character {error.pos + 1}"
        raise ValidationFailed({PLACE: rule}) from None
    except (ValueError, RecursionError) as error:
        told = "it nests too deep" if isinstance(error, RecursionError) else str(error).partition(";")[0]
        raise ValidationFailed({PLACE: f"must be JSON: {told}"}) from None
    return Filter(expression=found, fields=fields)
