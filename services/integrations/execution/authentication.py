"""Credentials of a call: opened, and put where the definition says: header, query, or a signed assertion."""

import base64
from collections.abc import Mapping
from typing import Literal, NamedTuple
from urllib.parse import quote

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey, import_key

from app.auth.encryption import Unreadable
from app.errors import ExecutionFailed, IntegrationNotAuthenticated
from app.ids import new_id
from services.context import Context
from services.integrations.definitions.model import AuthConfig
from services.integrations.execution.redaction import Redaction
from services.integrations.execution.requests import Prepared
from services.integrations.execution.targets import Target
from services.integrations.instances.secrets import open_secrets

#: Secrets by name that identify and do not prove; they may be shown where the other side repeats them.
_PUBLIC = frozenset({"username", "clientId", "keyId"})
_TOKENS = ("oauth2", "client_credentials")
_DEFAULT_LIFETIME = 300
_KINDS: Mapping[str, Literal["RSA", "EC", "OKP"]] = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}


class Placed(NamedTuple):
    """A request with its credentials; `private` are the headers that hold them."""

    request: Prepared
    private: frozenset[str]


class Credentials:
    """What one call is authenticated with."""

    def __init__(self, context: Context, target: Target, secrets: Mapping[str, str]) -> None:
        self._context, self._target, self._secrets = context, target, secrets
        hidden = [text for name, text in secrets.items() if name not in _PUBLIC]
        self.redaction = Redaction([*hidden, *target.secret_config])
        self._force = False

    @property
    def can_refresh(self) -> bool:
        """Whether a refusal may end with a fresh token; once."""
        return self._target.compiled.definition.auth_type in _TOKENS and not self._force

    def refresh(self) -> None:
        """Take a fresh token for the next request."""
        self._force = True

    async def place(self, request: Prepared) -> Placed:
        """Raises IntegrationNotAuthenticated, IntegrationAuthFailed, or ExecutionFailed."""
        kind = self._target.compiled.definition.auth_type
        if kind == "none":
            return Placed(request, frozenset())
        if kind == "api_key":
            return self._key(request)
        if kind == "basic":
            pair = f"{self._secret('username')}:{self._secret('password')}"
            encoded = base64.b64encode(pair.encode()).decode()
            self.redaction.add(pair, encoded)
            return self._authorized(request, f"Basic {encoded}")
        token = await self._token(kind)
        self.redaction.add(token)
        prefix = (self._config.prefix if kind == "bearer" else None) or "Bearer"
        return self._authorized(request, f"{prefix} {token}")

    @property
    def _config(self) -> AuthConfig:
        return self._target.compiled.definition.auth_config or AuthConfig()

    def _secret(self, name: str) -> str:
        found = self._secrets.get(name)
        if found is None:
            raise IntegrationNotAuthenticated(f"The integration has no secret {name}.")
        return found

    async def _token(self, kind: str) -> str:
        if kind in _TOKENS:
            return await self._context.runtime.access_token(self._context, self._target.row, force=self._force)
        return self._assertion() if kind == "jwt" else self._secret("token")

    def _authorized(self, request: Prepared, text: str) -> Placed:
        return self._with_header(request, "Authorization", text)

    def _with_header(self, request: Prepared, name: str, text: str) -> Placed:
        if not text.isascii() or not text.isprintable():
            raise ExecutionFailed("The credentials cannot be sent in a header: they are not printable ASCII.")
        headers = {**request.headers, name: text}
        return Placed(request._replace(headers=headers), frozenset({name.lower()}))

    def _key(self, request: Prepared) -> Placed:
        config, key = self._config, self._secret("apiKey")
        name = config.name or "Authorization"
        text = f"{config.prefix or ''}{' ' if config.prefix and config.prefix[-1:].isalnum() else ''}{key}"
        if config.location != "query":
            return self._with_header(request, name, text)
        joint = "&" if "?" in request.url else "?"
        url = f"{request.url}{joint}{quote(name, safe='')}={quote(text, safe='')}"
        return Placed(request._replace(url=url), frozenset())

    def _assertion(self) -> str:
        """A signed assertion (RFC 7519) with what the definition says of it."""
        config, now = self._config, self._context.now // 1000
        algorithm = config.algorithm or "RS256"
        issuer = config.issuer or self._secrets.get("clientId") or self._secrets.get("keyId")
        claims = {"iat": now, "exp": now + (config.lifetime_seconds or _DEFAULT_LIFETIME), "jti": str(new_id())}
        claims |= {"iss": issuer, "sub": issuer} if issuer else {}
        claims |= {"aud": config.audience} if config.audience else {}
        header = {"alg": algorithm, "typ": "JWT"}
        header |= {"kid": self._secrets["keyId"]} if "keyId" in self._secrets else {}
        text = self._secret("privateKey")
        try:
            key = OctKey.import_key(text) if algorithm == "HS256" else import_key(text, _KINDS[algorithm])
            return jwt.encode(header, claims, key, algorithms=[algorithm])
        except (JoseError, ValueError, TypeError):
            raise ExecutionFailed("The private key cannot sign the assertion that the integration asks for.") from None


async def open_credentials(context: Context, target: Target) -> Credentials:
    """Raises ExecutionFailed where a secret does not open: its key is not in the ring."""
    try:
        secrets = await open_secrets(context.runtime.encryption, context.database, context.tenant, target.id)
    except Unreadable:
        raise ExecutionFailed("The integration's secrets cannot be opened with the keys of this server.") from None
    return Credentials(context, target, secrets)
