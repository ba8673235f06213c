"""Guarded HTTP GET. The guard sits in the socket factory: it sees the very address that is dialled.

So there is nothing between check and use: a name that answers differently the second time (DNS
rebinding), a strange spelling of an address or a redirect all end in the same check.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Coroutine, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from multidict import CIMultiDictProxy
from yarl import URL

from app.egress.addresses import AllowList
from app.egress.errors import EgressFailed, EgressRefused
from app.egress.txt import TxtLookup
from app.egress.urls import parse_url, redirected

if TYPE_CHECKING:
    # Slow to import and large, and a server may never call out: each use imports it.
    import aiohttp
    from aiohttp.abc import AbstractResolver

MAX_REDIRECTS = 5
USER_AGENT = "dovetail"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: `body` is decoded from its content coding, `url` is where it came from in the end."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    url: str


@dataclass(slots=True)
class _Dial:
    """One call's say in the socket factory; without one, only public addresses are dialled."""

    host_allowed: bool = False
    refused: list[str] = field(default_factory=list)


_dial: ContextVar[_Dial | None] = ContextVar("egress_dial", default=None)


def _failure(error: Exception, host: str) -> EgressFailed:
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return EgressFailed(f"{host}: the name does not resolve.")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return EgressFailed(f"{host}: its TLS certificate is not valid.")
    if isinstance(error, aiohttp.ClientSSLError):
        return EgressFailed(f"{host}: no TLS connection could be made.")
    if isinstance(error, aiohttp.ClientConnectorError):
        return EgressFailed(f"{host}: no connection could be made.")
    if isinstance(error, aiohttp.ClientPayloadError):
        return EgressFailed(f"{host}: the answer broke off or cannot be decoded.")
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError):
        return EgressFailed(f"{host}: the connection was closed before an answer came.")
    return EgressFailed(f"{host}: the answer is not valid HTTP.")


class Egress:
    """Calls out, through one connection pool that is made when it is first needed.

    `allow` holds hosts or CIDRs that may be reached although private; `dns_servers` are
    `ADDRESS[:PORT]` for TXT look-ups, by default the system's. Every method raises EgressRefused or
    EgressFailed and nothing else of its own.
    """

    def __init__(
        self,
        allow: tuple[str, ...] = (),
        resolver: AbstractResolver | None = None,
        *,
        dns_servers: tuple[str, ...] = (),
        connections: int = 100,
    ) -> None:
        self._allow = AllowList(allow)
        self._resolver = resolver
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._txt = TxtLookup(dns_servers)

    async def get(
        self,
        url: str,
        *,
        timeout_seconds: float = 5,
        max_bytes: int = 65_536,
        headers: Mapping[str, str] | None = None,
        redirects: Literal["same-host", "none"] = "same-host",
    ) -> Answer:
        """GET within one deadline for everything, redirects and body included.

        `max_bytes` counts decoded bytes. With `redirects="none"` a 3xx is an answer like any other.
        """
        target = parse_url(url)
        return await self._guarded(
            target, timeout_seconds, self._follow(target, max_bytes, headers or {}, redirects == "same-host")
        )

    async def post(
        self, url: str, body: bytes, *, content_type: str, timeout_seconds: float = 5, max_bytes: int = 65_536
    ) -> Answer:
        """POST within one deadline; a redirect is an answer like any other."""
        target = parse_url(url)
        sending = self._once(target, max_bytes, {"Content-Type": content_type}, method="POST", body=body)
        return await self._guarded(target, timeout_seconds, sending)

    async def _guarded(self, target: URL, timeout_seconds: float, call: Coroutine[Any, Any, Answer]) -> Answer:
        import aiohttp

        host = target.raw_host or ""
        dial = _Dial(host_allowed=self._allow.has_host(host))
        mark = _dial.set(dial)
        try:
            async with asyncio.timeout(timeout_seconds):
                return await call
        except TimeoutError:
            raise EgressFailed(f"{host}: no full answer within {timeout_seconds:g} seconds.") from None
        except aiohttp.InvalidURL:
            raise EgressRefused("url", host) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if dial.refused:
                raise EgressRefused("address", host) from None
            raise _failure(error, host) from error
        finally:
            _dial.reset(mark)

    async def txt(self, name: str, *, timeout_seconds: float = 5) -> list[str]:
        """The TXT records of a DNS name, each with its strings joined; empty when there are none."""
        return await self._txt(name, timeout_seconds)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _follow(self, url: URL, max_bytes: int, headers: Mapping[str, str], follow: bool) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._once(url, max_bytes, headers)
            location = answer.headers.get("Location")
            if not follow or answer.status not in _REDIRECTS or location is None:
                return answer
            url = redirected(url, location)
        raise EgressRefused("redirect_loop", url.raw_host or "")

    async def _once(
        self, url: URL, max_bytes: int, headers: Mapping[str, str], *, method: str = "GET", body: bytes | None = None
    ) -> Answer:
        sending = self._open().request(method, url, headers=headers, data=body, allow_redirects=False)
        async with sending as response:
            if response.status in _REDIRECTS and "Location" in response.headers:
                response.close()
                return Answer(response.status, response.headers, b"", str(url))
            try:
                content = await _read(response, max_bytes)
            except BaseException:
                response.close()
                raise
            return Answer(response.status, response.headers, content, str(url))

    def _open(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            connector = aiohttp.TCPConnector(
                socket_factory=self._socket, resolver=self._resolver, use_dns_cache=False, limit=self._connections
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                headers={"User-Agent": USER_AGENT},
                trust_env=False,
            )
        return self._session

    def _socket(self, addr_info: Any) -> socket.socket:
        family, kind, proto, _, sockaddr = addr_info
        dial = _dial.get() or _Dial()
        refused = None if dial.host_allowed else self._allow.refuses(str(sockaddr[0]))
        if refused is not None:
            dial.refused.append(refused)
            raise OSError(errno.EACCES, f"{refused} address")
        return socket.socket(family=family, type=kind, proto=proto)


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    host = response.url.raw_host or ""
    if response.content_length is not None and response.content_length > max_bytes:
        raise EgressRefused("body", host)
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > max_bytes:
            raise EgressRefused("body", host)
    return bytes(body)
