"""Ours as `dovetail serve` starts it, with one worker or several, and what memory and CPU time it takes."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.servers import free_port, serving

_PAGE_BYTES = 4_096


def serve(stack: ExitStack, home: Path, url: str, *, workers: int = 1, cores: str = "0", **environment: str) -> int:
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
    # Said when all workers answer: before, the connections would all come to the first.
    running = serving(command, given | environment, port, "/integrations/v1/health", cores, "Dovetail listens on")
    return stack.enter_context(running)


def resident_megabytes(port: int) -> float:
    """Resident memory of the process that has DOVETAIL_PORT and of those it started."""
    return sum(_resident(process) for process in _processes(port)) / 1e6


def cpu_seconds(port: int) -> float:
    """What the same processes have used of the CPU, in user and in system mode."""
    return sum(_ticks(process) for process in _processes(port)) / os.sysconf("SC_CLK_TCK")


def _processes(port: int) -> Iterator[Path]:
    mark = f"DOVETAIL_PORT={port}".encode()
    return (process for process in Path("/proc").glob("[0-9]*") if mark in _environment(process))


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


def _ticks(process: Path) -> int:
    try:
        # After the name, which may hold anything: state is field 3, utime and stime 14 and 15 (proc(5)).
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])
