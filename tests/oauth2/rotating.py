"""A small authorization server of the tests' own: it rotates refresh tokens, and revokes a family that is used twice.

It can be slow, away, lose its answers, and have a grace period; `tests/oauth2/test_protocol.py` uses a real one.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from aiohttp import web

CLIENT, SECRET = "client123", "CANARY-client-secret"


@dataclass
class Family:
    """What one authorization became: its newest refresh token, and those that were exchanged already."""

    current: str
    used: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)
    revoked: bool = False
    access: set[str] = field(default_factory=set)


class Rotating:
    """`requests` are the forms that came; the other members say how it behaves."""

    def __init__(self, seed: int = 1) -> None:
        self.url, self.secret = "", SECRET
        self.requests: list[dict[str, str]] = []
        self.revocations: list[dict[str, str]] = []
        self.authentications: list[str] = []
        self.families: dict[str, Family] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.lifetime: int | None = 3_600
        self.rotates, self.gives_refresh = True, True
        self.grace_seconds = 0.0
        self.slow_share, self.slow_seconds = 0.0, 0.0
        #: Makes what is answered instead of a token.
        self.instead: Callable[[], web.Response] | None = None
        self.reuses = 0
        self.refuses_all = False
        #: Set, an exchange is done and its answer held back until it is set to None.
        self.held: asyncio.Event | None = None
        self.exchanged, self.reused = asyncio.Event(), asyncio.Event()
        #: Set, an exchange waits for it before it is done, whoever has gone meanwhile.
        self.held_first: asyncio.Event | None = None
        self.arrived = asyncio.Event()
        self._random = random.Random(seed)

    def code(self, challenge: str | None, redirect_uri: str) -> str:
        """What a consent gives."""
        made = f"CANARY-code-{secrets.token_hex(8)}"
        self.codes[made] = {"challenge": challenge or "", "redirect_uri": redirect_uri}
        return made

    def family_of(self, refresh: str) -> Family | None:
        return next((one for one in self.families.values() if refresh == one.current or refresh in one.used), None)

    def accepts(self, access: str) -> bool:
        return any(access in one.access for one in self.families.values() if not one.revoked)

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.requests.append(form)
        if self.instead is not None:
            return self.instead()
        if not self._is_client(request, form):
            return _refused("invalid_client", 401)
        slow = self._random.random() < self.slow_share
        # Half of what is slow has been done before it waits: that is the half that hurts.
        first = slow and self._random.random() < 0.5
        if first:
            await asyncio.sleep(self.slow_seconds)
        self.arrived.set()
        if self.held_first is not None:
            await self.held_first.wait()
        answer = self._granted(form)
        self.exchanged.set()
        if slow and not first:
            await asyncio.sleep(self.slow_seconds)
        if self.held is not None:
            await self.held.wait()
        return answer

    def _is_client(self, request: web.Request, form: dict[str, str]) -> bool:
        header = request.headers.get("Authorization", "")
        if header:
            self.authentications.append("client_secret_basic")
            given = base64.b64decode(header.removeprefix("Basic ")).decode().split(":")
            return [unquote_plus(part) for part in given] == [CLIENT, self.secret]
        self.authentications.append("client_secret_post" if "client_secret" in form else "none")
        return form.get("client_id") == CLIENT and form.get("client_secret", self.secret) == self.secret

    def _granted(self, form: dict[str, str]) -> web.Response:
        kind = form.get("grant_type")
        if kind == "client_credentials":
            return web.json_response(self._tokens(Family(""), refresh=False))
        if kind == "authorization_code":
            return self._coded(form)
        return self._refreshed(form.get("refresh_token", ""))

    def _coded(self, form: dict[str, str]) -> web.Response:
        code = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if code is None or code["redirect_uri"] != form.get("redirect_uri"):
            return _refused("invalid_grant")
        if code["challenge"] and code["challenge"] != challenge:
            return _refused("invalid_grant")
        family = Family("")
        self.families[secrets.token_hex(8)] = family
        return web.json_response(self._tokens(family, refresh=self.gives_refresh))

    def _refreshed(self, refresh: str) -> web.Response:
        family, now = self.family_of(refresh), asyncio.get_running_loop().time()
        if family is None or family.revoked:
            return _refused("invalid_grant")
        if refresh in family.used:
            at, answer = family.used[refresh]
            if now - at < self.grace_seconds:
                return web.json_response(answer)
            self.reuses += 1
            self.reused.set()
            family.revoked = True
            return _refused("invalid_grant")
        answer = self._tokens(family, refresh=self.rotates)
        if self.rotates:
            family.used[refresh] = (now, answer)
        return web.json_response(answer)

    def _tokens(self, family: Family, *, refresh: bool) -> dict[str, Any]:
        access = f"CANARY-access-{secrets.token_hex(8)}"
        family.access.add(access)
        if family not in self.families.values():
            self.families[secrets.token_hex(8)] = family
        answer: dict[str, Any] = {"access_token": access, "token_type": "bearer"}
        if self.lifetime is not None:
            answer["expires_in"] = self.lifetime
        if refresh:
            answer["refresh_token"] = family.current = f"CANARY-refresh-{secrets.token_hex(8)}"
        return answer

    async def resource(self, request: web.Request) -> web.Response:
        """What the tokens are for; who has none is told what they brought."""
        access = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.refuses_all or not self.accepts(access):
            return web.json_response({"message": f"bad token {access}"}, status=401)
        return web.json_response({"id": 1})

    async def revoke(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.revocations.append(form)
        for family in self.families.values():
            if form.get("token") == family.current or form.get("token") in family.access:
                family.revoked = True
        return web.Response(status=200)


def _refused(code: str, status: int = 400) -> web.Response:
    return web.json_response({"error": code, "error_description": f"because of {SECRET}"}, status=status)


@asynccontextmanager
async def rotating(**given: Any) -> AsyncIterator[Rotating]:
    """One that listens on a loopback port."""
    provider = Rotating()
    for name, value in given.items():
        setattr(provider, name, value)
    app = web.Application()
    app.router.add_post("/token", provider.token)
    app.router.add_post("/revoke", provider.revoke)
    app.router.add_get("/repos/ada/engine", provider.resource)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield provider
    finally:
        for held in (provider.held, provider.held_first):
            if held is not None:
                held.set()
        await runner.cleanup()
