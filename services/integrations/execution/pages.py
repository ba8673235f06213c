"""Pages of a method's results: one a call, with a cursor for the next, or all of them up to a bound.

A cursor is signed for its instance and method: what a caller could write into one would otherwise become a query, or
with style `link` (RFC 8288) an address, that the method does not offer.
"""

import hmac
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from yarl import URL

from app import base64url
from app.errors import IntegrationFailed, ValidationFailed
from services.integrations.definitions.expressions import compile_expression
from services.integrations.definitions.model import Pagination
from services.integrations.execution.calls import Run
from services.integrations.execution.requests import Extra
from services.integrations.execution.results import Reading

#: Pages of a walk through all of them where the definition sets no bound.
MOST_PAGES = 10
_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^,;\"]+(?:\"[^\"]*\")?)*)")
_REL_NEXT = re.compile(r";\s*rel\s*=\s*(?:\"(?:[^\"]*\s)?next(?:\s[^\"]*)?\"|next(?=\s*(?:;|$)))", re.IGNORECASE)
_MAC_BYTES = 16


class Place(NamedTuple):
    """Where a page begins: what pagination adds to the request, or for style `link` its whole address."""

    extras: tuple[Extra, ...] = ()
    url: str | None = None


def first_place(pagination: Pagination | None, params: Any) -> Place:
    if pagination is None:
        return Place()
    return Place(_sized(pagination, params))


def _sized(pagination: Pagination, params: Any) -> tuple[Extra, ...]:
    name = pagination.size_parameter
    if name is None or pagination.size is None or name in params:
        return ()
    return (Extra(name, pagination.size),)


def place_at(run: Run, cursor: str, params: Any) -> Place:
    """Where a cursor points. Raises ValidationFailed for one that is not of this method."""
    pagination = run.method.method.pagination
    value = _opened(run, cursor)
    if pagination is None or value is None:
        raise ValidationFailed({"cursor": "must be the nextCursor of an earlier answer of this method"})
    if pagination.style == "link":
        return Place((), str(value))
    return Place((*_sized(pagination, params), Extra(pagination.parameter or "", value)))


def next_cursor(run: Run, url: str, place: Place, params: Any, reading: Reading) -> str | None:
    """The cursor of the page after this one; None after the last."""
    pagination = run.method.method.pagination
    if pagination is None:
        return None
    value = _FOLLOWING[pagination.style](pagination, url, place, params, reading)
    return None if value is None else _sealed(run, value)


def items_of(pagination: Pagination, result: Any, body: Any) -> list[Any] | None:
    """The items of a page: by the definition's expression, else the result where it is a list."""
    found = compile_expression(pagination.items).search(body) if pagination.items is not None else result
    return found if isinstance(found, list) else None


def _by_cursor(pagination: Pagination, url: str, place: Place, params: Any, reading: Reading) -> Any:
    found = compile_expression(pagination.cursor or "@").search(reading.body)
    return found if isinstance(found, str | int) and found != "" and not isinstance(found, bool) else None


def _count(pagination: Pagination, reading: Reading) -> int:
    return len(items_of(pagination, reading.body, reading.body) or ())


def _at(pagination: Pagination, place: Place, params: Any, start: int) -> int:
    given = [extra.value for extra in place.extras if extra.name == pagination.parameter]
    value = given[0] if given else params.get(pagination.parameter, start)
    return value if isinstance(value, int) else start


def _full(pagination: Pagination, params: Any, count: int) -> bool:
    size = params.get(pagination.size_parameter, pagination.size) if pagination.size_parameter else pagination.size
    return count > 0 and (not isinstance(size, int) or count >= size)


def _by_page(pagination: Pagination, url: str, place: Place, params: Any, reading: Reading) -> Any:
    full = _full(pagination, params, _count(pagination, reading))
    return _at(pagination, place, params, 1) + 1 if full else None


def _by_offset(pagination: Pagination, url: str, place: Place, params: Any, reading: Reading) -> Any:
    count = _count(pagination, reading)
    return _at(pagination, place, params, 0) + count if _full(pagination, params, count) else None


def _by_link(pagination: Pagination, url: str, place: Place, params: Any, reading: Reading) -> Any:
    text = ", ".join(reading.answer.headers.getall("Link", []))[:16_384]
    found = next((target for target, given in _LINK.findall(text) if _REL_NEXT.search(given)), None)
    if found is None:
        return None
    try:
        here, there = URL(url, encoded=True), URL(url, encoded=True).join(URL(found, encoded=True))
        same = there.origin() == here.origin()
    except ValueError:
        same = False
    if not same:
        raise IntegrationFailed("The integration's next page is at another host.", status_code=reading.answer.status)
    return str(there)


_FOLLOWING: dict[str, Callable[..., Any]] = {
    "cursor": _by_cursor, "page": _by_page, "offset": _by_offset, "link": _by_link,
}  # fmt: skip


def _mac(run: Run, payload: bytes) -> bytes:
    bound = f"execution|{run.target.id}|{run.method.method.name}|".encode() + payload
    return hmac.digest(run.context.runtime.cursor_key, bound, "sha256")[:_MAC_BYTES]


def _sealed(run: Run, value: Any) -> str:
    payload = msgspec.json.encode(value)
    return base64url.encode(_mac(run, payload) + payload)


def _opened(run: Run, cursor: str) -> Any:
    try:
        raw = base64url.decode(cursor)
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        return msgspec.json.decode(payload) if hmac.compare_digest(mac, _mac(run, payload)) else None
    except (ValueError, msgspec.MsgspecError):
        return None
