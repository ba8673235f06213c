"""Identifiers: time-ordered UUIDs for rows, short request ids for people to read out."""

import re
import secrets
import threading
import time
from uuid import UUID

_turn = threading.Lock()
_last = 0
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, then random bits; growing within a process.

    Within one millisecond, or when the clock goes back, the next one follows the last at a random distance
    (section 6.2, method 2), so that rows made in order sort in order.
    """
    global _last
    with _turn:
        fresh = (time.time_ns() // 1_000_000) << 74 | secrets.randbits(74)
        _last = fresh if fresh >> 74 > _last >> 74 else _last + 1 + secrets.randbits(32)
        number = _last
    ms, high, low = number >> 74, number >> 62 & 0xFFF, number & (1 << 62) - 1
    return UUID(int=ms << 80 | 0x7 << 76 | high << 64 | 0x2 << 62 | low)


def new_request_id() -> str:
    return f"req_{secrets.token_hex(10)}"


def accept_request_id(offered: str | None) -> str:
    """The caller's own request id where it is safe to log and echo, else a new one."""
    return offered if offered and REQUEST_ID.fullmatch(offered) else new_request_id()
