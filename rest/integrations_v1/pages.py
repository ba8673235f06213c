"""Lists without the routing: a query that a route has checked before is answered from its spelling."""

from collections.abc import Callable, Mapping
from functools import partial
from math import ceil
from typing import Any, NamedTuple

import msgspec

from rest.consumers.headers import headers_of
from rest.consumers.pages import find_page, keep_page, send_page
from rest.integrations_v1.entry import let_in
from services.page_cache import Page
from services.paging import OffsetRequest


class ContractList(NamedTuple):
    """A list of the contract: its name on the wire, the operation that reads it, and the shape of its rows."""

    name: str
    operation: Callable[..., Any]
    item: Callable[[Any], Any]


async def answer_kept(scope: Any, send: Any, opt: Mapping[str, Any]) -> bool:
    """Let the caller in and answer; False where the query has not been checked yet, and the route has to answer.

    Refusals and faults are left to the route too, which knows their form.
    """
    try:
        await let_in(scope, opt)
        page = await find_page(scope, partial(read_page, scope, opt["list"]))
    except Exception as error:  # noqa: BLE001 - raised again by the route's guard
        scope["state"]["refused"] = error
        return False
    if page is None:
        return False
    length = (b"content-length", str(len(page.body)).encode())
    await send_page(send, 200, [(b"content-type", b"application/json"), length, *headers_of(scope)], page.body)
    return True


async def read_page(scope: Any, which: ContractList, asked: OffsetRequest) -> Page:
    """A page of a checked query as it goes out, kept for who asks the same."""
    found = await which.operation(scope["state"]["context"], asked)
    pages = ceil(found.total / asked.per_page)
    tail = {"page": asked.page, "per_page": asked.per_page, "total": found.total, "pages": pages, "q": asked.q}
    body = msgspec.json.encode({which.name: [which.item(row) for row in found.rows], **tail})
    return await keep_page(scope, which.name, asked, Page(body, pages if asked.page == 1 else 1))
