"""HTML put together so that what is not markup is escaped: only `el` and `text` make it."""

import re
from collections.abc import Iterable
from html import escape

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
_ANCHOR = re.compile(r"[^A-Za-z0-9_.-]+")


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def text(value: object) -> Html:
    """A value as it is to be read; markup stays what it is."""
    return value if isinstance(value, Html) else Html(escape(str(value), quote=True))


def joined(parts: Iterable[object], between: str = "") -> Html:
    return Html(str(text(between)).join(str(text(part)) for part in parts))


def el(name: str, /, *children: object, **attributes: object) -> Html:
    """An element. An attribute is left out for None and False, bare for True; `class_` and `data_x` lose their `_`."""
    given = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    if name in _VOID:
        return Html(f"<{name}{given}>")
    inside = "".join(_child(child) for child in children if child is not None)
    return Html(f"<{name}{given}>{inside}</{name}>")


def _child(child: object) -> str:
    if isinstance(child, str):
        return str(text(child))
    return str(joined(child)) if isinstance(child, Iterable) else str(text(child))


def _attribute(key: str, value: object) -> str:
    name = key.rstrip("_").replace("_", "-")
    if isinstance(value, bool):
        return f" {name}" if value else ""
    return f' {name}="{text(value)}"'


def anchor(kind: str, name: str) -> str:
    """The id of a place on a page; the same name is the same place in every rendering."""
    return f"{kind}-{_ANCHOR.sub('-', name).strip('-')}"
