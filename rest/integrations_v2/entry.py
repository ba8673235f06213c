"""The way in to v2: the query is read once, for the gate to know the walk; and the headers of its answers."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from rest.consumers import admission
from rest.consumers.headers import EXPOSED, headers_of
from rest.integrations_v2.cursors import Cursor, NoCursor, mark_of_query, read_cursor
from rest.integrations_v2.queries import Query


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard: who was not let in or refused before the routing is now."""
    state = connection.scope["state"]
    if "refused" in state:
        raise state["refused"]
    if "context" not in state:
        await let_in(connection.scope, handler.opt)


async def let_in(scope: Any, opt: Mapping[str, Any]) -> None:
    """Header, key, credential, installation, rate limit, origin, scope; then the query's names and cursor.

    A page that a cursor of ours leads to belongs to the walk that its first page began, and is not refused for
    quota, however many pages there are; each pays for itself as far as the budget goes.
    """
    state = scope["state"]
    query = _query(scope, state["runtime"].cursor_key)
    approach = admission.approach_of(
        scope, opt, "integrations/v2", page=query.page, walk=_walk(query, opt), pays_ahead=False
    )
    await admission.let_in(scope, opt, approach)
    query.check_names(opt.get("parameters", frozenset()))
    query.check_integers()
    query.check_cursor(state["context"].tenant.bytes)
    state["query"] = query


def _walk(query: Query, opt: Mapping[str, Any]) -> str | None:
    """The name of the walk; a cursor that is not of this query makes it none."""
    strange = query.has_cursor and (query.cursor is None or query.cursor.query != query.mark)
    return f"{query.path}?{query.mark.hex()}" if opt.get("walk") and not strange else None


def _query(scope: Scope, key: bytes) -> Query:
    text = scope["query_string"].decode("utf-8", "replace")
    pairs = parse_qsl(text, keep_blank_values=True)
    path = scope["path"].rstrip("/")
    return Query(path, pairs, mark_of_query(pairs), _cursor(key, dict(pairs).get("cursor")))


def _cursor(key: bytes, text: str | None) -> Cursor | None:
    try:
        return None if text is None else read_cursor(key, text)
    except NoCursor:
        return None


def own_headers(scope: Any) -> list[tuple[bytes, bytes]]:
    return headers_of(scope, b"Origin, X-API-Key", f"{EXPOSED}, ETag")


async def add_headers(message: Message, scope: Scope) -> None:
    """`before_send` hook."""
    if message["type"] == "http.response.start":
        message["headers"] = [*message["headers"], *own_headers(scope)]
