"""The headers that every answer carries: rate limits, the end of a rotated key, CORS for own origins."""

from math import ceil
from typing import Any

from app.clock import SECOND, http_date
from services.access.gate import Approach
from services.runtime import Runtime

EXPOSED = (
    "X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, RateLimit, RateLimit-Policy, "
    "Retry-After, Deprecation, Sunset"
)


def headers_of(scope: Any, vary: bytes = b"Origin", exposed: str = EXPOSED) -> list[tuple[bytes, bytes]]:
    """The headers of the answer to this request, whoever makes its body."""
    state = scope.get("state", {})
    approach: Approach | None = state.get("approach")
    if approach is None:
        return [(b"vary", vary)]
    added = [*_limit_headers(approach, state["runtime"]), *_key_headers(approach), *_cors_headers(approach, exposed)]
    return [(b"vary", vary), *((name, value.encode()) for name, value in added)]


def _limit_headers(approach: Approach, runtime: Runtime) -> list[tuple[bytes, str]]:
    verdict = approach.verdict
    if verdict is None:
        return []
    seconds = ceil(verdict.reset_after) if verdict.admitted else verdict.retry_seconds
    remaining = max(0, verdict.remaining) if verdict.admitted else 0
    return [
        (b"x-ratelimit-limit", str(verdict.quota)),
        (b"x-ratelimit-remaining", str(remaining)),
        (b"x-ratelimit-reset", str(runtime.clock.now_ms() // SECOND + seconds)),
        (b"ratelimit-policy", f'"installation";q={verdict.quota};w=60'),
        (b"ratelimit", f'"installation";r={remaining};t={seconds}'),
    ]


def _key_headers(approach: Approach) -> list[tuple[bytes, str]]:
    """RFC 9745 and RFC 8594: the key was rotated and works until its sunset."""
    opened = approach.opened
    if opened is None or opened.rotated_at is None or opened.expires_at is None:
        return []
    return [(b"deprecation", f"@{opened.rotated_at // SECOND}"), (b"sunset", http_date(opened.expires_at))]


def _cors_headers(approach: Approach, exposed: str) -> list[tuple[bytes, str]]:
    if approach.origin is None or approach.opened is None or approach.origin not in approach.opened.origins:
        return []
    return [(b"access-control-allow-origin", approach.origin), (b"access-control-expose-headers", exposed)]
