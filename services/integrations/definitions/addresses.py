"""Addresses in definitions: base URLs, endpoints of authorization servers, and hosts that may be called."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from services.integrations.definitions.faults import Fault

_HOST = re.compile(r"(?:\*\.)?(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")


def check_url(text: str, *, query: bool = False) -> str:
    """The host, in lower case, of an absolute http(s) URL. Raises Fault."""
    if any(not "!" <= char <= "~" for char in text) or "\\" in text:
        raise Fault("must be a URL of printable ASCII")
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        raise Fault("is no URL") from None
    if url.scheme not in ("http", "https") or not host:
        raise Fault("must begin with https:// or http:// and a host")
    if "@" in url.netloc:
        raise Fault("must not carry a user name or a password")
    if url.fragment or "#" in text or (not query and "?" in text):
        raise Fault("must have no fragment" if query else "must have neither a query nor a fragment")
    return host.rstrip(".")


def check_host(pattern: str) -> None:
    """A host that may be called: a name, an IP address, or `*.` before a name. Raises Fault."""
    try:
        ip_address(pattern.strip("[]"))
    except ValueError:
        if len(pattern) > 253 or _HOST.fullmatch(pattern) is None:
            raise Fault("must be a host name in lower case, *.NAME, or an IP address") from None


def covers(patterns: list[str], host: str) -> bool:
    """Whether one of the patterns names the host; `*.example.org` names everything below example.org."""
    host = _plain(host)
    return any(
        host.endswith(pattern[1:].rstrip(".")) if pattern.startswith("*.") else host == _plain(pattern)
        for pattern in patterns
    )


def _plain(host: str) -> str:
    """A host as it is compared: an IPv6 address can be written in many ways (RFC 5952)."""
    found = host.lower().strip("[]").rstrip(".")
    try:
        return str(ip_address(found)) if ":" in found else found
    except ValueError:
        return found
