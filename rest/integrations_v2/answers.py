"""Answers with an entity tag, and the answer that nothing has changed.

The tag is a hash of the very bytes, so it is strong (RFC 9110 section 8.8.1): it costs the page's one statement
to find out that nothing has changed, and never says so wrongly.
"""

import hashlib
import re
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.enums import MediaType

_TAGS = re.compile(r'"([^"]*)"')
_CACHE = "private, no-cache"


def answer(request: Request[Any, Any, Any], body: Any) -> Response[Any]:
    """The body as JSON with its tag; 304 without a body where the caller has it already."""
    return answer_bytes(request, msgspec.json.encode(body))


def answer_bytes(request: Request[Any, Any, Any], content: bytes) -> Response[Any]:
    tag = tag_of(content)
    headers = tag_headers(tag)
    if is_known(request.headers.get("if-none-match"), tag):
        return Response(None, status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=MediaType.JSON)


def tag_of(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def tag_headers(tag: str) -> dict[str, str]:
    return {"ETag": f'"{tag}"', "Cache-Control": _CACHE}


def is_known(given: str | None, tag: str) -> bool:
    """If-None-Match (RFC 9110 section 13.1.2) compares weakly: a proxy that packs an answer makes its tag weak."""
    return given is not None and (given.strip() == "*" or tag in _TAGS.findall(given))
