"""Media types: ranges, parameters, and which kinds travel as text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaType:
    """`type/subtype` in lower case with its parameters; either part may be `*`."""

    main: str
    sub: str
    parameters: frozenset[tuple[str, str]]


def parsed(text: str) -> MediaType:
    """A media type or range as written; what has no slash is a type of its own."""
    name, *rest = text.split(";")
    main, _, sub = name.strip().lower().partition("/")
    pairs = (each.partition("=") for each in rest if "=" in each)
    parameters = frozenset((key.strip().lower(), value.strip().strip('"').lower()) for key, _, value in pairs)
    return MediaType(main, sub, parameters - {("charset", "utf-8")})


def covers(wide: MediaType, narrow: MediaType) -> bool:
    """Whether everything of the narrow kind is of the wide one."""
    if wide.main not in ("*", narrow.main) or not wide.parameters <= narrow.parameters:
        return False
    if wide.sub in ("*", narrow.sub) or wide.main == "*":
        return True
    return "+" in narrow.sub and narrow.sub.rpartition("+")[2] == wide.sub


def is_text(media: MediaType) -> bool:
    """Whether values of this kind are written as text without types, so that 1 is "1"."""
    if media.main == "multipart" or media.main == "text":
        return "json" not in media.sub
    return media.sub == "x-www-form-urlencoded" or is_xml(media)


def is_xml(media: MediaType) -> bool:
    return media.sub == "xml" or media.sub.endswith("+xml")
