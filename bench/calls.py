"""Requests one after the other on one connection, each timed from its first byte sent to its last received."""

import asyncio
from collections.abc import Iterable
from time import perf_counter
from typing import NamedTuple


class Times(NamedTuple):
    """Milliseconds, and how many answers had another status than 200."""

    p50: float
    p99: float
    slowest: float
    bad: int


def times_of(seconds: Iterable[float], bad: int = 0) -> Times:
    ordered = sorted(seconds)
    at = [ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1_000 for share in (0.5, 0.99)]
    return Times(at[0], at[1], ordered[-1] * 1_000, bad)


class Connection:
    """An open HTTP/1.1 connection to a port of this machine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: str) -> tuple[int, bytes]:
        """Status and body of one answer, which says its length."""
        self.writer.write(request.encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r")[0])
        return int(head.split(b" ", 2)[1]), await self.reader.readexactly(length)

    def close(self) -> None:
        self.writer.close()


async def time_calls(port: int, requests: Iterable[str]) -> Times:
    connection, seconds, bad = await Connection.open(port), [], 0
    for request in requests:
        start = perf_counter()
        status, _ = await connection.ask(request)
        seconds.append(perf_counter() - start)
        bad += status != 200
    connection.close()
    return times_of(seconds, bad)
