"""A load of keep-alive connections, each sending its next request when its answer is there.

Runs as a process of its own (`python -m bench.load`), reads its job as JSON from standard input and writes
what it measured as JSON to standard output. Only loopback addresses are accepted.
"""

import asyncio
import sys
from time import perf_counter, process_time
from typing import cast

import msgspec
import uvloop


class Job(msgspec.Struct):
    """`request` is sent as it is; times in seconds."""

    port: int
    request: str
    connections: int = 16
    warm_seconds: float = 0.5
    seconds: float = 3.0


class Measured(msgspec.Struct):
    """`rate` in answers a second; `p50` and `p99` in milliseconds; `bad` counts answers other than 200.

    `answers` are all, also those from before the measured time began; `cpu` is what the load itself used of the CPU for
    each of them, in microseconds.
    """

    rate: float
    p50: float
    p99: float
    bad: int
    body_bytes: int
    answers: int
    cpu: float


class _Client(asyncio.Protocol):
    def __init__(self, request: bytes, times: list[float], state: dict[str, float]) -> None:
        self._request, self._times, self._state = request, times, state
        self._buffer = bytearray()
        self._need = -1
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        self._buffer.clear()
        self._need, self._sent = -1, perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._need < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._buffer[:end]).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r")[0])
            self._need = end + 4 + length
            self._state["body"] = length
            if not head.startswith(b"http/1.1 200"):
                self._state["bad"] += 1
        if len(self._buffer) >= self._need:
            now = perf_counter()
            self._state["answers"] += 1
            if self._state["from"] <= now:
                self._times.append(now - self._sent)
            if now < self._state["until"]:
                self._send()
            elif self._transport is not None:
                self._transport.close()


async def _run(job: Job) -> Measured:
    now, used = perf_counter(), process_time()
    state = {"from": now + job.warm_seconds, "until": now + job.warm_seconds + job.seconds, "bad": 0.0, "body": 0.0}
    state["answers"] = 0.0
    times: list[float] = []
    loop = asyncio.get_running_loop()
    for _ in range(job.connections):
        await loop.create_connection(lambda: _Client(job.request.encode(), times, state), "127.0.0.1", job.port)
    await asyncio.sleep(job.warm_seconds + job.seconds + 0.5)
    times.sort()
    at = [times[int(len(times) * share)] * 1_000 if times else 0.0 for share in (0.5, 0.99)]
    cpu = (process_time() - used) * 1e6 / max(state["answers"], 1)
    return Measured(
        len(times) / job.seconds, at[0], at[1], int(state["bad"]), int(state["body"]), int(state["answers"]), cpu
    )


def main() -> None:
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    measured = uvloop.run(_run(job))
    sys.stdout.buffer.write(msgspec.json.encode(measured))


if __name__ == "__main__":
    main()
