"""This side as a client of an authorization server: its name, and how it proves that (RFC 6749 section 2.3)."""

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode, urlsplit

import msgspec

from app.auth.encryption import Unreadable
from app.egress import EgressError
from app.errors import IntegrationNotAuthenticated
from services.context import Context
from services.integrations.definitions.addresses import covers
from services.integrations.definitions.compiling import Compiled
from services.integrations.definitions.model import AuthConfig, Definition, OAuth2Config
from services.integrations.instances.configs import open_config
from services.integrations.instances.destinations import destinations_of
from services.integrations.instances.references import Held
from services.integrations.instances.rows import compiled_of
from services.integrations.instances.secrets import open_secrets
from services.integrations.instances.status import effective_config
from services.integrations.oauth2.answers import Granted, TokenUnanswered, read_grant
from services.integrations.oauth2.exchanges import Asked, asked_of, read_exchange
from services.integrations.signing.assertions import signed_assertion

#: Refusals of who asks, and not of what for (RFC 6749 section 5.2): another secret may mend them.
OF_CLIENT = frozenset({"invalid_client", "unauthorized_client"})
#: The whole of a request to a token endpoint; a lease on a refresh lasts longer.
TIMEOUT_SECONDS = 10.0
_MOST_BYTES = 65_536
_FORM = "application/x-www-form-urlencoded"


class Exchanging(NamedTuple):
    """An exchange, and what its assertion is made of."""

    asked: Asked
    config: AuthConfig | None
    secrets: Mapping[str, str]


class Client(NamedTuple):
    """A client of the authorization server that `config` describes; public without a secret.

    `destinations` are where its credentials, and the tokens that it is given, may go; `kept` where its credentials may
    have changed in their vault since they were read.
    """

    config: OAuth2Config
    grant: str
    client_id: str
    secret: str | None
    destinations: str
    kept: bool = False
    exchange: Exchanging | None = None

    @property
    def authentication(self) -> str:
        default = "none" if self.secret is None else "client_secret_basic"
        return self.config.client_authentication or default

    def signed(self, form: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
        """The body and the headers of a request of this client."""
        fields, headers = dict(form), {"Accept": "application/json"}
        if self.authentication == "client_secret_basic":
            # Both are form-encoded first, so that a colon in the id is no end of it (section 2.3.1).
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.secret or '')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            fields["client_id"] = self.client_id
        if self.authentication == "client_secret_post":
            fields["client_secret"] = self.secret or ""
        return urlencode(fields).encode(), headers


class Registration(NamedTuple):
    """An instance at its authorization server, without its credentials."""

    row: Mapping[str, Any]
    compiled: Compiled
    config: OAuth2Config
    destinations: str
    exchange: Asked | None = None

    @property
    def grant(self) -> str:
        return self.compiled.definition.auth_type

    @property
    def reference(self) -> str | None:
        found: str | None = self.row["credential_ref"]
        return found


async def registration_of(context: Context, instance: Mapping[str, Any]) -> Registration:
    """Where an instance is a client: the token endpoint of its own configuration (`tokenUrl`) where it has one.

    Raises IntegrationNotAuthenticated.
    """
    compiled = await compiled_of(context, instance["definition"])
    definition, config = compiled.definition, compiled.definition.oauth2_config
    if definition.exchange is not None:
        config = OAuth2Config()
    if config is None or not definition.takes_tokens:
        raise IntegrationNotAuthenticated("This integration is not authorized by OAuth2.")
    try:
        told = effective_config(definition, open_config(context.runtime.encryption, instance))
    except Unreadable:
        raise _unreadable() from None
    wanted = destinations_of(definition, told)
    if definition.exchange is not None:
        return Registration(instance, compiled, config, wanted, asked_of(definition, definition.exchange, told))
    return Registration(instance, compiled, _placed(definition, config, told.get("tokenUrl")), wanted)


async def client_of(context: Context, instance: Mapping[str, Any], *, fresh: bool = False) -> Client:
    """The client that an instance is. A vault that its credentials lie in is asked, so in no transaction.

    Raises IntegrationNotAuthenticated, naming the secret that it lacks, or where they were given for elsewhere; and
    IntegrationAuthFailed where the vault does not give them. With `fresh` the vault is asked in any case.
    """
    registration = await registration_of(context, instance)
    return client_with(registration, await held_for(context, registration, fresh=fresh))


async def held_for(context: Context, registration: Registration, *, fresh: bool = False) -> Held:
    """The credentials of a client; raises what `client_of` does."""
    if registration.reference is not None:
        found: Held = await context.runtime.vaults.secrets_of(context, registration, fresh=fresh)
        return found
    keys, database, instance = context.runtime.encryption, context.database, registration.row["id"]
    try:
        return Held(await open_secrets(keys, database, context.tenant, instance, registration.destinations))
    except Unreadable:
        raise _unreadable() from None


def client_with(registration: Registration, held: Held) -> Client:
    """Raises IntegrationNotAuthenticated, naming the secret that is not there."""
    config, secrets = registration.config, held.secrets
    if registration.exchange is not None:
        if "privateKey" not in secrets:
            raise _lacking(registration, "privateKey")
        assertion = Exchanging(registration.exchange, registration.compiled.definition.auth_config, secrets)
        return Client(config, registration.grant, "", None, registration.destinations, held.kept, assertion)
    client_id = secrets.get("clientId") or config.client_id
    if client_id is None:
        raise _lacking(registration, "clientId")
    secret = secrets.get("clientSecret")
    client = Client(config, registration.grant, client_id, secret, registration.destinations, held.kept)
    if client.authentication != "none" and client.secret is None:
        raise _lacking(registration, "clientSecret")
    return client


def _lacking(registration: Registration, name: str) -> IntegrationNotAuthenticated:
    text = f"The integration has no secret {name}; set its credentials first."
    if registration.reference is not None:
        text = f"The integration has no secret {name}: {registration.reference} leads to none."
    return IntegrationNotAuthenticated(text)


def _unreadable() -> IntegrationNotAuthenticated:
    return IntegrationNotAuthenticated("The integration's secrets cannot be opened with the keys of this server.")


def _placed(definition: Definition, config: OAuth2Config, own: object) -> OAuth2Config:
    """With the token endpoint of the instance's own configuration, at a host that the definition allows."""
    if not isinstance(own, str):
        return config
    host = urlsplit(own).hostname or ""
    if definition.allowed_hosts is not None and not covers(definition.allowed_hosts, host):
        raise IntegrationNotAuthenticated("The tokenUrl of the configuration is at a host that may not be called.")
    return msgspec.structs.replace(config, token_url=own)


async def ask_token(context: Context, client: Client, form: Mapping[str, str]) -> Granted:
    """Ask the token endpoint. Raises TokenRefused and TokenUnanswered, which hold nothing that was sent."""
    if client.exchange is not None:
        return await _exchanged(context, client.exchange)
    fields = {**(client.config.token_params or {}), **form}
    body, headers = client.signed(fields)
    try:
        answer = await context.runtime.egress.post(
            client.config.token_url or "",
            body,
            content_type=_FORM,
            headers=headers,
            timeout_seconds=TIMEOUT_SECONDS,
            max_bytes=_MOST_BYTES,
        )
    except EgressError as error:
        raise TokenUnanswered(f"The token endpoint cannot be asked: {error}") from None
    hidden = ("code", "refresh_token", "code_verifier")
    sent = [form[name] for name in hidden if name in form] + ([client.secret] if client.secret else [])
    return read_grant(answer, sent)


async def _exchanged(context: Context, exchanging: Exchanging) -> Granted:
    """The same of an exchange; and raises ExecutionFailed for a key that cannot sign."""
    asked = exchanging.asked
    assertion = signed_assertion(exchanging.config or AuthConfig(), exchanging.secrets, context.now)
    headers = {"Authorization": f"Bearer {assertion}", "Accept": "application/json"}
    given: dict[str, Any] = {"timeout_seconds": TIMEOUT_SECONDS, "max_bytes": _MOST_BYTES}
    try:
        answer = await context.runtime.egress.post(
            asked.url, b"", content_type="application/json", headers=headers, **given
        )
    except EgressError as error:
        raise TokenUnanswered(f"The exchange of the assertion cannot be asked: {error}") from None
    return read_exchange(asked, answer, context.now)


async def revoke(context: Context, client: Client, tokens: Mapping[str, str]) -> bool:
    """Revoke tokens by their kind, the refresh token first (RFC 7009); whether the server took all of them."""
    if client.config.revocation_url is None:
        return False
    taken = True
    for kind in ("refresh_token", "access_token"):
        if kind in tokens:
            body, headers = client.signed({"token": tokens[kind], "token_type_hint": kind})
            taken = await _revoked(context, client.config.revocation_url, body, headers) and taken
    return taken


async def _revoked(context: Context, url: str, body: bytes, headers: dict[str, str]) -> bool:
    given: dict[str, Any] = {"timeout_seconds": TIMEOUT_SECONDS, "max_bytes": _MOST_BYTES}
    try:
        answer = await context.runtime.egress.post(url, body, content_type=_FORM, headers=headers, **given)
    except EgressError:
        return False
    return answer.status == 200
