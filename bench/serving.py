"""Ours as `dovetail serve` starts it, with one worker or several, and what memory it takes."""

import sys
from contextlib import ExitStack
from pathlib import Path

from bench.servers import free_port, serving

_PAGE_BYTES = 4_096


def serve(stack: ExitStack, home: Path, url: str, *, workers: int = 1, **environment: str) -> int:
    """The port of a server that does not send kept pages again, so that each answer is made."""
    port = free_port()
    given = {
        "DOVETAIL_HOME": str(home),
        "DOVETAIL_PORT": str(port),
        "DOVETAIL_DATABASE_URL": url,
        "DOVETAIL_GRAPHQL_COST_PER_MINUTE": "2000000000",
        "DOVETAIL_PAGE_CACHE_BYTES": "0",
        "DOVETAIL_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "app.cli", "serve", *(["--workers", str(workers)] if workers > 1 else [])]
    return stack.enter_context(serving(command, given | environment, port, "/integrations/v1/health"))


def resident_megabytes(port: int) -> float:
    """Resident memory of the process that has DOVETAIL_PORT and of those it started."""
    mark = f"DOVETAIL_PORT={port}".encode()
    return sum(_resident(process) for process in Path("/proc").glob("[0-9]*") if mark in _environment(process)) / 1e6


def _environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:  # gone meanwhile, or somebody else's
        return []


def _resident(process: Path) -> int:
    try:
        return int((process / "statm").read_text().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0
