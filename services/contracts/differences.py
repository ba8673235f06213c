"""Where two documents that must be equal are not: in the document's own terms, for one sentence."""

from collections.abc import Iterator
from typing import Any

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_ABSENT = object()


def differences(before: Any, after: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each place that differs, as its path, and whether it is `gone`, `new` or `changed`; the order is fixed."""
    waiting: list[tuple[tuple[str, ...], Any, Any]] = [((), before, after)]
    while waiting:
        path, old, new = waiting.pop()
        if isinstance(old, dict) and isinstance(new, dict):
            names = sorted(old.keys() | new.keys(), reverse=True)
            waiting += [((*path, str(n)), old.get(n, _ABSENT), new.get(n, _ABSENT)) for n in names]
        elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            pairs = list(enumerate(zip(old, new, strict=True)))
            waiting += [((*path, str(n)), one, other) for n, (one, other) in reversed(pairs)]
        elif old is _ABSENT or new is _ABSENT:
            yield path, "new" if old is _ABSENT else "gone"
        elif old != new or type(old) is not type(new):
            yield path, "changed"


def describe(before: dict[str, Any], after: dict[str, Any], *, most: int = 3) -> str:
    """The first places that differ, such as ``GET /people: `summary` changed``."""
    found = list(differences(before, after))
    said = [_place(path, what, before, after) for path, what in found[:most]]
    more = f", and {len(found) - most} more" if len(found) > most else ""
    return "; ".join(said) + more


def _place(path: tuple[str, ...], what: str, before: Any, after: Any) -> str:
    match path:
        case ("paths", template):
            return f"{template} is {what}" if what != "changed" else f"{template} changed"
        case ("paths", template, method, *rest) if method in _METHODS:
            return _said(f"{method.upper()} {template}", rest, what)
        case ("paths", template, *rest):
            return _said(template, rest, what)
        case ("components", kind, name, *rest):
            subject = f"{kind}/{name}" + _users(kind, name, before if what == "gone" else after)
            return _said(subject, rest, what)
    return _said("the document", list(path), what)


def _said(subject: str, rest: list[str], what: str) -> str:
    place = f"`{'.'.join(rest)}`" if rest else ""
    verb = "changed" if what == "changed" else f"is {what}"
    return f"{subject}: {place} {verb}" if place else f"{subject} {verb}"


def _users(kind: str, name: str, document: Any) -> str:
    """` (of GET /people and 2 more)`: the operations that lead to a component."""
    wanted = {f"#/components/{kind}/{name}"}
    components = document.get("components", {})
    while True:
        leading = {
            f"#/components/{k}/{n}"
            for k, items in components.items()
            for n, item in items.items()
            if _names(item, wanted)
        }
        if leading <= wanted:
            break
        wanted |= leading
    users = [
        f"{method.upper()} {template}"
        for template, item in sorted(document.get("paths", {}).items())
        for method in _METHODS
        if method in item and _names(item[method], wanted)
    ]
    if not users:
        return ""
    return f" (of {users[0]}{f' and {len(users) - 1} more' if users[1:] else ''})"


def _names(value: Any, wanted: set[str]) -> bool:
    if isinstance(value, dict):
        return value.get("$ref") in wanted or any(_names(item, wanted) for item in value.values())
    return any(_names(item, wanted) for item in value) if isinstance(value, list) else False
