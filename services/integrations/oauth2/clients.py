"""This side as a client of an authorization server: its name, and how it proves that (RFC 6749 section 2.3)."""

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

from app.auth.encryption import Unreadable
from app.egress import EgressError
from app.errors import IntegrationNotAuthenticated
from services.context import Context
from services.integrations.definitions.model import OAuth2Config
from services.integrations.instances.rows import compiled_of
from services.integrations.instances.secrets import open_secrets
from services.integrations.oauth2.answers import Granted, TokenUnanswered, read_grant

#: The whole of a request to a token endpoint; a lease on a refresh lasts longer.
TIMEOUT_SECONDS = 10.0
_MOST_BYTES = 65_536
_FORM = "application/x-www-form-urlencoded"


class Client(NamedTuple):
    """A client of the authorization server that `config` describes; public without a secret."""

    config: OAuth2Config
    grant: str
    client_id: str
    secret: str | None

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


async def client_of(context: Context, instance: Mapping[str, Any]) -> Client:
    """The client that an instance is. Raises IntegrationNotAuthenticated, naming the secret that it lacks."""
    definition = (await compiled_of(context, instance["definition"])).definition
    config = definition.oauth2_config
    if config is None or definition.auth_type not in ("oauth2", "client_credentials"):
        raise IntegrationNotAuthenticated("This integration is not authorized by OAuth2.")
    try:
        secrets = await open_secrets(context.runtime.encryption, context.database, context.tenant, instance["id"])
    except Unreadable:
        text = "The integration's secrets cannot be opened with the keys of this server."
        raise IntegrationNotAuthenticated(text) from None
    client_id = secrets.get("clientId") or config.client_id
    if client_id is None:
        raise IntegrationNotAuthenticated("The integration has no secret clientId; set its credentials first.")
    client = Client(config, definition.auth_type, client_id, secrets.get("clientSecret"))
    if client.authentication != "none" and client.secret is None:
        raise IntegrationNotAuthenticated("The integration has no secret clientSecret; set its credentials first.")
    return client


async def ask_token(context: Context, client: Client, form: Mapping[str, str]) -> Granted:
    """Ask the token endpoint. Raises TokenRefused and TokenUnanswered, which hold nothing that was sent."""
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
