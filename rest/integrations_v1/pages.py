"""Lists without the routing: a query that a route has checked before is answered from its spelling.

Who asks is let in, limited and counted as ever; the page is one that is kept, or is read and encoded by the same
code as for the route.
"""

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, NamedTuple

import msgspec

from app.errors import Unavailable
from rest.consumers.headers import headers_of
from rest.integrations_v1.entry import let_in
from services.context import Context
from services.page_cache import Page
from services.paging import OffsetRequest
from services.runtime import Runtime


class ContractList(NamedTuple):
    """A list of the contract: its name on the wire, the operation that reads it, and the shape of its rows."""

    name: str
    operation: Callable[..., Any]
    item: Callable[[Any], Any]


async def answer_kept(scope: Any, send: Any, opt: Mapping[str, Any]) -> bool:
    """Let the caller in and answer; False where the query has not been checked yet, and the route has to answer.

    Refusals and faults are left to the route too, which knows their form.
    """
    state = scope["state"]
    try:
        await let_in(scope, opt)
        page = await _page_of(scope, opt["list"])
    except Exception as error:  # noqa: BLE001 - raised again by the route's guard
        state["refused"] = error
        return False
    if page is None:
        return False
    length = (b"content-length", str(len(page.body)).encode())
    headers = [(b"content-type", b"application/json"), length, *headers_of(scope)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": page.body, "more_body": False})
    return True


async def _page_of(scope: Any, which: ContractList) -> Page | None:
    """The page that is kept for the data's version, or one that is read; the version is read before any row is."""
    state = scope["state"]
    runtime: Runtime = state["runtime"]
    tenant = state["context"].tenant
    if runtime.pages.most_bytes:
        try:
            state["data_version"] = await runtime.versions.current(tenant)
        except Unavailable:
            # Whoever reads the rows finds out too; nothing is kept of what is answered.
            state["data_version"] = None
    query = runtime.pages.query_of(_spelling(scope))
    if query is None:
        return None
    version = state.get("data_version")
    page = None if version is None else runtime.pages.find(tenant, query, version)
    if page is None:
        return await read_page(scope, which, query.asked)
    await _reserve(scope, page)
    return page


async def read_page(scope: Any, which: ContractList, asked: OffsetRequest) -> Page:
    """A page of a checked query as it goes out, kept for who asks the same."""
    state = scope["state"]
    context: Context = state["context"]
    found = await which.operation(context, asked)
    pages = ceil(found.total / asked.per_page)
    tail = {"page": asked.page, "per_page": asked.per_page, "total": found.total, "pages": pages, "q": asked.q}
    body = msgspec.json.encode({which.name: [which.item(row) for row in found.rows], **tail})
    page = Page(body, pages if asked.page == 1 else 1)
    kept = context.runtime.pages
    query = kept.learn(_spelling(scope), which.name, asked)
    if (version := state.get("data_version")) is not None:
        kept.keep(context.tenant, query, version, page)
    await _reserve(scope, page)
    return page


async def _reserve(scope: Any, page: Page) -> None:
    """Page 1 of several reserves the budget of the walk that it begins."""
    if page.walk > 1:
        await scope["state"]["runtime"].gate.reserve(scope["state"]["approach"], page.walk)


def _spelling(scope: Any) -> tuple[str, bytes]:
    return scope["path"], scope["query_string"]
