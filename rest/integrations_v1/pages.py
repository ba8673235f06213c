"""Lists whose answer is kept: who asks again is let in as ever, and gets the same bytes without the routing."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.errors import Unavailable
from rest.integrations_v1.entry import headers_of, let_in
from services.context import Context
from services.page_cache import Page
from services.paging import OffsetRequest
from services.runtime import Runtime


async def answer_kept(scope: Any, send: Any, opt: Mapping[str, Any]) -> bool:
    """Let the caller in, and answer with a page that is kept; False where the route has to answer.

    A refusal is left to the route too, which knows its form.
    """
    state = scope["state"]
    try:
        await let_in(scope, opt)
    except Exception as error:  # noqa: BLE001 - raised again by the route's guard
        state["refused"] = error
        return False
    page = await _kept(scope)
    if page is None:
        return False
    await reserve(scope, page)
    length = (b"content-length", str(len(page.body)).encode())
    headers = [(b"content-type", b"application/json"), length, *headers_of(scope)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": page.body, "more_body": False})
    return True


async def _kept(scope: Any) -> Page | None:
    """The page, where it is kept for the data's version, which is read before any row is."""
    state = scope["state"]
    runtime: Runtime = state["runtime"]
    context: Context = state["context"]
    if not runtime.pages.most_bytes:
        return None
    try:
        version = state["data_version"] = await runtime.versions.current(context.tenant)
    except Unavailable:
        # The route finds out by itself; nothing is kept of what it answers.
        return None
    return runtime.pages.find(context.tenant, _spelling(scope), version)


def keep(scope: Any, name: str, asked: OffsetRequest, page: Page) -> None:
    """Keep a page that a route has answered with, under what was asked once it was checked."""
    state = scope["state"]
    if "data_version" in state:
        query = name.encode() + msgspec.json.encode(asked)
        tenant = state["context"].tenant
        state["runtime"].pages.keep(tenant, _spelling(scope), query, state["data_version"], page)


async def reserve(scope: Any, page: Page) -> None:
    """Page 1 of several reserves the budget of the walk that it begins."""
    if page.walk > 1:
        await scope["state"]["runtime"].gate.reserve(scope["state"]["approach"], page.walk)


def _spelling(scope: Any) -> tuple[str, bytes]:
    return scope["path"], scope["query_string"]
