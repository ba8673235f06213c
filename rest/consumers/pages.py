"""Pages of lists that were sent before, for every version of the contract alike.

Who asks is let in, limited and counted as ever; the page is one that is kept, or is read and encoded by the same
code as for the route. What differs by version is what names a page, and the headers of its answer.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from services.page_cache import Page
from services.runtime import Runtime

Headers = list[tuple[bytes, bytes]]


async def find_page(scope: Any, read: Callable[[Any], Awaitable[Page]]) -> Page | None:
    """The page that is kept for the data's version, or one that is read; None for a query not checked yet.

    The version is read before any row is. Raises Unavailable where it must be asked and the database is away: who
    asked has waited once for it, and is not made to wait again for the rows.
    """
    state = scope["state"]
    runtime: Runtime = state["runtime"]
    tenant = state["context"].tenant
    if runtime.pages.most_bytes:
        state["data_version"] = await runtime.versions.current(tenant)
    query = runtime.pages.query_of(_spelling(scope))
    if query is None:
        return None
    version = state.get("data_version")
    page = None if version is None else runtime.pages.find(tenant, query, version)
    if page is None:
        return await read(query.asked)
    await _reserve(scope, page)
    return page


async def keep_page(scope: Any, name: str, asked: Any, page: Page) -> Page:
    """A page that was read, kept for who asks the same; its answer must depend on `name` and `asked` alone."""
    state = scope["state"]
    kept = state["runtime"].pages
    query = kept.learn(_spelling(scope), name, asked)
    if (version := state.get("data_version")) is not None:
        kept.keep(state["context"].tenant, query, version, page)
    await _reserve(scope, page)
    return page


async def send_page(send: Any, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _reserve(scope: Any, page: Page) -> None:
    """Page 1 of several reserves the budget of the walk that it begins."""
    if page.walk > 1:
        await scope["state"]["runtime"].gate.reserve(scope["state"]["approach"], page.walk)


def _spelling(scope: Any) -> tuple[str, bytes]:
    """What was sent, with the version: the same path and query mean something else in another one."""
    return scope["state"]["approach"].surface + scope["path"], scope["query_string"]
