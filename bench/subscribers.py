"""What many listeners cost: how long an event takes to reach each, and what a write costs meanwhile."""

import asyncio
import contextlib
import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

from bench.calls import Connection, Times, times_of
from bench.data import Prepared
from bench.databases import fill, fresh
from bench.plots import draw
from bench.servers import post
from bench.serving import resident_megabytes, serve

SIZES = (1, 100, 1_000)
HEAD = (
    "| listeners | on | event p50 ms | p99 ms | write p50 ms | p99 ms | lost | server MB |\n"
    "|---|---|---|---|---|---|---|---|"
)
_LISTEN = 'subscription { auditEvents(filter: { action: "project.created" }) { event { seq } } }'
_WRITE = 'mutation { createProject(input: { title: "Bench" }) { errors { code } } }'
_PATIENCE_SECONDS = 30.0


def run(server: str, folder: Path, results: Path, *, most: int, calls: int) -> str:
    """The table of all numbers of listeners up to `most`; draws `subscribers.svg`."""
    lines, series = [HEAD], {}
    for kind in ("SQLite", "PostgreSQL"):
        with ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
            url = stack.enter_context(fresh(kind, server, folder, "subscribers"))
            prepared = fill(home, url, 0)
            port = serve(stack, home, url)
            found = []
            for listeners in (size for size in SIZES if size <= most):
                events, writes, lost = asyncio.run(_measure(port, prepared, listeners, calls))
                lines.append(
                    f"| {listeners:,} | {kind} | {events.p50:.1f} | {events.p99:.1f} | {writes.p50:.1f} "
                    f"| {writes.p99:.1f} | {lost} | {resident_megabytes(port):.0f} |"
                )
                found.append((listeners, events, writes))
        series[f"event, {kind}"] = [(listeners, events.p99) for listeners, events, _ in found]
        series[f"write, {kind}"] = [(listeners, writes.p99) for listeners, _, writes in found]
    draw(results / "subscribers.svg", "Listeners: p99", "listeners", "ms", series)
    return "\n".join(lines) + "\n"


class _Listener:
    """One open stream of server-sent events; puts the moment at which each event came into a queue of all."""

    def __init__(self, connection: Connection, arrivals: "asyncio.Queue[float]") -> None:
        self._connection, self._arrivals = connection, arrivals

    @classmethod
    async def open(cls, port: int, prepared: Prepared, arrivals: "asyncio.Queue[float]") -> "_Listener":
        connection = await Connection.open(port)
        body = json.dumps({"query": _LISTEN})
        headers = {"Authorization": f"Bearer {prepared.token}", "Accept": "text/event-stream"}
        connection.writer.write(post("/graphql", body, **headers).encode())
        head = await connection.reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.partition(b"\r\n")[0]:
            raise RuntimeError(f"the stream was refused: {head.decode()}")
        return cls(connection, arrivals)

    async def listen(self) -> None:
        while line := await self._connection.reader.readline():
            if line.startswith(b"data:") and b'"seq"' in line:
                self._arrivals.put_nowait(perf_counter())

    def close(self) -> None:
        self._connection.close()


async def _measure(port: int, prepared: Prepared, count: int, calls: int) -> tuple[Times, Times, int]:
    arrivals: asyncio.Queue[float] = asyncio.Queue()
    listeners = [await _Listener.open(port, prepared, arrivals) for _ in range(count)]
    tasks = [asyncio.create_task(listener.listen()) for listener in listeners]
    await asyncio.sleep(1)
    writer = await Connection.open(port)
    request = post("/graphql", json.dumps({"query": _WRITE}), Authorization=f"Bearer {prepared.token}")
    late, writes, bad = [], [], 0
    for _ in range(calls):
        sent = perf_counter()
        status, body = await writer.ask(request)
        writes.append(perf_counter() - sent)
        bad += status != 200 or b'"errors":[]' not in body
        late += [at - sent for at in await _arrived(arrivals, count)]
    for task in tasks:
        task.cancel()
    for connection in (*listeners, writer):
        connection.close()
    await asyncio.gather(*tasks, return_exceptions=True)
    return times_of(late or [0.0]), times_of(writes, bad), calls * count - len(late) + bad


async def _arrived(arrivals: "asyncio.Queue[float]", count: int) -> list[float]:
    """When each of the listeners had the event; fewer where some never had it."""
    found: list[float] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while len(found) < count:
                found.append(await arrivals.get())
    return found
