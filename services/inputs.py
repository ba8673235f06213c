"""What is sent in, made into typed data; a refusal names the field by its path and says the rule."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from app.errors import MalformedBody, ValidationFailed
from services.choices import choices_at

T = TypeVar("T")
_PLACE = re.compile(r"^(?P<text>.*?)(?: - at `(?P<where>(?:key in )?\$.*)`)?$", re.DOTALL)
_NAMED = re.compile(r"Object (?P<what>contains unknown|missing required) field `(?P<field>.*)`", re.DOTALL)
_INDEX = re.compile(r"\[(\d+|\*)\]")
_NO_CHOICE = "Invalid enum value"


def read_input(kind: type[T], source: bytes | Mapping[str, Any]) -> T:
    """The body of a request, or a value that was read already, as `kind`. Raises MalformedBody, ValidationFailed."""
    try:
        if isinstance(source, bytes):
            return msgspec.json.decode(source or b"{}", type=kind)
        return msgspec.convert(source, kind)
    except msgspec.ValidationError as error:
        path, rule = _told(str(error), kind)
        raise ValidationFailed({path: rule}) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise MalformedBody from None
    except RecursionError:
        raise MalformedBody("The body nests too deep.") from None


def _told(message: str, kind: Any) -> tuple[str, str]:
    """msgspec's message as path and rule."""
    found = _PLACE.match(message)
    text, where = (found["text"], found["where"] or "$") if found else (message, "$")
    # Of a member of a map msgspec does not say which: `[...]`.
    path = _INDEX.sub(r".\1", where.partition("$")[2].replace("[...]", "[*]")).lstrip(".")
    named = _NAMED.fullmatch(text)
    if named is not None:
        rule = "is not a field here" if named["what"].startswith("contains") else "is required"
        return f"{path}.{named['field']}".lstrip("."), rule
    if text.startswith(_NO_CHOICE) and (choices := choices_at(kind, path.split("."))):
        return path, f"must be one of {', '.join(choices)}"
    return path or "body", _plain(text)


def _plain(text: str) -> str:
    text = text.replace("Expected", "must be", 1) if text.startswith("Expected") else text
    return text[:1].lower() + text[1:].replace("`", "")
