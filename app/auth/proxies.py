"""Which peer a request really came from, before any header is believed.

`X-Forwarded-For` changes what the application takes for the client; so the address of the connection is looked at
first, outside of that. A `Client-Cert` header (RFC 9440) from any other peer than a trusted proxy is dropped.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from app.auth.certificates import PRESENTED
from app.settings import Settings, SettingsError

Network = IPv4Network | IPv6Network
_HEADERS = frozenset({b"client-cert", b"client-cert-chain"})


class TrustedProxies:
    """ASGI, the outermost: takes the headers of RFC 9440 away, and keeps what a trusted proxy said in the state."""

    def __init__(self, app: Any, networks: Iterable[str]) -> None:
        self._app = app
        self._networks = tuple(_network(text) for text in networks)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] in ("http", "websocket") and any(name.lower() in _HEADERS for name, _ in scope["headers"]):
            self._take(scope)
        await self._app(scope, receive, send)

    def _take(self, scope: Any) -> None:
        given = scope["headers"]
        scope["headers"] = [pair for pair in given if pair[0].lower() not in _HEADERS]
        if self._is_trusted(scope.get("client")):
            values = tuple(bytes(value) for name, value in given if name.lower() == b"client-cert")
            scope.setdefault("state", {})[PRESENTED] = values

    def _is_trusted(self, peer: Any) -> bool:
        try:
            address = ip_address(peer[0])
        except (ValueError, TypeError, IndexError):
            return False
        # A socket that listens on IPv6 shows a peer of IPv4 in this form.
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return any((mapped or address) in network for network in self._networks)


def _network(text: str) -> Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise SettingsError(f"trusted_proxies: {text!r} is neither an address nor a CIDR") from None


def behind_proxies(app: Any, settings: Settings) -> Any:
    """The application as a server runs it: first the peer, then `X-Forwarded-For` and `X-Forwarded-Proto`."""
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    forwarded = ProxyHeadersMiddleware(app, trusted_hosts=settings.forwarded_allow_ips)
    return TrustedProxies(forwarded, settings.trusted_proxies)
