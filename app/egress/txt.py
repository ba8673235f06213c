"""DNS TXT look-ups, through the operator's servers where given. Answers come from DNS servers that the
operator names, never from an address that a record names, so the address guard has no part here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.egress.addresses import parse_address
from app.egress.errors import EgressFailed

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

DNS_PORT = 53


def parse_server(text: str) -> tuple[str, int]:
    """`ADDRESS`, `ADDRESS:PORT` or `[V6]:PORT` as (address, port). Raises ValueError, naming the text."""
    host, colon, port = text.strip().rpartition(":")
    if parse_address(text.strip()) is not None:
        return text.strip(), DNS_PORT
    bare = host.removeprefix("[").removesuffix("]")
    if not colon or parse_address(bare) is None or not port.isdecimal() or not 1 <= int(port) <= 65_535:
        raise ValueError(f"dns_servers: {text!r} is not ADDRESS or ADDRESS:PORT")
    return bare, int(port)


class TxtLookup:
    def __init__(self, servers: tuple[str, ...] = ()) -> None:
        self._servers = [parse_server(server) for server in servers]
        self._resolver: Resolver | None = None

    async def __call__(self, name: str, timeout_seconds: float) -> list[str]:
        """Every TXT record of `name`, absolute. Raises EgressFailed when no server answers in time."""
        # dnspython takes half a second to import: only those who prove an origin pay for it.
        import dns.exception
        import dns.resolver

        try:
            resolver = self._open()
            found = await resolver.resolve(f"{name.rstrip('.')}.", "TXT", lifetime=timeout_seconds, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.Timeout:
            raise EgressFailed(f"{name}: DNS gave no answer within {timeout_seconds:g} seconds.") from None
        except dns.resolver.NoNameservers:
            raise EgressFailed(f"{name}: no DNS server could answer.") from None
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise EgressFailed(f"{name}: the DNS look-up failed ({type(error).__name__}).") from error
        return [b"".join(record.strings).decode("utf-8", "replace") for record in found]

    def _open(self) -> Resolver:
        import dns.asyncresolver
        import dns.nameserver

        if self._resolver is None:
            resolver = dns.asyncresolver.Resolver(configure=not self._servers)
            if self._servers:
                resolver.nameservers = [dns.nameserver.Do53Nameserver(*server) for server in self._servers]
            self._resolver = resolver
        return self._resolver
