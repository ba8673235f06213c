"""One renewal of one token, from the lease to the stored answer."""

import asyncio
import secrets
from typing import Any, NoReturn
from uuid import UUID

from app.auth.encryption import Unreadable
from app.errors import DomainError, IntegrationAuthFailed, IntegrationFailed, IntegrationNotAuthenticated, Unavailable
from services.context import Context
from services.integrations.instances.destinations import check_bound
from services.integrations.oauth2.answers import Granted, TokenRefused, TokenUnanswered
from services.integrations.oauth2.clients import OF_CLIENT, Client, ask_token, revoke
from services.integrations.oauth2.connecting import broken, connected, write_instance
from services.integrations.oauth2.sources import ClientSource
from services.integrations.oauth2.tokens import (
    LEASE,
    Token,
    find_token,
    is_due,
    is_good,
    open_token,
    release_lease,
    reserve_token,
    store_refreshed,
    take_lease,
)

#: Others are waited for as long as a holder that dies can keep them waiting, and one more request takes.
_WAIT_SECONDS = 2 * LEASE / 1_000
_FIRST_LOOK, _SLOWEST_LOOK = 0.05, 0.25
_STORE_PAUSES = (0.1, 0.5, 1.0, 2.0, 2.0, 2.0)
_CUT_OFF = (
    " An earlier refresh was cut off before its answer was stored; where the provider exchanged the refresh token by "
    "then, it takes this one for a stolen one."
)


class Renewal:
    """Renews the token of an instance where it still is of `version`, or takes what somebody else has stored.

    `idle` where no call waits for it; else `destinations` are where the call would send it. `result` is how it ended, a
    label of the metric: refreshed; superseded by what another process stored, or is about to; unanswered; refused;
    failed on this side.
    """

    def __init__(
        self,
        context: Context,
        instance_id: UUID,
        version: int,
        *,
        force: bool = False,
        idle: bool = False,
        destinations: str | None = None,
    ) -> None:
        self._context, self.instance_id, self._version, self._force = context, instance_id, version, force
        self._owner, self._idle, self.result = secrets.token_hex(16), idle, "failed"
        self._destinations = destinations
        self._source = ClientSource(context, instance_id, destinations)

    async def run(self) -> str:
        """Raises IntegrationNotAuthenticated, IntegrationAuthFailed, IntegrationFailed."""
        clock = self._context.runtime.clock
        end, pause = clock.monotonic() + _WAIT_SECONDS, _FIRST_LOOK
        while clock.monotonic() < end:
            token = await self._token()
            if (found := self._usable(token)) is not None:
                self.result = "superseded"
                return found
            if (found := await self._without_vault(token)) is not None:
                return found
            if await take_lease(self._context.tenant, token, self._owner, self._context.now):
                found = await self._renew(token)
                if found is not None:
                    return found
            else:
                await asyncio.sleep(pause * (0.5 + secrets.randbelow(1_000) / 1_000))
                pause = min(2 * pause, _SLOWEST_LOOK)
        raise IntegrationFailed("Another process did not end its refresh of the access token.", can_retry=True)

    async def run_idle(self) -> None:
        """Renew a token that no call waits for, unless somebody is at it. Raises what `run` raises."""
        token = await find_token(self._context.tenant, self.instance_id)
        now, self.result = self._context.now, "superseded"
        if token is None or token["version"] != self._version or not is_due(token, now):
            return
        try:
            await self._source.prepare()
        except DomainError:
            self.result = "unanswered"
            if await take_lease(self._context.tenant, token, self._owner, now):
                await release_lease(self._context.tenant, token, self._owner, now)
            raise
        if await take_lease(self._context.tenant, token, self._owner, now):
            self.result = "failed"
            await self._renew(token)

    async def _token(self) -> Token:
        tenant = self._context.tenant
        token = await find_token(tenant, self.instance_id)
        if token is None or token["bound_to"] != self._destinations:
            found = await self._source.registration()
            if found.grant == "oauth2":
                if token is not None:
                    check_bound(token["bound_to"], found.destinations)
                raise IntegrationNotAuthenticated
            await reserve_token(self._context, self.instance_id, found.destinations)
            token = await find_token(tenant, self.instance_id)
        if token is None:
            raise IntegrationNotAuthenticated("The integration was disconnected.")
        return token

    async def _without_vault(self, token: Token) -> str | None:
        """The token that there is, where the vault gives no secrets for another; None where it does."""
        try:
            await self._source.prepare()
        except IntegrationAuthFailed:
            self.result = "unanswered"
            if self._force or not is_good(token, self._context.now):
                raise
            return self._opened(token, "access_token")
        return None

    def _usable(self, token: Token) -> str | None:
        """The token, where somebody else has renewed it meanwhile."""
        now = self._context.now
        if token["version"] == self._version or not is_good(token, now) or is_due(token, now):
            return None
        return self._opened(token, "access_token")

    def _opened(self, token: Token, column: str) -> str:
        try:
            destinations = self._destinations or token["bound_to"]
            return open_token(self._context.runtime.encryption, token, destinations, column)
        except Unreadable:
            text = "The integration's tokens cannot be opened with the keys of this server."
            raise IntegrationNotAuthenticated(text) from None

    async def _renew(self, token: Token) -> str | None:
        """As the holder of the lease; None where the row is to be looked at again."""
        asked_at = self._context.now
        try:
            client = await self._source.client()
            if client is None:
                await self._release(token)
                return None
            check_bound(token["bound_to"], client.destinations)
            granted = await ask_token(self._context, client, self._form(token, client))
        except TokenRefused as refused:
            return await self._refused(token, refused.code)
        except TokenUnanswered as unanswered:
            return await self._unanswered(token, str(unanswered))
        except BaseException:
            # Nothing went out, or nobody knows: who comes next need not wait for the lease.
            await self._release(token)
            raise
        return await self._store(client, token, granted, asked_at)

    async def _release(self, token: Token) -> None:
        await release_lease(self._context.tenant, token, self._owner, self._context.now)

    def _form(self, token: Token, client: Client) -> dict[str, str]:
        if client.exchange is not None:
            return {}
        if client.grant == "client_credentials":
            asked = {"scope": client.config.scope, "audience": client.config.audience}
            return {"grant_type": "client_credentials"} | {name: text for name, text in asked.items() if text}
        if token["refresh_token"] is None:
            raise TokenRefused("no_refresh_token")
        return {"grant_type": "refresh_token", "refresh_token": self._opened(token, "refresh_token")}

    async def _store(self, client: Client, token: Token, granted: Granted, asked_at: int) -> str | None:
        self.result = "superseded"
        if await self._stored(token, granted, asked_at):
            self.result = "refreshed"
            await self._mend()
            return granted.access_token
        there = await find_token(self._context.tenant, self.instance_id)
        if there is None and granted.refresh_token is not None:
            # It was disconnected meanwhile, and nobody else knows this token.
            await revoke(self._context, client, {"refresh_token": granted.refresh_token})
        return None

    async def _stored(self, token: Token, granted: Granted, asked_at: int) -> bool:
        """The old token may be void by now, so a database that is away is waited for."""
        for pause in _STORE_PAUSES:
            try:
                return await store_refreshed(self._context, token, granted, asked_at)
            except Unavailable:
                await asyncio.sleep(pause)
        return await store_refreshed(self._context, token, granted, asked_at)

    async def _mend(self) -> None:
        """A holder that came back late may find the instance given up; it is not."""
        if (await self._source.instance())["status"] == "AUTH_ERROR":
            self._context.action = "integration_authorization.renewed"
            await write_instance(self._context, self.instance_id, lambda before: connected(self._context, before))

    async def _unanswered(self, token: Token, reason: str) -> str:
        self.result = "unanswered"
        await self._release(token)
        if not self._force and is_good(token, self._context.now):
            return self._opened(token, "access_token")
        raise IntegrationFailed(f"The access token could not be refreshed. {reason}", can_retry=True)

    async def _refused(self, token: Token, code: str) -> str | None:
        if code == "no_refresh_token":
            self.result = "refused"
            return await self._unrefreshable(token)
        there = await find_token(self._context.tenant, self.instance_id)
        if there is None or (there["version"], there["lease_owner"]) != (token["version"], self._owner):
            # Somebody has renewed it, or is about to: their answer counts.
            self.result = "superseded"
            return None
        self.result = "refused"
        if self._idle and code != "invalid_grant":
            # Of the client and not of the grant: it may be mended, and a call that needs the token will tell.
            await self._release(token)
            return None
        if code in OF_CLIENT and self._source.reference is not None:
            await self._referred_refused(token, code)
            return None
        reason = f"The provider refused to renew the access token ({code})."
        # The row as it was before this lease: whoever held it never said how it ended.
        cut_off = code == "invalid_grant" and token["lease_owner"] is not None
        return await self._give_up(token, reason + (_CUT_OFF if cut_off else ""))

    async def _referred_refused(self, token: Token, code: str) -> None:
        """What was kept may be old, and is read again. What was read just now may be mended in its vault: the instance
        keeps its status."""
        await self._release(token)
        if not self._source.read_again():
            _refuse(f"The provider refuses the client whose credentials lie at {self._source.reference} ({code}).")

    async def _unrefreshable(self, token: Token) -> str | None:
        if is_good(token, self._context.now):
            await self._release(token)
            if not self._force:
                return self._opened(token, "access_token")
            raise IntegrationAuthFailed("The access token was refused, and the provider gave none to refresh it with.")
        return await self._give_up(token, "The access token has expired, and the provider gave no refresh token.")

    async def _give_up(self, token: Token, reason: str) -> str | None:
        held = True

        async def change(before: dict[str, Any]) -> dict[str, Any]:
            nonlocal held
            held = await release_lease(self._context.tenant, token, self._owner, self._context.now)
            return await broken(self._context, before, reason) if held else before

        self._context.action = "integration_authorization.lost"
        await write_instance(self._context, self.instance_id, change)
        if not held:
            return None
        _refuse(f"{reason} Connect the integration again.")


def _refuse(reason: str) -> NoReturn:
    raise IntegrationAuthFailed(reason)
