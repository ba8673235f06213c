"""Guarded GET against real servers, friendly and hostile."""

import asyncio
import gzip
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from app.egress import Call, Egress, EgressFailed, EgressRefused, client
from tests.egress.servers import raw_server, serving

LOCAL = ("127.0.0.1", "localhost")


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    egress = Egress(LOCAL)
    yield egress
    await egress.close()


class Answering(AbstractResolver):
    """A resolver that gives the next of its answers each time, and the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        addresses = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST
            )
            for address in addresses
        ]

    async def close(self) -> None:
        return None


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="hello", headers={"X-Seen": request.headers.get("X-Say", ""), "Set-Cookie": "a=b"})


async def test_an_allowed_server_is_read(egress: Egress) -> None:
    async with serving({"/": hello}) as base:
        answer = await egress.get(base, headers={"X-Say": "hi"})
    assert (answer.status, answer.body, answer.headers["x-seen"]) == (200, b"hello", "hi")


async def test_a_host_name_can_be_allowed() -> None:
    """The name lets its own address through, and no other name with the same address."""
    async with serving({"/": hello}) as base:
        egress = Egress(("svc.test",), Answering(["127.0.0.1"]))
        port = base.rpartition(":")[2]
        assert (await egress.get(f"http://svc.test:{port}/")).status == 200
        with pytest.raises(EgressRefused) as caught:
            await egress.get(f"http://other.test:{port}/")
        assert caught.value.rule == "address"
        await egress.close()


async def test_one_port_can_be_allowed() -> None:
    """The name and the address let that port through alone, also after a redirect."""

    async def elsewhere(_: web.Request) -> web.Response:
        raise web.HTTPFound(other)

    async with serving({"/": hello}) as other, serving({"/": hello, "/away": elsewhere}) as base:
        port = base.rpartition(":")[2]
        for entry, host in ((f"svc.test:{port}", "svc.test"), (f"127.0.0.1:{port}", "127.0.0.1")):
            egress = Egress((entry,), Answering(["127.0.0.1"]))
            assert (await egress.get(f"http://{host}:{port}/")).status == 200
            for url in (f"http://{host}:{other.rpartition(':')[2]}/", f"http://{host}:{port}/away"):
                call = Call("GET", url, {}, None, 5, 65_536, lambda _: True)
                with pytest.raises(EgressRefused) as caught:
                    await egress.call(call)
                assert caught.value.rule == "address"
            await egress.close()


async def test_an_address_that_was_passed_over_is_not_what_failed() -> None:
    """Of two addresses the inner one is not dialled; what the other then does is told, and may be tried again."""

    async def breaks_off(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    async with raw_server(breaks_off) as base:
        egress = Egress(("127.0.0.1",), Answering(["10.0.0.1", "127.0.0.1"]))
        with pytest.raises(EgressFailed, match=r"both\.test: the answer broke off"):
            await egress.get(f"http://both.test:{base.rpartition(':')[2]}/")
        await egress.close()


async def test_the_host_that_a_redirect_leads_to_is_named() -> None:
    async def away(_: web.Request) -> web.Response:
        raise web.HTTPFound("http://inner.test:9/")

    async with serving({"/away": away}) as base:
        port = base.rpartition(":")[2]
        egress = Egress((f"svc.test:{port}",), Answering(["127.0.0.1"]))
        with pytest.raises(EgressRefused, match=r"^inner\.test: it leads to an address") as caught:
            await egress.call(Call("GET", f"http://svc.test:{port}/away", {}, None, 5, 65_536, lambda _: True))
        assert (caught.value.rule, caught.value.host) == ("address", "inner.test")
        await egress.close()


SPELLINGS = [
    "127.0.0.1", "localhost", "LOCALHOST.", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1",
    "017700000001", "0x7f.0x0.0x0.0x1", "127.000.000.001", "0", "0.0.0.0", "0x0", "[::]", "[::1]",
    "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:1]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fe80::1]", "[fe80::1%25lo]", "[fd00:ec2::254]",
    "169.254.169.254", "2852039166", "0xa9fea9fe", "[::ffff:169.254.169.254]", "10.0.0.1", "10.1", "192.168.1.1",
    "172.16.0.1", "100.64.0.1", "224.0.0.1", "255.255.255.255", "１２７.０.０.１", "①②⑦.⓪.⓪.①", "127。0。0。1",
]  # fmt: skip


@pytest.mark.parametrize("host", SPELLINGS)
async def test_no_spelling_of_a_private_address_is_dialled(host: str) -> None:
    """However an inner address is written, nothing is connected to it."""
    connected = asyncio.Event()

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    egress = Egress()
    # A spelling that no resolver understands fails; one that it understands is refused.
    with pytest.raises((EgressRefused, EgressFailed)):
        await egress.get(f"http://{host}:{port}/")
    assert not connected.is_set()
    await egress.close()
    server.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "0"])
async def test_a_refused_address_says_so(host: str) -> None:
    egress = Egress()
    with pytest.raises(EgressRefused, match=r"not on the public Internet|plain http") as caught:
        await egress.get(f"http://{host}/")
    assert caught.value.rule in {"address", "url"}
    await egress.close()


async def test_rebinding_changes_nothing() -> None:
    """A name that is allowed by its first address is refused when it turns to a private one."""
    async with serving({"/": hello}) as base:
        port = base.rpartition(":")[2]
        resolver = Answering(["127.0.0.1"], ["127.0.0.2"], ["169.254.169.254", "10.0.0.1"])
        egress = Egress(("127.0.0.1",), resolver)
        assert (await egress.get(f"http://rebind.test:{port}/", headers={"Connection": "close"})).status == 200
        for _ in range(2):
            with pytest.raises(EgressRefused) as caught:
                await egress.get(f"http://rebind.test:{port}/")
            assert caught.value.rule == "address"
        assert resolver.asked == 3
        await egress.close()


async def test_of_mixed_addresses_the_allowed_are_dialled() -> None:
    """A name with private addresses beside one that may be called: the others are never dialled, in any order."""
    async with serving({"/": hello}) as base:
        port = base.rpartition(":")[2]
        for addresses in (["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"], ["10.0.0.1", "127.0.0.1"]):
            egress = Egress(("127.0.0.1",), Answering(addresses))
            assert (await egress.get(f"http://mixed.test:{port}/")).status == 200
            await egress.close()
        refused = Egress(("127.0.0.1",), Answering(["127.0.0.2", "10.0.0.1"]))
        with pytest.raises(EgressRefused) as caught:
            await refused.get(f"http://mixed.test:{port}/")
        assert caught.value.rule == "address"
        await refused.close()


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("file:///etc/passwd", "scheme"),
        ("ftp://example.org/", "scheme"),
        ("gopher://127.0.0.1:70/_x", "scheme"),
        ("//example.org/", "scheme"),
        ("example.org", "scheme"),
        ("", "scheme"),
        ("http://user@example.org/", "userinfo"),
        ("http://user:word@example.org/", "userinfo"),
        ("http://@example.org/", "userinfo"),
        ("http://example.org\\@127.0.0.1/", "url"),
        ("http://exa mple.org/", "url"),
        ("http://example.org/\r\nX: y", "url"),
        ("http://example.org/\x00", "url"),
        ("http://example.org:99999/", "url"),
        ("http://[::1/", "url"),
        ("http:///path", "url"),
    ],
)
async def test_urls_that_are_not_called(egress: Egress, url: str, rule: str) -> None:
    with pytest.raises(EgressRefused) as caught:
        await egress.get(url)
    assert caught.value.rule == rule


def redirect(location: str) -> Any:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": location})

    return handler


async def test_redirects_stay_on_their_host(egress: Egress) -> None:
    places = {
        "/other": ("http://other.test/", "redirect_host"),
        "/private": ("http://169.254.169.254/latest/", "redirect_host"),
        "/alias": ("http://localhost/", "redirect_host"),
        "/port": ("http://127.0.0.1:1/", "redirect_host"),
        "/protocol": ("//other.test/", "redirect_host"),
        "/file": ("file:///etc/passwd", "redirect_target"),
        "/login": ("http://a:b@127.0.0.1/", "redirect_target"),
        "/script": ("javascript:alert(1)", "redirect_target"),
        "/bad": ("http://[::1", "redirect_target"),
        "/loop": ("/loop", "redirect_loop"),
    }
    routes = {path: redirect(location) for path, (location, _) in places.items()}
    async with serving({**routes, "/ok": redirect("/"), "/": hello}) as base:
        for path, (_, rule) in places.items():
            with pytest.raises(EgressRefused) as caught:
                await egress.get(base + path)
            assert caught.value.rule == rule, path
        answer = await egress.get(f"{base}/ok")
        assert (answer.body, answer.url) == (b"hello", f"{base}/")
        unfollowed = await egress.get(f"{base}/ok", redirects="none")
        assert (unfollowed.status, unfollowed.headers["location"]) == (302, "/")


def test_https_never_becomes_http() -> None:
    from app.egress.urls import parse_url, redirected

    with pytest.raises(EgressRefused) as caught:
        redirected(parse_url("https://a.test/"), "http://a.test/")
    assert caught.value.rule == "redirect_downgrade"
    assert str(redirected(parse_url("http://a.test/x"), "https://a.test/y")) == "https://a.test/y"


async def test_a_slow_body_is_cut(egress: Egress) -> None:
    """The deadline is for the whole answer: a byte now and then does not extend it."""

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(200):
            await response.write(b".")
            await asyncio.sleep(0.05)
        return response

    async with serving({"/": drip}) as base:
        begun = time.monotonic()
        with pytest.raises(EgressFailed, match=r"within 0\.3 seconds"):
            await egress.get(base, timeout_seconds=0.3)
        assert time.monotonic() - begun < 8


async def test_slow_heads_are_cut(egress: Egress) -> None:
    async def dawdle(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for index in range(100):
            writer.write(f"X-{index}: y\r\n".encode())
            await writer.drain()
            await asyncio.sleep(0.05)

    async with raw_server(dawdle) as base:
        with pytest.raises(EgressFailed, match="seconds"):
            await egress.get(base, timeout_seconds=0.3)


async def test_large_bodies_are_refused(egress: Egress) -> None:
    async def known(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 65_537)

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 16_384)

    async def bomb(_: web.Request) -> web.Response:
        body = gzip.compress(b"\0" * 50_000_000)
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    async def fits(_: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"x" * 65_536), headers={"Content-Encoding": "gzip"})

    async with serving({"/known": known, "/endless": endless, "/bomb": bomb, "/fits": fits}) as base:
        for path in ("/known", "/endless", "/bomb"):
            with pytest.raises(EgressRefused) as caught:
                await egress.get(base + path)
            assert caught.value.rule == "body", path
        assert len((await egress.get(f"{base}/fits")).body) == 65_536


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n",
    ],
)
async def test_broken_answers_fail_in_one_way(egress: Egress, data: bytes) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    async with raw_server(answer) as base:
        with pytest.raises((EgressFailed, EgressRefused)):
            await egress.get(base, timeout_seconds=2)


async def test_a_closed_port_and_a_missing_name_fail(egress: Egress) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        with pytest.raises(EgressFailed, match="no connection"):
            await egress.get(f"http://127.0.0.1:{reserved.getsockname()[1]}/")
    with pytest.raises(EgressFailed, match="does not resolve"):
        await egress.get("http://nowhere.invalid/")


async def test_nothing_is_kept_between_calls(egress: Egress, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cookie comes back, and no proxy of the environment is used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1/")
    seen: list[str | None] = []

    async def note(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "session=1; Path=/"})

    async with serving({"/": note}) as base:
        await egress.get(base)
        await egress.get(base)
    assert seen == [None, None]


async def test_closing_twice_is_harmless() -> None:
    egress = Egress()
    await egress.close()
    await egress.close()


async def test_who_reads_nothing_holds_no_close_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large body is on its way to a peer that never reads it; the connection is left, and the close ends."""
    monkeypatch.setattr(client, "_CLOSE_SECONDS", 0.5)

    over = asyncio.Event()

    async def deaf(writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()
        await over.wait()

    egress = Egress(LOCAL)
    async with raw_server(deaf) as base:
        body = b"x" * 50_000_000
        asked = Call("POST", base, {}, body, 60, 1_000, lambda _: True)
        sending = asyncio.ensure_future(egress.call(asked))
        await asyncio.sleep(0.5)
        closing = asyncio.ensure_future(egress.close())
        done, _ = await asyncio.wait([closing], timeout=10)
        sending.cancel()
        closing.cancel()
        await asyncio.gather(sending, closing, return_exceptions=True)
        over.set()
    assert done
