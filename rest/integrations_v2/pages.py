"""Lists without the routing: a query that a route has checked before is answered from its spelling.

A page depends on the rows, on the head of the tenant's changes, which is the version that it is kept under, and
on where its cursor leads. The cursor tells what its first page was read under, maybe by another process, and is
part of the page's name: so no page is kept from before that, which could show a row whose tombstone the next
increment does not tell any more.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import msgspec

from app.database import Row
from app.headers import header
from rest.consumers.pages import find_page, keep_page, send_page
from rest.integrations_v2.answers import is_known, tag_headers, tag_of
from rest.integrations_v2.cursors import Cursor, mark, write_cursor
from rest.integrations_v2.entry import let_in, own_headers
from rest.integrations_v2.items import Item
from rest.integrations_v2.queries import Query
from services.feeds import FeedPage, FeedRequest
from services.page_cache import Page

#: The pages of a walk are not counted: it may have as many as the ceiling allows.
_UNTOLD = 2**31


class FollowedList(NamedTuple):
    """A list of the contract: its name on the wire, the operation that reads it, and the shape of its rows."""

    name: str
    operation: Callable[..., Any]
    item: Callable[[Row], Item]


async def answer_kept(scope: Any, send: Any, opt: Mapping[str, Any]) -> bool:
    """Let the caller in and answer; False where the query has not been checked yet, and the route has to answer.

    Refusals and faults are left to the route too, which knows their form.
    """
    state = scope["state"]
    try:
        await let_in(scope, opt)
        page = await find_page(scope, partial(read_page, scope, opt["list"]))
    except Exception as error:  # noqa: BLE001 - raised again by the route's guard
        state["refused"] = error
        return False
    if page is None:
        return False
    tags = [(name.lower().encode(), value.encode()) for name, value in tag_headers(page.tag).items()]
    if is_known(header(scope, b"if-none-match"), page.tag):
        await send_page(send, 304, [*tags, *own_headers(scope)], b"")
        return True
    about = [(b"content-type", b"application/json"), (b"content-length", str(len(page.body)).encode())]
    await send_page(send, 200, [*about, *tags, *own_headers(scope)], page.body)
    return True


async def read_page(scope: Any, which: FollowedList, asked: FeedRequest) -> Page:
    """A page of a checked query as it goes out, kept for who asks the same. Page 1 begins a walk."""
    query: Query = scope["state"]["query"]
    found: FeedPage = await which.operation(scope["state"]["context"], asked)
    body = {
        **page_body(scope, which.name, found, which.item),
        "next_updated_since": found.until if found.after is None else None,
    }
    content = msgspec.json.encode(body)
    page = Page(content, 1 if found.after is None else _UNTOLD, tag_of(content))
    # A cursor names the walk that it belongs to and its page, which other queries for the same rows have not.
    return await keep_page(scope, f"{query.path}?{query.mark.hex()} {query.page} ", asked, page)


def page_body(scope: Any, name: str, found: FeedPage, item: Callable[[Row], Item]) -> dict[str, Any]:
    """The rows of a page, and the cursor of the next one; its last page has none."""
    cursor = None if found.after is None else _cursor(scope, found)
    return {name: [item(row) for row in found.rows], "next_cursor": cursor}


def _cursor(scope: Any, found: FeedPage) -> str:
    assert found.after is not None
    context, query = scope["state"]["context"], scope["state"]["query"]
    at, row = found.after
    made = Cursor(mark(context.tenant.bytes), query.path, query.mark, query.page + 1, found.until, at, row.bytes)
    return write_cursor(context.runtime.cursor_key, made)
