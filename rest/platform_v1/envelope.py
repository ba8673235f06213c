"""The platform's envelope: `{success, data, meta}`, with the page in `meta` where there is one."""

from typing import Any

from litestar import Response

from app.clock import SYSTEM_CLOCK, iso
from rest.platform_v1.entry import Asked
from rest.platform_v1.routing import sent
from services.paging import OffsetRequest


def _meta(request: Asked) -> dict[str, Any]:
    return {"requestId": request.scope["state"]["request_id"], "timestamp": iso(SYSTEM_CLOCK.now_ms())}


def enveloped(
    request: Asked, data: Any, status: int = 200, version: int | None = None, location: str | None = None
) -> Response[Any]:
    return sent({"success": True, "data": data, "meta": _meta(request)}, status, version, location)


def enveloped_list(request: Asked, asked: OffsetRequest, found: Any, items: list[Any]) -> Response[Any]:
    """A page of a list; one past the end is empty."""
    pages = -(-found.total // asked.per_page)
    pagination = {
        "page": asked.page,
        "pageSize": asked.per_page,
        "totalItems": found.total,
        "totalPages": pages,
        "hasNext": asked.page < pages,
        "hasPrevious": asked.page > 1,
    }
    return sent({"success": True, "data": items, "meta": {"pagination": pagination, **_meta(request)}})
