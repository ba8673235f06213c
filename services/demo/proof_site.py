"""A web site of one file, on a loopback port, for as long as the demo's origin takes to prove."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from services.origins.proofs import WELL_KNOWN_PATH

_LONGEST_REQUEST = 16_384


class ProofSite:
    """`origin` is where it answers; `token` is what its well-known file holds."""

    def __init__(self, origin: str) -> None:
        self.origin, self.token = origin, ""

    def answer(self, request_line: bytes) -> bytes:
        path = request_line.split(b" ")[1:2]
        body, status = (
            (self.token.encode(), b"200 OK") if path == [WELL_KNOWN_PATH.encode()] else (b"", b"404 Not Found")
        )
        head = b"HTTP/1.1 %b\r\ncontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        return head % (status, len(body)) + body


@asynccontextmanager
async def proof_site() -> AsyncIterator[ProofSite]:
    """The site, on a free port of 127.0.0.1."""
    sites: list[ProofSite] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # Who does not ask in full, or does not stay, is answered nothing; who verifies says what was not found.
            with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ConnectionError):
                request = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
                writer.write(sites[0].answer(request.partition(b"\r\n")[0]))
                await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=_LONGEST_REQUEST)
    async with server:
        sites.append(ProofSite(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
        yield sites[0]
