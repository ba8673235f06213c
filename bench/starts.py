"""A cold start of `dovetail serve` on a migrated database: time to the first 200, CPU time, and resident memory."""

import asyncio
import statistics
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter, sleep
from typing import NamedTuple

from app.settings import load_settings
from bench.data import prepare
from bench.databases import fresh
from bench.serving import cpu_seconds, resident_megabytes, serve

HEAD = "| database | s to the first 200 | CPU s | MB then | MB after 3 s |\n|---|---|---|---|---|"


class _Start(NamedTuple):
    seconds: float
    cpu: float
    megabytes: float
    settled: float


def _start(home: Path, url: str) -> _Start:
    with ExitStack() as stack:
        begun = perf_counter()
        port = serve(stack, home, url)
        seconds = perf_counter() - begun
        cpu, megabytes = cpu_seconds(port), resident_megabytes(port)
        sleep(3)
        return _Start(seconds, cpu, megabytes, resident_megabytes(port))


def run(server: str, folder: Path, *, times: int) -> str:
    """The medians of several starts; the first only fills the file cache and is not counted."""
    lines = [HEAD]
    for kind in ("SQLite", "PostgreSQL"):
        with fresh(kind, server, folder, "starts") as url:
            home = folder / f"starts-{kind}"
            asyncio.run(prepare(load_settings({}, home=home, database_url=url), 100, installations=1))
            found = [_start(home, url) for _ in range(times + 1)][1:]
            middle = _Start(*(statistics.median(values) for values in zip(*found, strict=True)))
            lines.append(
                f"| {kind} | {middle.seconds:.2f} | {middle.cpu:.2f} | {middle.megabytes:.0f} | {middle.settled:.0f} |"
            )
    return "\n".join(lines) + "\n"
