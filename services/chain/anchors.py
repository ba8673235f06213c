"""Anchors: the end of every chain, written now and then to where a rewriter of the database does not reach.

One JSON line each in `anchors.ndjson` under the home folder, in the log, and to a webhook where one is set.
"""

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import structlog

from app.clock import Clock
from app.database import Database, Statement
from app.file_locks import take_file_lock
from services.chain.verifying import Anchor

LOG = structlog.get_logger("dovetail.anchors")
#: Longer than anybody writes; who stands still, and has the file, holds up no server.
_LOCK_SECONDS = 10.0
_HEADS = Statement("SELECT tenant, seq, mac FROM audit_head WHERE seq > 0 ORDER BY tenant")


def anchor_file(home: Path) -> Path:
    return home / "anchors.ndjson"


def read_anchors(path: Path) -> list[Anchor]:
    """The anchors of a file; an empty list where there is none. Raises msgspec.DecodeError on a broken line.

    A last line without its end was being written when the process died, and is no anchor.
    """
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    return [msgspec.json.decode(line, type=Anchor) for line in lines if line.strip()]


async def take_anchors(
    database: Database, clock: Clock, path: Path, send: Callable[[Anchor], Awaitable[None]] | None = None
) -> list[Anchor]:
    """Write an anchor for each chain that has grown since its last one, and give it to `send`."""
    known = {anchor.tenant: anchor.seq for anchor in read_anchors(path)}
    anchors = [
        msgspec.convert({"tenant": str(r["tenant"]), "seq": r["seq"], "mac": r["mac"], "at": clock.now_ms()}, Anchor)
        for r in await database.fetch(_HEADS)
    ]
    fresh = [anchor for anchor in anchors if known.get(anchor.tenant) != anchor.seq]
    if fresh:
        path.parent.mkdir(parents=True, exist_ok=True)
        await _append(path, b"".join(msgspec.json.encode(anchor) + b"\n" for anchor in fresh))
    for anchor in fresh:
        LOG.info("audit anchor", tenant=str(anchor.tenant), seq=anchor.seq, mac=anchor.mac)
        if send is not None:
            await send(anchor)
    return fresh


async def _append(path: Path, lines: bytes) -> None:
    """All of them or none, also on a disk that gets full; what a killed process left unfinished goes first."""
    with path.open("a+b", buffering=0) as file:
        # Another worker or the command may append too: what it is writing is not unfinished.
        await _have_alone(file.fileno(), path)
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
        try:
            written = file.write(lines)
            if written < len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        except OSError:
            file.truncate(whole)
            raise


async def _have_alone(descriptor: int, path: Path) -> None:
    try:
        async with asyncio.timeout(_LOCK_SECONDS):
            await take_file_lock(descriptor)
    except TimeoutError:
        raise OSError(errno.EAGAIN, "Another process has been writing it for too long", str(path)) from None
