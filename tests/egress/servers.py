"""Real servers on 127.0.0.1 that tests call: HTTP by aiohttp, raw TCP, and DNS over UDP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing, suppress
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(routes: Mapping[str, Handler]) -> AsyncIterator[str]:
    """Serve routes on a free port; yields `http://127.0.0.1:PORT`."""
    app = web.Application()

    def route(path: str, handler: Handler) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await handler(request)

        app.router.add_route("*", path, answer)

    for path, handler in routes.items():
        route(path, handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw_server(answer: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """Serve whatever bytes `answer` writes, after the request head was read."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client that refuses what it reads hangs up in the middle, which is what it is tested for.
        with suppress(ConnectionError), closing(writer):
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


class DnsServer(asyncio.DatagramProtocol):
    """Answers TXT from `records` (name without its last dot → lists of strings).

    A name with an empty list exists without TXT; `silent` names get no answer, `broken` ones SERVFAIL.
    """

    def __init__(self) -> None:
        self.records: dict[str, list[list[str]]] = {}
        self.silent: set[str] = set()
        self.broken: set[str] = set()
        self.address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        if name in self.silent:
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if name in self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name not in self.records:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        for strings in self.records.get(name, []):
            text = " ".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in strings)
            answer.find_rrset(answer.answer, question.name, 1, 16, create=True).update(
                dns.rrset.from_text(question.name, 60, "IN", "TXT", text)
            )
        self.transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def dns_serving() -> AsyncIterator[DnsServer]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(DnsServer, local_addr=("127.0.0.1", 0))
    host, port = transport.get_extra_info("sockname")
    protocol.address = f"{host}:{port}"
    try:
        yield protocol
    finally:
        transport.close()
