"""A vault as HashiCorp's is, an upstream, and instances whose credentials lie in the vault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web

from services.integrations.connectors.files import built_in_definitions
from tests.egress.servers import serving
from tests.runtime.platform import DEFINITIONS, INSTANCES, Platform
from tests.runtime.upstreams import Upstream, execute, json, method, upstream
from tests.world import World

INTEGRATIONS = "/integrations"
TOKEN = "vault-root-token-0123456789"


class KvVault:
    """HashiCorp Vault's KV engine, version 2, at `secret/`, as far as it is read."""

    def __init__(self) -> None:
        self.base = ""
        self.secrets: dict[str, dict[str, Any] | None] = {}
        self.seen: list[str] = []
        self.pause = 0.0
        #: Set once it is asked; where it is `held` it answers when that is set.
        self.asked = asyncio.Event()
        self.held: asyncio.Event | None = None
        self.token = TOKEN

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.set()
        if self.held is not None:
            await self.held.wait()
        await asyncio.sleep(self.pause)
        if request.headers.get("X-Vault-Token") != self.token:
            return web.json_response({"errors": ["permission denied"]}, status=403)
        path = request.path.removeprefix("/v1/secret/data/")
        self.seen.append(path)
        if path not in self.secrets:
            return web.json_response({"errors": []}, status=404)
        return web.json_response({"data": {"data": self.secrets[path], "metadata": {"version": 1}}})


@asynccontextmanager
async def kv_vault() -> AsyncIterator[KvVault]:
    made = KvVault()
    async with serving({"/v1/{path:.*}": made.handle}) as base:
        made.base = base
        yield made


async def connected_vault(
    platform: Platform, vault: KvVault, name: str = "Our vault", **changes: Any
) -> dict[str, Any]:
    """An instance of the built-in definition, which this tenant has as one of its own."""
    [found] = [each for each in built_in_definitions() if each.name == "vault.hashicorp"]
    body = msgspec.to_builtins(found) | {"name": f"vault {name}"}
    made = await platform.ok("POST", DEFINITIONS, body, 201)
    await platform.ok("POST", f"{DEFINITIONS}/{made['id']}/publish")
    given = {"integrationTypeId": made["id"], "name": name, "config": {"baseUrl": vault.base},
             "credentials": {"apiKey": TOKEN}}  # fmt: skip
    instance: dict[str, Any] = (await platform.ok("POST", INTEGRATIONS, given, 201))["data"]
    return instance


async def type_of(platform: Platform, base: str, auth: str = "bearer", **changes: Any) -> str:
    body = {"name": f"Far {auth}", "description": "", "version": "1.0.0", "type": "http", "authType": auth,
            "baseUrl": base, "methods": [method()]} | changes  # fmt: skip
    made = await platform.ok("POST", DEFINITIONS, body, 201)
    await platform.ok("POST", f"{DEFINITIONS}/{made['id']}/publish")
    return str(made["id"])


async def referring(platform: Platform, kind: str, reference: str, name: str = "Far") -> dict[str, Any]:
    body = {"integrationTypeId": kind, "name": name, "config": {}, "credentialRef": reference}
    made: dict[str, Any] = (await platform.ok("POST", INTEGRATIONS, body, 201))["data"]
    return made


class Both:
    """A vault, an upstream, and the caller."""

    def __init__(self, platform: Platform, vault: KvVault, far: Upstream, instance: dict[str, Any]) -> None:
        self.platform, self.vault, self.far, self.instance = platform, vault, far, instance

    async def executed(self, one: dict[str, Any], status: int = 200) -> Any:
        return await self.platform.ok("POST", execute(f"{INSTANCES}/{one['id']}"), {}, status)

    @property
    def sent(self) -> list[str | None]:
        return [request.headers.get("Authorization") for request in self.far.seen]


@asynccontextmanager
async def both(world: World) -> AsyncIterator[Both]:
    platform = Platform(world)
    async with kv_vault() as vault, upstream() as far:
        far.answer(json({"ok": True}))
        yield Both(platform, vault, far, await connected_vault(platform, vault))
