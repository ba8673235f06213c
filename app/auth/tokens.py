"""Bearer tokens: JWTs of the built-in issuer and of any OIDC issuer in the settings.

The issuer named in the token picks the keys and the allowed algorithms (RFC 8725 sections 3.1 and 3.8);
nothing else in the token is believed before its signature and its claims have been checked.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol
from uuid import UUID

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet, OKPKey

from app.auth.principal import Principal
from app.auth.scopes import scopes_of
from app.auth.signing import ALGORITHM
from app.auth.token_types import check_type
from app.clock import SECOND, Clock
from app.errors import InvalidToken, Unavailable
from app.settings import OidcIssuer, Settings

LEEWAY_SECONDS = 30
LONGEST = 8_192
_REMEMBERED = 4_096
_REMEMBER_SECONDS = 30
_KEPT_SECONDS = 3_600
_ASK_AGAIN_SECONDS = 30
_RETRY_SECONDS = 5
#: What comes of hostile JSON: also a depth that nothing can read, and a number that nothing can count with.
_UNREADABLE = (JoseError, ValueError, TypeError, KeyError, OverflowError, RecursionError)

#: Reads a JSON document from an address; raises Unavailable.
FetchJson = Callable[[str], Awaitable[Any]]


class KeySource(Protocol):
    """Where one issuer's public keys come from."""

    issuer: OidcIssuer

    async def keys(self, kid: str | None) -> KeySet: ...


class BuiltInKeys:
    def __init__(self, key: OKPKey, settings: Settings) -> None:
        self.issuer = OidcIssuer(settings.token_issuer, settings.token_audience, algorithms=(ALGORITHM,))
        self._keys = KeySet([key])

    async def keys(self, kid: str | None) -> KeySet:
        return self._keys


class JwksKeys:
    """An OIDC issuer's keys by its JWKS (RFC 7517), kept an hour; an unknown `kid` asks again, at most once in 30 s.

    While the issuer cannot be asked, keys that were read serve one more hour. Anybody can make up a token
    that names the issuer, so a failure too is kept for a while, and who comes at the same time waits for one answer.
    """

    def __init__(self, issuer: OidcIssuer, fetch: FetchJson, clock: Clock) -> None:
        self.issuer = issuer
        self._fetch, self._clock = fetch, clock
        self._keys: KeySet | None = None
        self._read_at = self._asked_at = float("-inf")
        self._failure: str | None = None
        self._asking = asyncio.Lock()

    async def keys(self, kid: str | None) -> KeySet:
        if self._is_due(kid):
            async with self._asking:
                if self._is_due(kid):
                    await self._ask()
        if self._keys is None or (self._failure is not None and not self._knows(kid)):
            raise Unavailable(self._failure)
        return self._keys

    def _is_due(self, kid: str | None) -> bool:
        now = self._clock.monotonic()
        if self._keys is None:
            return now - self._asked_at > _RETRY_SECONDS
        kept = now - self._read_at <= _KEPT_SECONDS and self._knows(kid)
        return not kept and now - self._asked_at > _ASK_AGAIN_SECONDS

    def _knows(self, kid: str | None) -> bool:
        return self._keys is not None and any(key.kid == kid for key in self._keys.keys)

    async def _ask(self) -> None:
        try:
            self._keys = await self._read()
            self._read_at, self._failure = self._clock.monotonic(), None
        except Unavailable as error:
            self._failure = error.message
            if self._clock.monotonic() - self._read_at > 2 * _KEPT_SECONDS:
                self._keys = None
        self._asked_at = self._clock.monotonic()

    async def _read(self) -> KeySet:
        try:
            return _usable_keys(await self._fetch(self.issuer.jwks_url or await self._discover()))
        except _UNREADABLE as error:
            raise Unavailable(f"The keys of the issuer {self.issuer.issuer} cannot be read.") from error

    async def _discover(self) -> str:
        """The document must be the issuer's own (OpenID Connect Discovery, section 4.3)."""
        document = await self._fetch(f"{self.issuer.issuer.rstrip('/')}/.well-known/openid-configuration")
        if isinstance(document, dict) and document.get("issuer") != self.issuer.issuer:
            raise Unavailable(f"The document of the issuer {self.issuer.issuer} names another issuer.")
        if not isinstance(document, dict) or not isinstance(document.get("jwks_uri"), str):
            raise Unavailable(f"The issuer {self.issuer.issuer} names no jwks_uri.")
        return str(document["jwks_uri"])


def _usable_keys(document: Any) -> KeySet:
    """The keys that this server can use; of others an issuer may publish as many as it likes (RFC 7517 section 5)."""
    keys = []
    for published in document["keys"]:
        with suppress(*_UNREADABLE):
            keys.append(JWKRegistry.import_key(published))
    if not keys:
        raise ValueError("no usable key")
    return KeySet(keys)


class TokenVerifier:
    """Turns a bearer token into a principal, or raises InvalidToken saying which rule it breaks."""

    def __init__(self, sources: Sequence[KeySource], clock: Clock) -> None:
        self._sources = {source.issuer.issuer: source for source in sources}
        self._clock = clock
        self._verified: OrderedDict[bytes, tuple[float, float, Principal]] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        if len(token) > LONGEST:
            raise InvalidToken("The bearer token is longer than 8192 characters.")
        mark = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        remembered = self._verified.get(mark)
        if remembered is not None and self._clock.monotonic() < remembered[0] and self._clock.now_ms() < remembered[1]:
            return remembered[2]
        claims, source = await self._checked_claims(token)
        principal = _principal(claims, source.issuer)
        self._remember(mark, principal, claims["exp"] * SECOND)
        return principal

    def _remember(self, mark: bytes, principal: Principal, expires_ms: float) -> None:
        """By both clocks: the one may jump, the other stands still while the machine sleeps."""
        if len(self._verified) >= _REMEMBERED:
            self._verified.popitem(last=False)
        self._verified[mark] = (self._clock.monotonic() + _REMEMBER_SECONDS, expires_ms, principal)

    async def _checked_claims(self, token: str) -> tuple[dict[str, Any], KeySource]:
        source, kid = self._source(token)
        allowed = list(source.issuer.algorithms)
        keys = await source.keys(kid)
        try:
            decoded = jwt.decode(token, keys, algorithms=allowed)
            self._registry(source.issuer).validate(decoded.claims)
        except _UNREADABLE as error:
            raise InvalidToken(f"The bearer token is not valid: {_reason(error)}.") from error
        check_type(decoded.header, decoded.claims, source.issuer)
        return decoded.claims, source

    def _source(self, token: str) -> tuple[KeySource, str | None]:
        try:
            parts = jws.extract_compact(token.encode())
            claims = msgspec.json.decode(parts.payload)
            header = parts.headers()
        except _UNREADABLE as error:
            raise InvalidToken("The bearer token is no JWT.") from error
        issuer = claims.get("iss") if isinstance(claims, dict) else None
        source = self._sources.get(issuer) if isinstance(issuer, str) else None
        if source is None:
            raise InvalidToken("The bearer token names no issuer that this server trusts.")
        kid = header.get("kid")
        return source, kid if isinstance(kid, str) else None

    def _registry(self, issuer: OidcIssuer) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=lambda: self._clock.now_ms() // SECOND,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer.issuer},
            aud={"essential": True, "value": issuer.audience},
            exp={"essential": True},
        )


def _reason(error: Exception) -> str:
    text = str(error).strip().rstrip(".")
    return text[:160] if isinstance(error, JoseError) and text else "it cannot be read"


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.split())
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _shown(name: Any) -> str | None:
    return name if isinstance(name, str) and name.isprintable() else None


def _principal(claims: dict[str, Any], issuer: OidcIssuer) -> Principal:
    tenant = claims.get(issuer.tenant_claim)
    subject = claims.get(issuer.subject_claim) or claims.get("sub")
    try:
        tenant_id = UUID(str(tenant))
    except ValueError as error:
        raise InvalidToken(f"The bearer token's claim {issuer.tenant_claim} names no tenant.") from error
    # No database keeps a NUL, and no log should show what moves its cursor.
    if not isinstance(subject, str) or not subject or not subject.isprintable():
        raise InvalidToken(f"The bearer token's claim {issuer.subject_claim} names nobody.")
    roles = _texts(claims.get(issuer.roles_claim))
    return Principal(
        tenant=tenant_id,
        subject=subject,
        kind="service" if claims.get("kind") == "service" else "user",
        scopes=scopes_of(roles, _texts(claims.get(issuer.permissions_claim))),
        authn="bearer",
        tier="premium" if claims.get("tier") == "premium" else "standard",
        name=_shown(claims.get("name")),
        roles=roles,
        until=(claims["exp"] + LEEWAY_SECONDS) * SECOND,
    )
