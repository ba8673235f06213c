"""The way in to v2: the query is read once, for the gate to know the walk; and the headers of its answers."""

from urllib.parse import parse_qsl

from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from rest.consumers.admission import Connection, approach_of, let_in
from rest.consumers.headers import EXPOSED, put_on
from rest.integrations_v2.cursors import Cursor, NoCursor, mark_of_query, read_cursor
from rest.integrations_v2.queries import Query
from services.runtime import Runtime


async def admit(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard: header, key, credential, installation, rate limit, origin, scope; then the query's names and cursor.

    A page that a cursor of ours leads to belongs to the walk that its first page began, and is not refused for
    quota, however many pages there are; each pays for itself as far as the budget goes.
    """
    scope = connection.scope
    runtime: Runtime = scope["litestar_app"].state.runtime
    query = _query(scope, runtime.cursor_key)
    walk = f"{query.path}?{query.mark.hex()}" if handler.opt.get("walk") else None
    page = query.cursor.page if query.cursor else 1
    if "cursor" in dict(query.pairs) and (query.cursor is None or query.cursor.query != query.mark):
        walk = None
    await let_in(
        connection, handler, approach_of(connection, handler, "integrations/v2", page=page, walk=walk, pays_ahead=False)
    )
    query.check_names(handler.opt.get("parameters", frozenset()))
    query.check_cursor(scope["state"]["context"].tenant.bytes)
    scope["state"]["query"] = query


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


async def add_headers(message: Message, scope: Scope) -> None:
    """`before_send` hook."""
    put_on(message, scope, vary="Origin, X-API-Key", exposed=f"{EXPOSED}, ETag")
