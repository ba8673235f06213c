"""Identifiers: time-ordered UUIDs for rows, short request ids for people to read out."""

import re
import secrets
import time
from uuid import UUID

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, then random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def new_request_id() -> str:
    return f"req_{secrets.token_hex(10)}"


def accept_request_id(offered: str | None) -> str:
    """The caller's own request id where it is safe to log and echo, else a new one."""
    return offered if offered and REQUEST_ID.fullmatch(offered) else new_request_id()
