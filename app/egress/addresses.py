"""Which addresses may be dialled: globally reachable unicast, and what the operator allows.

The tables are the IANA special-purpose registries (RFC 6890 and its successors), written out because
`ipaddress.is_global` differs between the releases of Python that are supported.
"""

import ipaddress
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from yarl import URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_REFUSED_V4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "cloud metadata"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_REFUSED_V6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("2001::/32", "Teredo"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "documentation"),
        ("3fff::/20", "documentation"),
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


def parse_address(text: str) -> Address | None:
    """The address in a socket's `sockaddr`, without its scope id; None when it is none."""
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address to which a packet for `address` is really carried (RFC 4291, 6052, 3056, 5214)."""
    value = int(address)
    if address in _MAPPED or address in _NAT64:
        return IPv4Address(value & 0xFFFF_FFFF)
    if address in _SIX_TO_FOUR:
        return IPv4Address(value >> 80 & 0xFFFF_FFFF)
    if (value >> 32) & 0xFFFF_FFFF in _ISATAP:
        return IPv4Address(value & 0xFFFF_FFFF)
    return None


def refusal(address: Address) -> str | None:
    """The kind of address that is refused (`loopback`, `private`, …), or None when it is public."""
    if isinstance(address, IPv4Address):
        return next((kind for network, kind in _REFUSED_V4 if address in network), None)
    inner = embedded(address)
    if inner is not None and (kind := refusal(inner)) is not None:
        return kind
    if inner is not None and (address in _MAPPED or address in _NAT64):
        return None
    if (kind := next((kind for network, kind in _REFUSED_V6 if address in network), None)) is not None:
        return kind
    return None if address in _GLOBAL_V6 else "reserved"


def _network(entry: str) -> Network | None:
    try:
        return ipaddress.ip_network(entry.removeprefix("[").removesuffix("]"), strict=False)
    except ValueError:
        return None


def _host_name(text: str, entry: str) -> str:
    try:
        if any(mark in text for mark in "/:@*[]") or not text:
            raise ValueError
        return (URL.build(scheme="http", host=text).raw_host or "").rstrip(".").lower()
    except ValueError:
        wanted = "neither a host name nor an address nor a CIDR, with or without `:PORT`"
        raise ValueError(f"egress_allow: {entry!r} is {wanted}") from None


def _parted(entry: str) -> tuple[Network | str, int | None]:
    """A network or a host name, and the one port that is meant, if any: a bare IPv6 address has none."""
    if (network := _network(entry)) is not None:
        return network, None
    place, colon, port = entry.rpartition(":")
    if not colon or not port.isascii() or not port.isdecimal() or not 1 <= int(port[:6]) <= 65_535:
        return _host_name(entry, entry), None
    return (_network(place) if place[:1] == "[" or ":" not in place else None) or _host_name(place, entry), int(port)


class AllowList:
    """Hosts and networks that may be called although they are not public, each at every port or at one.

    Raises ValueError, naming the entry, for one that is no host name, address or CIDR.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        parted = [_parted(entry.strip()) for entry in entries]
        self._networks = [(place, port) for place, port in parted if not isinstance(place, str)]
        self._hosts = {(place, port) for place, port in parted if isinstance(place, str)}

    def has_host(self, host: str, port: int | None) -> bool:
        name = host.rstrip(".").lower()
        return (name, None) in self._hosts or (name, port) in self._hosts

    def has_address(self, address: Address, port: int | None) -> bool:
        inner = embedded(address) if isinstance(address, IPv6Address) else None
        return any(
            address in network or (inner is not None and inner in network)
            for network, only in self._networks
            if only is None or only == port
        )

    def refuses(self, text: str, port: int | None = None) -> str | None:
        """The kind of the dialled address when it may not be dialled at that port; None when it may."""
        address = parse_address(text)
        if address is None:
            return "not an IP"
        return None if self.has_address(address, port) else refusal(address)
