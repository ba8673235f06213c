"""The gate of the consumer surface: header, key, credential, installation, rate limit, origin, in this order.

The scope comes next and is the operation's own affair; then the query, then the handler.
"""

import asyncio
from typing import Literal

import msgspec

from app.auth.principal import NO_TENANT, Principal
from app.clock import Clock
from app.errors import (
    DomainError,
    InactiveInstallation,
    InactiveInstallationCredential,
    InvalidInstallationCredential,
    MissingApiKey,
    OriginMismatch,
    OriginNotVerified,
    RateLimited,
)
from app.settings import Settings
from services.access.keys import Keys, Opened, Unknown
from services.access.strangers import Strangers, TooManyUnknown
from services.chain.denials import Denials
from services.chain.entries import Entry
from services.limits import Limiter, Verdict
from services.walks import Cover, WalkKey, Walks

#: A walk whose pages are not counted has as many as the ceiling allows.
_UNTOLD = 2**31
#: Plugins that set nothing give up after 5 seconds.
LONGEST_WAIT_SECONDS = 2.0


class Approach(msgspec.Struct, kw_only=True):
    """A request as it comes to the gate; the gate fills in what it finds, for the answer's headers."""

    api_key: str | None
    origin: str | None
    address: str
    surface: Literal["integrations/v1", "integrations/v2", "v1"]
    request_id: str
    operation: str
    walk: str | None = None
    page: int = 1
    #: Whether page 1 pays for the pages that follow (their number is known), or each page for itself.
    pays_ahead: bool = True
    opened: Opened | None = None
    verdict: Verdict | None = None


class Rule(msgspec.Struct, frozen=True):
    """Which rule refused: for the audit event and for explainDecision."""

    rule: str
    expected: str
    seen: str


class Gate:
    """Admits an approach as a principal, or raises the refusal after it has been recorded."""

    def __init__(
        self, *, keys: Keys, limiter: Limiter, walks: Walks, denials: Denials, settings: Settings, clock: Clock
    ) -> None:
        self._keys, self._limiter, self._walks = keys, limiter, walks
        self._strangers = Strangers(limiter)
        self._denials, self._settings, self._clock = denials, settings, clock

    async def admit(self, approach: Approach, *, pending_too: bool = False) -> Principal:
        """The principal of the key. `pending_too` lets an installation in that waits for its verification."""
        opened = await self._open(approach)
        approach.opened = opened
        await self._check_credential(approach, opened)
        await self._check_installation(approach, opened, pending_too=pending_too)
        await self._check_rate(approach, opened)
        if approach.origin is not None and approach.origin not in opened.origins:
            rule = Rule("origin", f"one of {sorted(opened.origins)} or no Origin header", approach.origin)
            await self.refuse(approach, OriginMismatch(), rule)
        return self._principal(opened)

    async def reserve(self, approach: Approach, pages: int | None = None) -> None:
        """After page 1 of a list: the pages that follow will not be refused for quota.

        Where their number is known they are paid for now; what the budget does not hold is owed.
        """
        if approach.walk is None or approach.opened is None or approach.verdict is None or approach.page != 1:
            return
        unpaid = await self._walks.begin(self._walk_key(approach, approach.opened, approach.walk), pages or _UNTOLD)
        if unpaid > 0 and approach.pays_ahead:
            bucket = self._bucket(approach, approach.opened)
            paid = await self._limiter.hit(*bucket, cost=unpaid)
            approach.verdict = paid if paid.admitted else await self._limiter.owe(*bucket, unpaid)

    async def refuse(self, approach: Approach, error: DomainError, rule: Rule, unknown: Unknown | None = None) -> None:
        """Record a refusal and raise it."""
        opened = approach.opened
        tenant = opened.tenant if opened else (unknown.tenant if unknown and unknown.tenant else NO_TENANT)
        kid = opened.kid if opened else (unknown.kid if unknown else None)
        installation = opened.installation if opened else (unknown.installation if unknown else None)
        await self._denials.record(
            Entry(
                tenant=tenant,
                at=self._clock.now_ms(),
                actor_kind="installation",
                actor_id=str(installation or approach.address),
                kid=kid,
                attribution="verified" if opened else "claimed",
                surface="rest",
                action=error.denial or "auth.denied",
                resource="operation",
                resource_id=approach.operation,
                installation=installation,
                outcome="deny",
                code=error.code,
                rule=rule.rule,
                expected=rule.expected,
                seen=rule.seen,
                request_id=approach.request_id,
            )
        )
        raise error

    async def _open(self, approach: Approach) -> Opened:
        text = (approach.api_key or "").strip()
        if not text:
            raise MissingApiKey
        opened = self._keys.warm(text)
        if opened is not None:
            return opened
        if self._keys.was_warm(text):
            found = await self._keys.open(text)
        else:
            found = await self._open_strange(approach, text)
        if isinstance(found, Unknown):
            await self._refuse_unknown(approach, found)
        assert isinstance(found, Opened)
        return found

    async def _open_strange(self, approach: Approach, text: str) -> Opened | Unknown:
        try:
            return await self._strangers.open(approach.address, self._keys, text)
        except TooManyUnknown as error:
            approach.verdict = error.verdict
            rule = Rule("unknown_keys", f"at most {error.verdict.quota} unknown keys a minute", approach.address)
            await self.refuse(approach, error, rule)
            raise

    async def _refuse_unknown(self, approach: Approach, unknown: Unknown) -> None:
        if unknown.kid is None:
            raise InvalidInstallationCredential
        seen = "a wrong secret for a known key id" if unknown.tenant else "an unknown key id"
        rule = Rule("credential", "a key that this server issued", seen)
        await self.refuse(approach, InvalidInstallationCredential(), rule, unknown)

    async def _check_credential(self, approach: Approach, opened: Opened) -> None:
        expired = opened.expires_at is not None and opened.expires_at <= self._clock.now_ms()
        if opened.status != "active" or expired:
            seen = "expired" if expired and opened.status == "active" else opened.status
            rule = Rule("credential_status", "an active credential", seen)
            await self.refuse(approach, InactiveInstallationCredential(), rule)

    async def _check_installation(self, approach: Approach, opened: Opened, *, pending_too: bool) -> None:
        status = opened.installation_status
        if status == "pending_verification":
            if not pending_too:
                rule = Rule("origin_verified", "an installation with a verified origin", "no verified origin")
                await self.refuse(approach, OriginNotVerified(), rule)
        elif status != "active":
            rule = Rule("installation_status", "an active installation", status)
            await self.refuse(approach, InactiveInstallation(), rule)
        elif not opened.origins and not pending_too:
            rule = Rule("origin_verified", "at least one verified origin", "none")
            await self.refuse(approach, OriginNotVerified(), rule)

    async def _check_rate(self, approach: Approach, opened: Opened) -> None:
        key, per_minute, burst = self._bucket(approach, opened)
        cover = await self._cover(approach, opened) if approach.pays_ahead else Cover.NONE
        if cover is Cover.PAID:
            approach.verdict = await self._limiter.glance(key, per_minute, burst)
            return
        verdict = approach.verdict = await self._limiter.hit(key, per_minute, burst)
        if verdict.admitted:
            return
        if cover or (not approach.pays_ahead and await self._cover(approach, opened)):
            approach.verdict = await self._owe_page(key, per_minute, burst)
            return
        rule = Rule("rate_limit", f"at most {per_minute} requests a minute, {burst} at once", "more")
        await self.refuse(approach, RateLimited(verdict.retry_seconds), rule)

    async def _owe_page(self, key: str, per_minute: int, burst: int) -> Verdict:
        """A page beyond the budget waits for its turn, but not so long that a plugin gives it up."""
        verdict = await self._limiter.owe(key, per_minute, burst, 1)
        waited = min(verdict.retry_after, LONGEST_WAIT_SECONDS)
        await asyncio.sleep(waited)
        return msgspec.structs.replace(verdict, reset_after=verdict.reset_after - waited)

    async def _cover(self, approach: Approach, opened: Opened) -> Cover:
        if approach.walk is None or approach.page < 2:
            return Cover.NONE
        return await self._walks.covers(self._walk_key(approach, opened, approach.walk), approach.page)

    def _bucket(self, approach: Approach, opened: Opened) -> tuple[str, int, int]:
        per_minute = opened.per_minute or self._settings.rate_limit_per_minute
        burst = opened.burst or min(self._settings.rate_limit_burst, per_minute)
        # One budget for all versions of the contract: who moves from one to the other has not twice as much.
        api = approach.surface.partition("/")[0]
        return f"{api}:{opened.installation}", per_minute, burst

    def _walk_key(self, approach: Approach, opened: Opened, walk: str) -> WalkKey:
        return (opened.installation, approach.surface, walk)

    def _principal(self, opened: Opened) -> Principal:
        return Principal(
            tenant=opened.tenant,
            subject=str(opened.installation),
            kind="installation",
            scopes=opened.scopes,
            authn="api_key",
            name=opened.label,
            kid=opened.kid,
            installation=opened.installation,
        )
