"""Which addresses are public, and how an operator allows more."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.egress import AllowList, refusal

PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
    "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.0.192",
    "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::8.8.8.8",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "100::1", "2001::1", "2001:0:7f00:1::",
    "2001:2::1", "2001:10::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::",
    "2001:4860::5efe:7f00:1", "2001:4860::200:5efe:10.0.0.1", "3fff::1", "4000::1", "5f00::1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0",
    "198.17.255.255", "223.255.255.255", "2001:4860:4860::8888", "2606:4700::1111", "::ffff:8.8.8.8",
    "64:ff9b::808:808", "2002:808:808::1", "2a00:1450:4001::200e",
]  # fmt: skip


@pytest.mark.parametrize("text", PRIVATE)
def test_special_addresses_are_refused(text: str) -> None:
    """No address of a special-purpose block is public, however it is carried."""
    assert refusal(ipaddress.ip_address(text)) is not None


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_not(text: str) -> None:
    assert refusal(ipaddress.ip_address(text)) is None


@given(st.ip_addresses(v=4))
def test_python_agrees_that_public_is_global(address: ipaddress.IPv4Address) -> None:
    """What we call public, `ipaddress` calls global too: the tables forget nothing it knows."""
    if refusal(address) is None:
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=6))
def test_python_agrees_for_six(address: ipaddress.IPv6Address) -> None:
    if refusal(address) is None and address.ipv4_mapped is None and address.sixtofour is None:
        assert not (address.is_private or address.is_multicast or address.is_loopback or address.is_link_local)


@given(st.ip_addresses(v=4))
def test_an_embedded_address_is_judged_as_itself(inner: ipaddress.IPv4Address) -> None:
    mapped = ipaddress.IPv6Address(f"::ffff:{inner}")
    assert (refusal(mapped) is None) == (refusal(inner) is None)
    assert AllowList(("0.0.0.0/0",)).refuses(str(mapped)) is None


def test_the_allow_list_takes_hosts_addresses_and_networks() -> None:
    allow = AllowList(("10.1.0.0/16", "127.0.0.1", "[::1]", "Intranet.Example.", "bücher.example"))
    assert [allow.refuses(text) for text in ("10.1.2.3", "127.0.0.1", "::1", "::ffff:10.1.2.3")] == [None] * 4
    assert allow.refuses("10.2.0.1") == "private"
    assert allow.refuses("127.0.0.2") == "loopback"
    assert allow.refuses("fe80::1%eth0") == "link-local"
    assert allow.refuses("/var/run/docker.sock") == "not an IP"
    assert allow.has_host("intranet.example", 80)
    assert allow.has_host("xn--bcher-kva.example", 8443)
    assert not allow.has_host("evil.intranet.example", 80)


def test_an_entry_may_name_one_port() -> None:
    """Nothing else of that machine is within reach; a bare IPv6 address has no port, however it looks."""
    allow = AllowList(
        ("localhost:8000", "127.0.0.1:81", "10.0.0.0/8:82", "[::1]:83", "fd00::1:84", "bücher.example:85")
    )
    assert allow.has_host("LocalHost.", 8000) and not allow.has_host("localhost", 8001)
    assert allow.has_host("xn--bcher-kva.example", 85) and not allow.has_host("xn--bcher-kva.example", 443)
    for address, port in (
        ("127.0.0.1", 81),
        ("::ffff:127.0.0.1", 81),
        ("10.9.8.7", 82),
        ("::1", 83),
        ("fd00::1:84", 1),
    ):
        assert allow.refuses(address, port) is None
    for address in ("127.0.0.1", "10.9.8.7", "::1", "fd00::1"):
        assert allow.refuses(address, 84) is not None


@pytest.mark.parametrize(
    "entry",
    [
        "10.0.0.0/33", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", "127.0.0.1:", ":80", "a:80:80", "[a]:80",
        "::1::80", "a:１", "http://a", "http://a:80", "*.example", "*.example:80", "", "a@b",
    ],
)  # fmt: skip
def test_an_entry_that_is_neither_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="egress_allow"):
        AllowList((entry,))
