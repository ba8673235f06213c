"""Upstreams that speak HTTP badly, say what is not so of their answers, or hang up; and callers who go away."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from app.database import Statement
from services.integrations.execution.executing import NewExecution, execute_integration_method
from tests.runtime.platform import Platform
from tests.runtime.upstreams import CANARY, connected, execute, json, method, upstream
from tests.world import World

pytestmark = pytest.mark.runtime
Saying = Callable[[asyncio.StreamWriter], Awaitable[None]]
FINE = b'{"a":1}'


def whole(body: bytes, *headers: str, status: str = "200 OK", version: str = "1.1", length: bool = True) -> bytes:
    """An answer; `headers` replace the content type where they give one."""
    lines = [f"HTTP/{version} {status}", *headers]
    lines += [] if any("content-type" in line.lower() for line in headers) else ["Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}"] if length else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def saying(data: bytes) -> Saying:
    async def run(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return run


def for_ever(first: bytes, again: bytes, pause: float = 0) -> Saying:
    async def run(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while not writer.is_closing():
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(pause)

    return run


class Raw:
    """Says the next of `says` to each request of a connection, the last one for ever; None hangs up."""

    def __init__(self) -> None:
        self.base, self.says, self.seen = "", [saying(whole(FINE))], 0
        self.keeps = False

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        says: list[Saying | None] = list(self.says)
        # A caller that gives an answer up, or keeps its connection no longer, ends it where it stands.
        with suppress(ConnectionError, asyncio.IncompleteReadError), closing(writer):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                self.seen += 1
                say = says[0] if len(says) == 1 else says.pop(0)
                if say is None:
                    return
                await say(writer)
                if not self.keeps:
                    return


@asynccontextmanager
async def raw_upstream() -> AsyncIterator[Raw]:
    made = Raw()
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()


def held_connections(world: World) -> int:
    connector = world.runtime.egress._connector
    return 0 if connector is None else len(connector._acquired)


ANSWERS: dict[str, tuple[Saying, int, str | None]] = {
    "a head that drips": (for_ever(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", 0.05), 504, "TIMEOUT_ERROR"),
    "a head without end": (for_ever(b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"b" * 900 + b"\r\n"), 502, "INTEGRATION_ERROR"),
    "nothing but 100": (for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50), 504, "TIMEOUT_ERROR"),
    "a chunk without end": (
        for_ever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7;", b"e" * 60_000), 504, "TIMEOUT_ERROR",
    ),
    "trailers without end": (
        for_ever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-T: " + b"t" * 900 + b"\r\n"),
        502, "INTEGRATION_ERROR",
    ),
    "hints first": (saying(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3 + whole(FINE)), 200, None),
    "two lengths": (saying(whole(FINE, "Content-Length: 3")), 502, "INTEGRATION_ERROR"),
    "a length and chunks": (
        saying(whole(b"7\r\n" + FINE + b"\r\n0\r\n\r\n", "Transfer-Encoding: chunked")), 502, "INTEGRATION_ERROR",
    ),
    "too few bytes": (saying(whole(FINE, "Content-Length: 99", length=False)), 502, "INTEGRATION_ERROR"),
    "HTTP/1.0 to its end": (saying(whole(FINE, version="1.0", length=False)), 200, None),
    "not HTTP": (saying(FINE), 502, "INTEGRATION_ERROR"),
    "304": (saying(whole(b"", status="304 Not Modified")), 502, "INTEGRATION_ERROR"),
    "another protocol": (
        saying(whole(b"", "Upgrade: x", "Connection: Upgrade", status="101 Switching Protocols")),
        502, "INTEGRATION_ERROR",
    ),
    "no gzip": (saying(whole(FINE, "Content-Encoding: gzip")), 502, "INTEGRATION_ERROR"),
    "an unknown coding": (saying(whole(FINE, "Content-Encoding: x-foo")), 502, "INTEGRATION_ERROR"),
    "gzip twice": (
        saying(whole(gzip.compress(gzip.compress(FINE)), "Content-Encoding: gzip, gzip")), 502, "INTEGRATION_ERROR",
    ),
    "NaN": (saying(whole(b'{"a":NaN}')), 502, "INTEGRATION_ERROR"),
    "a number without end": (saying(whole(b'{"a":' + b"9" * 5_000 + b"}")), 502, "INTEGRATION_ERROR"),
    "a member twice": (saying(whole(b'{"a":0,"a":1}')), 200, None),
    "a redirect to itself": (saying(whole(b"", "Location: /thing", status="302 Found")), 502, "INTEGRATION_ERROR"),
}  # fmt: skip


async def test_answers_that_are_none(world: World) -> None:
    """Each with the code that is documented; no connection is left open, and the next call goes well."""
    platform = Platform(world)
    names = list(ANSWERS)
    async with raw_upstream() as far:
        methods = [method(f"m{number}", timeoutMs=400) for number in range(len(names))]
        one = await connected(platform, far.base, *methods, method("fine"))
        for number, name in enumerate(names):
            say, status, code = ANSWERS[name]
            far.says = [say]
            answer = await platform.ask("POST", execute(one, f"m{number}"), {})
            told = answer.json().get("error", {}).get("code")
            assert (name, answer.status_code, told) == (name, status, code), answer.text
            assert status != 200 or answer.json()["data"] == {"a": 1}
            far.says = [saying(whole(FINE))]
            assert (await platform.ok("POST", execute(one, "fine"), {}))["data"] == {"a": 1}
            assert held_connections(world) == 0


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        ('{"a":"é"}'.encode("utf-16"), "application/json; charset=utf-16", {"a": "é"}),
        ('{"a":"é"}'.encode("latin-1"), 'application/json;charset="ISO-8859-1"', {"a": "é"}),
        ('{"a":"é"}'.encode(), "application/json; charset=iso-8859-1", {"a": "é"}),
        (b"\xef\xbb\xbf" + FINE, "application/json", {"a": 1}),
        (FINE, "application/json; charset=rot13", {"a": 1}),
        (FINE, "application/json; charset=zlib_codec", {"a": 1}),
        ("é".encode("cp1252"), "text/plain; charset=windows-1252", "é"),
        (b"\xff", "text/plain; charset=utf-8", "\N{REPLACEMENT CHARACTER}"),
        (b"\xff", "text/plain; charset=shift_jis", "\N{REPLACEMENT CHARACTER}"),
    ],
)
async def test_texts_in_the_charset_that_they_name(body: bytes, kind: str, expected: Any, world: World) -> None:
    platform = Platform(world)
    async with raw_upstream() as far:
        far.says = [saying(whole(body, f"Content-Type: {kind}"))]
        one = await connected(platform, far.base, method())
        assert (await platform.ok("POST", execute(one), {}))["data"] == expected


async def test_a_secret_is_masked_in_any_charset(world: World) -> None:
    platform = Platform(world)
    async with raw_upstream() as far:
        one = await connected(platform, far.base, method(), authType="bearer", credentials={"token": CANARY})
        for status in ("200 OK", "400 Bad Request"):
            told = f'{{"seen":"{CANARY}"}}'.encode("utf-16")
            far.says = [saying(whole(told, "Content-Type: application/json; charset=utf-16", status=status))]
            text = (await platform.ask("POST", execute(one), {})).text.replace("\\u0000", "").replace("\x00", "")
            assert CANARY not in text and "********" in text


async def test_a_connection_that_is_closed_when_it_is_used(world: World) -> None:
    """What only reads is sent again on another; what must not be repeated is not, whatever its HTTP method."""
    platform = Platform(world)
    kinds = {
        "read": method("read"),
        "post": method("post", request={"method": "POST", "path": "/w"}),
        "put": method("put", idempotency="none", request={"method": "PUT", "path": "/w"}),
        "delete": method("delete", idempotency="none", request={"method": "DELETE", "path": "/w"}),
        "get": method("get", idempotency="none", sideEffect="send"),
    }
    for name, one_method in kinds.items():
        async with raw_upstream() as far:
            far.keeps, far.says = True, [saying(whole(FINE)), None]
            one = await connected(platform, far.base, one_method, name=f"Upstream of {name}")
            await platform.ok("POST", execute(one, name), {})
            far.seen = 0
            answer = await platform.ask("POST", execute(one, name), {})
            if name == "read":
                assert (answer.status_code, far.seen) == (200, 2)
            else:
                assert (name, answer.status_code, far.seen) == (name, 502, 1)
                assert answer.json()["error"]["canRetry"] is False


async def test_what_may_have_been_done_is_not_to_be_tried_again(world: World) -> None:
    platform = Platform(world)
    async with raw_upstream() as far:
        far.says = [for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05)]
        posted = method("post", request={"method": "POST", "path": "/w"}, timeoutMs=200)
        one = await connected(platform, far.base, posted, method("read", timeoutMs=200))
        for name, again in (("post", False), ("read", True)):
            error = await platform.refused(504, "TIMEOUT_ERROR", "POST", execute(one, name), {})
            assert error["canRetry"] is again


@pytest.mark.parametrize("asked", ["315360000", "9" * 300, "-5", "soon", "Fri, 31 Dec 2199 23:59:59 GMT"])
async def test_a_pause_is_never_long(asked: str, world: World) -> None:
    """Five minutes, as long as the method is left alone from here, also where years are asked for."""
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json({}, 429, Retry_After=asked, Date="Fri, 20 Nov 2026 00:00:00 GMT"))
        one = await connected(platform, far.base, method())
        answer = await platform.ask("POST", execute(one), {})
        assert answer.status_code == 429 and 1 <= int(answer.headers["Retry-After"]) <= 300
        assert answer.json()["error"]["retryAfterMs"] == int(answer.headers["Retry-After"]) * 1_000


@pytest.mark.parametrize("value", ["..%2f", "%2e%2e", "%252e%252e", "..%5cx", "..;/x", "a/%2e%2e;b", "..;"])
async def test_dots_that_are_decoded_twice(value: str, world: World) -> None:
    """A proxy before the upstream may decode once, and the upstream once more."""
    platform = Platform(world)
    schema = {"type": "object", "properties": {"p": {"type": "string"}}, "required": ["p"]}
    async with upstream() as far:
        far.answer(json({}))
        one = await connected(
            platform, far.base, method(paramSchema=schema, request={"method": "GET", "path": "/a/{p}"})
        )
        await platform.refused(400, "VALIDATION_ERROR", "POST", execute(one), {"parameters": {"p": value}})
        assert not far.seen
        await platform.ok("POST", execute(one), {"parameters": {"p": "100%25;v=1..2"}})


async def test_a_caller_who_goes_away(world: World) -> None:
    """Its call is recorded, its connection closed, and where it probed a circuit another may."""
    platform, came = Platform(world), asyncio.Event()

    async def never(_: web.Request) -> web.Response:
        came.set()
        await asyncio.sleep(30)
        return web.json_response({})

    async with upstream() as far:
        far.answer(json({}, 500))
        one = await connected(platform, far.base, method(), method("send", request={"method": "POST", "path": "/w"}))
        for _ in range(5):
            await platform.refused(502, "INTEGRATION_ERROR", "POST", execute(one), {})
        over = Statement("UPDATE integration_circuit SET opened_at = 1, open_until = 2 WHERE tenant = {tenant}")
        await world.runtime.database.execute(over, tenant=world.tenant)
        for known in world.runtime.circuits._known.values():
            known.row = None if known.row is None else dict(known.row) | {"opened_at": 1, "open_until": 2}
        far.answer(never)
        call = NewExecution(method="send")
        asking = asyncio.ensure_future(execute_integration_method(world.context(), UUID(one.rpartition("/")[2]), call))
        await came.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert held_connections(world) == 0
        [row] = (await platform.ok("GET", f"{one}/executions?method=send"))["items"]
        assert (row["outcome"], row["attempts"]) == ("failed", 1)
        far.answer(json({}))
        await platform.ok("POST", execute(one), {})
