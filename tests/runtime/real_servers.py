"""Servers of other programs, started for a test, and built-in definitions connected to them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from app.ids import new_id
from services.integrations.connectors.loading import load_built_ins
from tests.databases import missing
from tests.endings import SECONDS
from tests.runtime.platform import INSTANCES, Platform
from tests.world import World, running

TYPES = "/integrations"


@pytest.fixture(scope="module")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """An application of the module's own, with the built-in definitions."""
    home = tmp_path_factory.mktemp("own")
    async with running(f"sqlite:///{home / 'own.sqlite'}", home, egress_allow=("127.0.0.1",)) as (app, client):
        world = await World(app, client).open()
        await load_built_ins(world.runtime.database)
        yield Platform(world)


@asynccontextmanager
async def served(program: str, ready: str, port: int, *arguments: str, status: int = 200) -> AsyncIterator[str]:
    """The program, once its address answers with the status; killed at the end."""
    found = shutil.which(program)
    if found is None:
        missing(program)
    assert found is not None
    null = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(found, *arguments, stdout=null, stderr=null)
    base = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(timeout=20) as client:
            async with asyncio.timeout(60):
                while not await _answers(client, base + ready, status):
                    assert process.returncode is None, f"{program} ended"
                    await asyncio.sleep(0.05)
        yield base
    finally:
        process.kill()
        async with asyncio.timeout(SECONDS):
            await process.wait()


async def _answers(client: httpx.AsyncClient, url: str, status: int) -> bool:
    try:
        return (await client.get(url)).status_code == status
    except httpx.TransportError:
        return False


async def connected(platform: Platform, kind: str, base: str, **given: Any) -> str:
    """The id of a new instance; `config` beside the base URL and `credentials` may be given."""
    config = {"baseUrl": base} | given.pop("config", {})
    made = await platform.ok("POST", TYPES, {"type": kind, "name": f"{kind} {new_id()}", "config": config} | given, 201)
    assert made["data"]["status"] == "CONNECTED"
    return str(made["data"]["id"])


def execution(one: str, name: str) -> str:
    return f"{INSTANCES}/{one}/methods/{name}/execute"


async def call(platform: Platform, one: str, name: str, **parameters: Any) -> Any:
    """What the method gives, where it goes well."""
    return (await platform.ok("POST", execution(one, name), {"parameters": parameters}))["data"]


async def refused(platform: Platform, one: str, name: str, status: int, code: str, **parameters: Any) -> dict[str, Any]:
    return await platform.refused(status, code, "POST", execution(one, name), {"parameters": parameters})


async def discovered(platform: Platform, one: str, kind: str, **asked: Any) -> list[str]:
    """The ids of all resources, by as many pages as it takes."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        body = {"resourceType": kind, "cursor": cursor} | asked
        page = (await platform.ok("POST", f"{TYPES}/{one}/discover", body))["data"]
        found += [each["id"] for each in page["resources"]]
        cursor = page["nextCursor"]
        if cursor is None:
            return found
