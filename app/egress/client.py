"""Guarded HTTP calls. The guard sits in the socket factory: it sees the very address that is dialled.

So there is nothing between check and use: a name that answers differently the second time (DNS
rebinding), a strange spelling of an address or a redirect all end in the same check.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from multidict import CIMultiDictProxy
from yarl import URL

from app.egress.addresses import AllowList
from app.egress.errors import EgressFailed, EgressRefused
from app.egress.txt import TxtLookup
from app.egress.urls import followed, parse_url, redirected

if TYPE_CHECKING:
    # Slow to import and large, and a server may never call out: each use imports it.
    import aiohttp
    from aiohttp.abc import AbstractResolver

MAX_REDIRECTS = 5
USER_AGENT = "dovetail"
#: How long what was sent may wait for a reader when the pool is closed.
_CLOSE_SECONDS = 5.0
#: Many servers close what has been idle for five seconds; who sends on it at that moment cannot know what arrived.
_KEPT_SECONDS = 4.0
#: Content codings that are decoded here, or refused by name where the library lacks them.
_CODINGS = frozenset({"gzip", "deflate", "br", "zstd"})
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
    """One call's say in the socket factory; without one, only public addresses are dialled.

    `host` is the one that is dialled now, and `refused` are its addresses that were not.
    """

    host: str = ""
    host_allowed: bool = False
    sent: bool = False
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Call:
    """A request of any method. Redirects of GET and HEAD are followed to hosts that `may_call` names.

    `repeatable` False: once a byte of it may have gone out it is not sent again, whatever its method. `private` names
    the headers, in lower case, that never leave the origin of `url`: those that carry credentials.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    timeout_seconds: float
    max_bytes: int
    may_call: Callable[[str], bool]
    private: frozenset[str] = frozenset({"authorization"})
    repeatable: bool = True


_dial: ContextVar[_Dial | None] = ContextVar("egress_dial", default=None)


def _failure(error: Exception, host: str) -> EgressFailed:
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorDNSError | UnicodeError):
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

    `allow` holds hosts or CIDRs, also with `:PORT`, that may be reached although private; `dns_servers` are
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
        self._connector: aiohttp.TCPConnector | None = None
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
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
        self,
        url: str,
        body: bytes,
        *,
        content_type: str,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 5,
        max_bytes: int = 65_536,
    ) -> Answer:
        """POST within one deadline; a redirect is an answer like any other."""
        target, sent = parse_url(url), {**(headers or {}), "Content-Type": content_type}
        sending = self._once(target, max_bytes, sent, method="POST", body=body)
        return await self._guarded(target, timeout_seconds, sending)

    async def call(self, call: Call) -> Answer:
        """Make a call within one deadline for everything; what is not followed of redirects is an answer."""
        target = parse_url(call.url)
        if not call.may_call(target.raw_host or ""):
            raise EgressRefused("host", target.raw_host or "")
        return await self._guarded(target, call.timeout_seconds, self._called(target, call))

    async def _called(self, url: URL, call: Call) -> Answer:
        headers, origin, follows = dict(call.headers), url.origin(), call.method in ("GET", "HEAD")
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._once(
                url, call.max_bytes, headers, method=call.method, body=call.body, repeatable=call.repeatable
            )
            location = answer.headers.get("Location")
            if not follows or answer.status not in _REDIRECTS or location is None:
                return answer
            url = followed(url, location, call.may_call)
            if url.origin() != origin:
                headers = {name: text for name, text in headers.items() if name.lower() not in call.private}
            self._dialling(url)
        raise EgressRefused("redirect_loop", url.raw_host or "")

    def _dialling(self, url: URL) -> None:
        """From here on this host and port are dialled: an allowed name allows no other."""
        dial = _dial.get()
        if dial is not None:
            dial.host = url.raw_host or ""
            dial.host_allowed = self._allow.has_host(url.raw_host or "", url.port)

    async def _guarded(self, target: URL, timeout_seconds: float, call: Coroutine[Any, Any, Answer]) -> Answer:
        import aiohttp

        host = target.raw_host or ""
        dial = _Dial(host, self._allow.has_host(host, target.port))
        mark = _dial.set(dial)
        try:
            async with asyncio.timeout(timeout_seconds):
                return await call
        except TimeoutError:
            text = f"{host}: no full answer within {timeout_seconds:.3g} seconds."
            raise EgressFailed(text, sent=dial.sent, timed_out=True) from None
        except aiohttp.InvalidURL:
            raise EgressRefused("url", host) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if dial.refused:
                raise EgressRefused("address", dial.host) from None
            failure = _failure(error, dial.host)
            failure.sent = dial.sent
            raise failure from error
        finally:
            _dial.reset(mark)

    async def txt(self, name: str, *, timeout_seconds: float = 5) -> list[str]:
        """The TXT records of a DNS name, each with its strings joined; empty when there are none."""
        return await self._txt(name, timeout_seconds)

    async def close(self) -> None:
        sessions, self._sessions = self._sessions, {}
        connector, self._connector = self._connector, None
        for session in sessions.values():
            await session.close()
        if connector is not None:
            # What is still being sent then goes with the loop.
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await connector.close()

    async def _follow(self, url: URL, max_bytes: int, headers: Mapping[str, str], follow: bool) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._once(url, max_bytes, headers)
            location = answer.headers.get("Location")
            if not follow or answer.status not in _REDIRECTS or location is None:
                return answer
            url = redirected(url, location)
            self._dialling(url)
        raise EgressRefused("redirect_loop", url.raw_host or "")

    async def _once(
        self,
        url: URL,
        max_bytes: int,
        headers: Mapping[str, str],
        *,
        method: str = "GET",
        body: bytes | None = None,
        repeatable: bool = True,
    ) -> Answer:
        sending = self._open(repeatable=repeatable).request(
            method, url, headers=headers, data=body, allow_redirects=False
        )
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

    def _open(self, *, repeatable: bool = True) -> aiohttp.ClientSession:
        import aiohttp

        if self._connector is None:
            self._connector = aiohttp.TCPConnector(
                socket_factory=self._socket,
                resolver=self._resolver,
                use_dns_cache=False,
                limit=self._connections,
                keepalive_timeout=_KEPT_SECONDS,
            )
        if repeatable not in self._sessions:
            session = self._sessions[repeatable] = aiohttp.ClientSession(
                connector=self._connector,
                connector_owner=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                headers={"User-Agent": USER_AGENT},
                trust_env=False,
                trace_configs=[_trace()],
            )
            # aiohttp sends a GET, PUT or DELETE once more where the connection was lost, also after it was sent.
            session._retry_connection = repeatable
        return self._sessions[repeatable]

    def _socket(self, addr_info: Any) -> socket.socket:
        family, kind, proto, _, sockaddr = addr_info
        dial = _dial.get() or _Dial()
        refused = None if dial.host_allowed else self._allow.refuses(str(sockaddr[0]), sockaddr[1])
        if refused is not None:
            dial.refused.append(refused)
            raise OSError(errno.EACCES, f"{refused} address")
        return socket.socket(family=family, type=kind, proto=proto)


def _trace() -> aiohttp.TraceConfig:
    """Marks a call as sent as soon as its head is given to a connection: before that, nothing went out."""
    import aiohttp

    async def mark(*_: Any) -> None:
        dial = _dial.get()
        if dial is not None:
            dial.sent = True
            # Another address of the host was dialled: what becomes of the call from here on is not for those.
            dial.refused.clear()

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(mark)
    return trace


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    host = response.url.raw_host or ""
    if _coding(response.headers) not in _CODINGS | {""}:
        raise EgressRefused("coding", host)
    if response.content_length is not None and response.content_length > max_bytes:
        raise EgressRefused("body", host)
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > max_bytes:
            raise EgressRefused("body", host)
    return bytes(body)


def _coding(headers: CIMultiDictProxy[str]) -> str:
    """The content coding; of several, which are decoded nowhere here, all of them."""
    codings = ",".join(headers.getall("Content-Encoding", ())).lower().split(",")
    return ",".join(name for text in codings if (name := text.strip()) not in ("", "identity"))
