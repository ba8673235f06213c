"""Authorizations: begun with an address to send a browser to, completed with what it brings back (RFC 6749, 4.1)."""

import hashlib
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from app import base64url
from app.auth.scopes import Scope
from app.errors import (
    IntegrationAuthFailed,
    IntegrationFailed,
    IntegrationNotAuthenticated,
    InvalidTransition,
    NotFound,
    ValidationFailed,
    VersionConflict,
)
from services.context import Context
from services.integrations.instances.binding import destinations_of_row
from services.integrations.instances.destinations import check_bound
from services.integrations.instances.rows import find_instance, has_token
from services.integrations.oauth2 import states
from services.integrations.oauth2.answers import Granted, TokenRefused, TokenUnanswered, error_code
from services.integrations.oauth2.clients import OF_CLIENT, Client, ask_token, client_of
from services.integrations.oauth2.connecting import broken, connected, write_instance
from services.integrations.oauth2.redirects import check_redirect
from services.integrations.oauth2.tokens import replace_token
from services.operations import operation

_UNKNOWN_STATE = "is not that of an authorization which you have begun, was used, or has run out"


class StartedAuthorization(msgspec.Struct, frozen=True):
    """Where to send the browser, and the state that comes back with it."""

    authorization_url: str
    state: str


class AuthorizationAnswer(msgspec.Struct, kw_only=True):
    """What the browser came back with: `code`, or `error` (RFC 6749 section 4.1.2.1); `iss` of RFC 9207."""

    state: str
    code: str | None = None
    iss: str | None = None
    error: str | None = None


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_authorization.started",
    writes="parts",
    raises=[NotFound, ValidationFailed, InvalidTransition, IntegrationNotAuthenticated, IntegrationAuthFailed],
)
async def start_integration_authorization(
    context: Context, instance_id: UUID, redirect_uri: str
) -> StartedAuthorization:
    """Begin to connect an instance, or to connect it again, at its provider."""
    instance = await find_instance(context.tenant, instance_id)
    client = await client_of(context, instance)
    if client.grant != "oauth2":
        raise InvalidTransition("This integration connects by itself, with its client credentials.")
    if instance["status"] in ("PENDING_CONFIGURATION", "CONFIG_ERROR"):
        raise InvalidTransition(f"The integration is {instance['status']}; configure it first.")
    await check_redirect(context, redirect_uri)
    verifier = None if client.config.pkce == "none" else states.new_verifier()

    async def begin() -> str:
        await find_instance(context.tenant, instance_id)  # the vault may have taken long
        begun = {"redirect_uri": redirect_uri, "pkce": verifier is not None}
        context.note("integration_instance", instance_id, after=begun)
        return await states.begin(context, instance_id, redirect_uri, verifier, client.destinations)

    state = await context.write(begin)
    return StartedAuthorization(_address(client, redirect_uri, state, verifier), state)


def _address(client: Client, redirect_uri: str, state: str, verifier: str | None) -> str:
    """The authorization request (section 4.1.1); what a definition adds replaces nothing of it."""
    config = client.config
    fields = {"client_id": client.client_id, "redirect_uri": redirect_uri, "response_type": "code", "state": state}
    if verifier is not None:
        challenge = base64url.encode(hashlib.sha256(verifier.encode()).digest())
        fields |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    more = {"scope": config.scope, "audience": config.audience, **(config.authorization_params or {})}
    fields |= {name: text for name, text in more.items() if text and name not in fields}
    url = config.authorization_url or ""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}"


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_authorization.completed",
    writes="parts",
    raises=[
        NotFound, ValidationFailed, VersionConflict, IntegrationNotAuthenticated, IntegrationAuthFailed,
        IntegrationFailed,
    ],
)  # fmt: skip
async def complete_integration_authorization(
    context: Context, instance_id: UUID, answer: AuthorizationAnswer
) -> dict[str, Any]:
    """Complete an authorization with what the browser came back with; its state is used up, whatever comes of it."""
    if not answer.code and not answer.error:
        raise ValidationFailed({"code": "is required"})
    instance = await find_instance(context.tenant, instance_id)
    begun = await _taken(context, instance_id, answer.state)
    client = await client_of(context, instance)
    if begun.bound_to != client.destinations:
        # The code is of the provider that there was, and is not shown to another.
        await _note_refused(context, instance_id, "destination")
        raise ValidationFailed({"state": _UNKNOWN_STATE})
    if answer.iss is not None and client.config.issuer is not None and answer.iss != client.config.issuer:
        await _note_refused(context, instance_id, "iss")
        raise ValidationFailed({"iss": "is not the issuer of this integration"})
    if answer.error:
        await _note_refused(context, instance_id, error_code(answer.error))
        raise IntegrationAuthFailed(f"The provider did not authorize it ({error_code(answer.error)}).")
    asked_at = context.now
    granted = await _exchanged(context, instance, client, begun, answer.code or "")

    async def connect(before: dict[str, Any]) -> dict[str, Any]:
        check_bound(client.destinations, await destinations_of_row(context, before))
        await replace_token(context, instance_id, granted, asked_at, client.destinations)
        return await connected(context, before)

    return await write_instance(context, instance_id, connect)


async def _taken(context: Context, instance_id: UUID, state: str) -> states.Begun:
    """Raises ValidationFailed for a state that is not this caller's, for this instance, and in time."""
    begun = await states.take(context, state)
    if begun is None or begun.expires_at <= context.now:
        raise ValidationFailed({"state": _UNKNOWN_STATE})
    wrong = {"instance": begun.instance != instance_id, "caller": begun.caller != states.caller_of(context)}
    for rule, broken_rule in wrong.items():
        if broken_rule:
            await _note_refused(context, begun.instance, rule)
            raise ValidationFailed({"state": _UNKNOWN_STATE})
    return begun


async def _note_refused(context: Context, instance_id: UUID, rule: str) -> None:
    async def note() -> None:
        action = "integration_authorization.refused"
        context.note("integration_instance", instance_id, action=action, after={"rule": rule}, outcome="deny")

    await context.write(note)


async def _exchanged(
    context: Context, instance: dict[str, Any], client: Client, begun: states.Begun, code: str
) -> Granted:
    """The code for a token (section 4.1.3); with the secret as it is in its vault now where the one kept is refused."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": begun.redirect_uri}
    if begun.verifier is not None:
        form["code_verifier"] = begun.verifier
    try:
        return await ask_token(context, client, form)
    except TokenUnanswered as unanswered:
        raise IntegrationFailed(f"{unanswered} Begin again.", can_retry=False) from None
    except TokenRefused as refused:
        if client.kept and refused.code in OF_CLIENT:
            again = await client_of(context, instance, fresh=True)
            return await _exchanged(context, instance, again, begun, code)
        reason = f"The provider refused the authorization code ({refused.code})."
        await _fail(context, instance["id"], reason)
        raise IntegrationAuthFailed(reason) from None


async def _fail(context: Context, instance_id: UUID, reason: str) -> None:
    """AUTH_ERROR; but an instance that works goes on with the token that it has."""

    async def change(before: dict[str, Any]) -> dict[str, Any]:
        if before["status"] == "CONNECTED" and await has_token(context.tenant, instance_id):
            action = "integration_authorization.refused"
            context.note("integration_instance", instance_id, action=action, after={"error": reason}, outcome="error")
            return before
        return await broken(context, before, reason)

    await write_instance(context, instance_id, change)
