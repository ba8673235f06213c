"""TXT look-ups through a real DNS server."""

import pytest

from app.egress import Egress, EgressFailed
from app.egress.txt import parse_server
from tests.egress.servers import dns_serving


async def test_txt_records_are_read_and_joined() -> None:
    """Strings of one record are joined without a space (RFC 7208 section 3.3 reads them so too)."""
    async with dns_serving() as server:
        server.records = {"a.example": [["token=ab", "cd"], ["v=spf1 -all"]], "empty.example": []}
        egress = Egress(dns_servers=(server.address,))
        assert sorted(await egress.txt("a.example")) == ["token=abcd", "v=spf1 -all"]
        assert await egress.txt("empty.example") == []
        assert await egress.txt("missing.example.") == []


async def test_dns_that_fails_says_how() -> None:
    async with dns_serving() as server:
        server.silent, server.broken = {"silent.example"}, {"broken.example"}
        egress = Egress(dns_servers=(server.address,))
        with pytest.raises(EgressFailed, match=r"within 0\.4 seconds"):
            await egress.txt("silent.example", timeout_seconds=0.4)
        with pytest.raises(EgressFailed, match="no DNS server"):
            await egress.txt("broken.example")
        for name in ("a..example", f"{'x' * 64}.example", ".".join(["x" * 60] * 5)):
            with pytest.raises(EgressFailed, match="look-up failed"):
                await egress.txt(name)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        (" 9.9.9.9 ", ("9.9.9.9", 53)),
        ("::1", ("::1", 53)),
        ("[::1]:5353", ("::1", 5353)),
    ],
)
def test_servers_are_addresses_with_ports(text: str, server: tuple[str, int]) -> None:
    assert parse_server(text) == server


@pytest.mark.parametrize("text", ["", "dns.example:53", "127.0.0.1:0", "127.0.0.1:x", "127.0.0.1:70000"])
def test_other_servers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="dns_servers"):
        parse_server(text)
