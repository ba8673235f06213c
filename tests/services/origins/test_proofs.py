"""Each way to prove an origin, against real servers: found, missing, wrong, and hostile."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from app.egress import Egress
from app.errors import ValidationFailed
from services.origins import proofs
from services.origins.proofs import METHODS, check_method, check_path, instructions
from tests.egress.servers import DnsServer, dns_serving, serving

TOKEN = "k7f3q9x2m5b8w1"


@pytest.fixture
async def dns_server() -> AsyncIterator[DnsServer]:
    async with dns_serving() as server:
        yield server


@pytest.fixture
async def egress(dns_server: DnsServer) -> AsyncIterator[Egress]:
    egress = Egress(("127.0.0.1",), dns_servers=(dns_server.address,))
    yield egress
    await egress.close()


def saying(body: str | bytes, status: int = 200, kind: str = "text/html", **headers: str) -> Any:
    async def handler(_: web.Request) -> web.Response:
        data = body.encode() if isinstance(body, str) else body
        return web.Response(body=data, status=status, content_type=kind, headers=headers)

    return handler


@pytest.mark.parametrize(
    ("records", "found"),
    [
        ([[f"token={TOKEN}"]], True),
        ([["token=", TOKEN]], True),
        ([["v=spf1 -all"], [f"v=1; token={TOKEN}; x"]], True),
        ([[TOKEN]], False),
        ([[f"token={TOKEN}0"]], False),
        ([[f"nottoken={TOKEN}"]], False),
        ([[f"token={TOKEN.upper()}"]], False),
        ([], False),
    ],
)
async def test_dns(egress: Egress, dns_server: DnsServer, records: list[list[str]], found: bool) -> None:
    """The record stands below the host without its port; other records beside it do no harm."""
    dns_server.records = {"_dovetail-challenge.example.org": records}
    proof = await proofs.dns_txt(egress, "https://example.org:8443", TOKEN)
    assert proof.found is found
    assert proof.expected == f"token={TOKEN}"
    assert found or "_dovetail-challenge.example.org" in proof.reason


async def test_dns_that_fails_is_no_proof(egress: Egress, dns_server: DnsServer) -> None:
    dns_server.broken = {"_dovetail-challenge.example.org"}
    proof = await proofs.dns_txt(egress, "https://example.org", TOKEN)
    assert (proof.found, proof.seen) == (False, None)
    assert "no DNS server" in proof.reason
    assert not (await proofs.dns_txt(egress, "http://[::1]:8000", TOKEN)).found


@pytest.mark.parametrize(
    ("handler", "found", "seen"),
    [
        (saying(TOKEN), True, TOKEN),
        (saying(f"\ufeff \n{TOKEN}\r\n", kind="application/octet-stream"), True, TOKEN),
        (saying(f"{TOKEN} more"), False, f"{TOKEN} more"),
        (saying(f"<p>{TOKEN}</p>"), False, f"<p>{TOKEN}</p>"),
        (saying(TOKEN, status=404), False, TOKEN),
        (saying(""), False, ""),
        (saying(b"\xff\xfe\x00\x07\x1b[31mred\xe2\x80\xae"), False, "\ufffd\ufffd[31mred"),
        (saying("x" * 5_000), False, "x" * 200),
        (saying("x" * 70_000), False, None),
        (saying("", status=302, Location="http://elsewhere.test/"), False, None),
        (saying("", status=302, Location="/again"), True, TOKEN),
    ],
)
async def test_well_known_file(egress: Egress, handler: Any, found: bool, seen: str | None) -> None:
    async with serving({"/.well-known/dovetail-verification.txt": handler, "/again": saying(TOKEN)}) as base:
        proof = await proofs.well_known_file(egress, base, TOKEN)
    assert (proof.found, proof.seen) == (found, seen)


PAGE = f'<head><meta content="{TOKEN}" name="dovetail-verification"></head>'


@pytest.mark.parametrize(
    ("handler", "found", "reason"),
    [
        (saying(PAGE), True, "was found"),
        (saying(PAGE, kind="application/xhtml+xml"), True, "was found"),
        (saying(PAGE, kind="text/plain"), False, "not HTML"),
        (saying(PAGE, kind="application/json"), False, "not HTML"),
        (saying(PAGE, status=500), False, "status 500"),
        (saying("<head></head>" + PAGE), False, "no meta tag"),
        (saying(PAGE.replace(TOKEN, "other")), False, "another token"),
    ],
)
async def test_meta_tag(egress: Egress, handler: Any, found: bool, reason: str) -> None:
    async with serving({"/": handler}) as base:
        proof = await proofs.meta_tag(egress, base, TOKEN)
    assert proof.found is found
    assert reason in proof.reason


async def test_callback_needs_the_token_and_this_nonce(egress: Egress) -> None:
    nonces: list[str] = []

    def sign(key: str, nonce: str) -> str:
        return hmac.new(key.encode(), nonce.encode(), hashlib.sha256).hexdigest()

    async def right(request: web.Request) -> web.Response:
        nonces.append(request.query["challenge"])
        return web.Response(text=sign(TOKEN, nonces[-1]).upper() + "\n")

    async def wrong(request: web.Request) -> web.Response:
        return web.Response(text=sign("guess", request.query["challenge"]))

    async def replay(_: web.Request) -> web.Response:
        return web.Response(text=sign(TOKEN, nonces[0]))

    async with serving({"/hook": right, "/wrong": wrong, "/replay": replay}) as base:
        assert (await proofs.callback(egress, base, TOKEN, "/hook")).found
        assert (await proofs.callback(egress, base, TOKEN, "/hook")).found
        for path in ("/wrong", "/replay", "/absent"):
            assert not (await proofs.callback(egress, base, TOKEN, path)).found
    assert len(set(nonces)) == 2
    assert all(len(nonce) == 32 for nonce in nonces)


@pytest.mark.parametrize(
    "path", [None, "", "hook", "http://x/", "/a?b", "/a#b", "/a b", "/a\n", "/\\x", "/ü", "/" * 2_000]
)
def test_paths_that_no_callback_has(path: str | None) -> None:
    with pytest.raises(ValidationFailed) as caught:
        check_path(path)
    assert set(caught.value.details or {}) == {"path"}


async def test_a_private_host_is_refused_with_a_reason() -> None:
    """Without the operator's leave, no method makes this server call itself."""
    egress = Egress()
    for method in ("well_known_file", "meta_tag", "callback"):
        proof = await METHODS[method](egress, "http://127.0.0.1:1", TOKEN, "/hook")
        assert not proof.found
        assert "public Internet" in proof.reason
    await egress.close()


@pytest.mark.parametrize("method", list(METHODS))
def test_instructions_tell_what_and_where(method: str) -> None:
    told = instructions(method, "https://example.org:8443", TOKEN, "/hook")
    assert set(told) == {"method", "where", "value", "text"}
    assert told["where"] in told["text"]
    assert TOKEN in told["text"]


def test_an_unknown_method_is_named() -> None:
    for call in (lambda: check_method("fax"), lambda: instructions("fax", "https://a.example", TOKEN)):
        with pytest.raises(ValidationFailed, match="dns_txt"):
            call()
