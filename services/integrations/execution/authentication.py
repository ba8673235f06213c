"""Credentials of a call: opened, and put where the definition says: header, query, a signed assertion, or what a
challenge asks for."""

import base64
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from app.auth.encryption import Unreadable
from app.egress import Answer
from app.errors import ExecutionFailed, IntegrationNotAuthenticated
from services.context import Context
from services.integrations.definitions.model import AuthConfig
from services.integrations.execution.challenged import ChallengedCredentials
from services.integrations.execution.redaction import Redaction
from services.integrations.execution.requests import Prepared
from services.integrations.execution.targets import Target
from services.integrations.instances.secrets import open_secrets
from services.integrations.signing.assertions import signed_assertion

#: Secrets by name that identify and do not prove; they may be shown where the other side repeats them.
_PUBLIC = frozenset({"username", "clientId", "keyId"})


class Placed(NamedTuple):
    """A request with its credentials; `private` are the headers that hold them."""

    request: Prepared
    private: frozenset[str]


class Credentials:
    """What one call is authenticated with."""

    def __init__(self, context: Context, target: Target, secrets: Mapping[str, str], *, kept: bool = False) -> None:
        self._context, self._target, self._secrets = context, target, secrets
        self.redaction = Redaction([*_hidden(secrets), *target.secret_config])
        # Whether they may have changed in their vault since they were read, and whether that is to be looked at.
        self._kept, self._reread = kept, False
        self._force = False
        self._challenged: ChallengedCredentials | None = None
        if self._config.challenge is not None:
            basic = self._basic() if secrets else None
            self._challenged = ChallengedCredentials(context, target, secrets, self.redaction, basic)

    def learn(self, request: Prepared, answer: Answer) -> bool:
        """Whether a request that was answered with 401 may end otherwise: with a fresh token, or with what the answer
        asks for. Once."""
        if self._challenged is not None:
            return self._challenged.learn(request, answer)
        if self._kept:
            self._kept, self._reread = False, True
            return True
        fresh = self._target.compiled.definition.takes_tokens and not self._force
        self._force = self._force or fresh
        return fresh

    async def place(self, request: Prepared) -> Placed:
        """Raises IntegrationNotAuthenticated, IntegrationAuthFailed, or ExecutionFailed."""
        kind = self._target.compiled.definition.auth_type
        if self._reread:
            self._reread = False
            found = await self._context.runtime.vaults.secrets_of(self._context, self._target, fresh=True)
            self._secrets = found.secrets
            self.redaction.add(*_hidden(found.secrets))
        if self._challenged is not None:
            text = await self._challenged.authorization(request)
            return Placed(request, frozenset()) if text is None else self._authorized(request, text)
        if kind == "none":
            return Placed(request, frozenset())
        if kind == "api_key":
            return self._key(request)
        if kind == "basic":
            return self._authorized(request, self._basic())
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

    def _basic(self) -> str:
        pair = f"{self._secret('username')}:{self._secret('password')}"
        encoded = base64.b64encode(pair.encode()).decode()
        self.redaction.add(pair, encoded)
        return f"Basic {encoded}"

    async def _token(self, kind: str) -> str:
        if self._target.compiled.definition.takes_tokens:
            return await self._context.runtime.refreshes.access_token(
                self._context, self._target.row, self._target.destinations, force=self._force
            )
        if kind == "jwt":
            return signed_assertion(self._config, self._secrets, self._context.now)
        return self._secret("token")

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


def _hidden(secrets: Mapping[str, str]) -> list[str]:
    return [text for name, text in secrets.items() if name not in _PUBLIC]


async def open_credentials(context: Context, target: Target) -> Credentials:
    """Raises ExecutionFailed where a secret does not open: its key is not in the ring.

    And IntegrationNotAuthenticated where a name is there without its password, or they were given for elsewhere;
    IntegrationAuthFailed where a vault does not give them.
    """
    if target.row["credential_ref"] is not None:
        if target.compiled.definition.takes_tokens:
            # Calls carry a token; the vault is asked when the next one is.
            return Credentials(context, target, {})
        found = await context.runtime.vaults.secrets_of(context, target)
        return Credentials(context, target, found.secrets, kept=found.kept)
    try:
        secrets = await open_secrets(
            context.runtime.encryption, context.database, context.tenant, target.id, target.destinations
        )
    except Unreadable:
        raise ExecutionFailed("The integration's secrets cannot be opened with the keys of this server.") from None
    return Credentials(context, target, secrets)
