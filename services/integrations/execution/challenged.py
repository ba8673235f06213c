"""What was learned of 401s: which challenge a path answers with, and the tokens that answer it, in memory.

Tokens are bound to the instance, its address and its secrets, so that new credentials never meet old tokens.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import msgspec

from app.egress import Answer
from app.recent import Recent
from services.context import Context
from services.integrations.definitions.addresses import covers
from services.integrations.definitions.model import AuthConfig
from services.integrations.execution.challenges import Challenge, Realm, ask_realm, read_challenge
from services.integrations.execution.redaction import Redaction
from services.integrations.execution.requests import Prepared
from services.integrations.execution.targets import Target

_MOST_TOKENS, _MOST_CHALLENGES = 2_000, 5_000


class _Connection(NamedTuple):
    """One instance as it is now: with another address or other secrets it is another."""

    instance: str
    base: str
    secrets: bytes


class _Held(NamedTuple):
    text: str
    until: float


class RegistryTokens:
    """Of one process; `until` is monotonic time, so that a clock that is set back keeps no token alive."""

    def __init__(self) -> None:
        self.challenges: Recent[tuple[_Connection, str, str], Challenge] = Recent(_MOST_CHALLENGES)
        self.tokens: Recent[tuple[_Connection, Challenge], _Held] = Recent(_MOST_TOKENS)
        self.asking: WeakValueDictionary[tuple[_Connection, Challenge], asyncio.Lock] = WeakValueDictionary()


class ChallengedCredentials:
    """Answers the challenges that one call meets."""

    def __init__(
        self, context: Context, target: Target, secrets: Mapping[str, str], redaction: Redaction, basic: str | None
    ) -> None:
        """`basic` is the header that proves the secrets; None where there are none: what is public is for anybody."""
        self._context, self._target, self._redaction, self._basic = context, target, redaction, basic
        self._known: RegistryTokens = context.runtime.registry_tokens
        self._secrets, self._answered, self._sent = secrets, set[tuple[str, str]](), ""
        self._config = target.compiled.definition.auth_config or AuthConfig()
        digest = hashlib.sha256(msgspec.json.encode(sorted(secrets.items()))).digest()
        self._connection = _Connection(str(target.id), target.base, digest)

    async def authorization(self, request: Prepared) -> str | None:
        """The header's value for a request, by what its path answered with before; None where nothing is known.

        Raises what `ask_realm` raises.
        """
        challenge = self._known.challenges.find((self._connection, *_place(request)))
        if challenge is None:
            return None
        if challenge.scheme == "basic":
            return self._basic
        self._sent = await self._token(challenge)
        return f"Bearer {self._sent}"

    def learn(self, request: Prepared, answer: Answer) -> bool:
        """Take note of what a 401 asks for; whether the request may end otherwise now. Once for each path of a call."""
        place, challenge = _place(request), read_challenge(answer, tokens=self._config.challenge == "registry-token")
        if challenge is None or place in self._answered:
            return False
        self._answered.add(place)
        before = self._known.challenges.find((self._connection, *place))
        if challenge.scheme == "basic" and (before == challenge or self._basic is None):
            return False
        held = self._known.tokens.get((self._connection, challenge))
        if held is not None and held.text == self._sent:
            del self._known.tokens[self._connection, challenge]
        self._known.challenges.keep((self._connection, *place), challenge)
        return True

    async def _token(self, challenge: Challenge) -> str:
        key = (self._connection, challenge)
        async with self._known.asking.setdefault(key, asyncio.Lock()):
            held = self._known.tokens.find(key)
            if held is None or held.until <= self._context.runtime.clock.monotonic():
                asked_at = self._context.runtime.clock.monotonic()
                found = await ask_realm(
                    self._context, self._realm(), challenge, self._basic, self._secrets.values()
                )  # fmt: skip
                held = _Held(found.text, asked_at + found.seconds)
                self._known.tokens.keep(key, held)
        self._redaction.add(held.text)
        return held.text

    def _realm(self) -> Realm:
        own = self._target.config.get("realmHost")
        hosts = [self._target.host, *(self._config.realm_hosts or ()), *([own] if isinstance(own, str) else [])]
        plain = urlsplit(self._target.base).scheme == "http"
        return Realm(lambda host: covers(hosts, host.strip("[]")) or self._target.may_call(host), plain)


def _place(request: Prepared) -> tuple[str, str]:
    return request.method, urlsplit(request.url).path
