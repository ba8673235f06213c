"""Anchors reach their file, and the webhook that the settings name."""

import asyncio
import fcntl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from app.endings import ended
from services.chain import anchors
from services.chain.anchors import _append
from services.duties import duties
from tests.databases import fresh_url
from tests.egress.servers import serving
from tests.world import World, running


async def test_an_anchor_is_posted_and_a_webhook_that_is_down_does_no_harm(tmp_path: Path) -> None:
    """The webhook gets the anchor that the file has; when it refuses, the file still has it and nothing breaks."""
    got: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        got.append(await request.json())
        return web.Response(status=200 if len(got) == 1 else 500)

    async with serving({"/anchors": take}) as base:
        with fresh_url("sqlite", tmp_path) as url:
            settings = {"egress_allow": ["127.0.0.0/8"], "anchor_url": f"{base}/anchors"}
            async with running(url, tmp_path / "home", **settings) as (served, client):
                world = await World(served, client).open()
                take_anchors = next(duty for duty in duties(served.runtime) if duty.name == "anchors")
                await served.runtime.sealer.seal_all()
                await take_anchors.run()
                await world.installation(verified=False)
                await served.runtime.sealer.seal_all()
                await take_anchors.run()
    ours = [anchor for anchor in got if anchor["tenant"] == str(world.tenant)]
    assert [anchor["seq"] for anchor in ours] == [1, 2]
    lines = (tmp_path / "home" / "anchors.ndjson").read_text().splitlines()
    assert len(lines) == len(got)


def test_several_who_append_lose_nothing(tmp_path: Path) -> None:
    """Workers take anchors at the same time: none takes another's line for one that was left unfinished."""
    path = tmp_path / "anchors.ndjson"

    async def append(name: int) -> None:
        for number in range(200):
            await _append(path, f"{name} {number} {'x' * 150}\n".encode())

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda name: asyncio.run(append(name)), range(4)))
    assert len(path.read_bytes().splitlines()) == 800


async def test_who_stands_still_with_the_file_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others of this process go on meanwhile; the round ends with what is wrong, and the next one is as good."""
    monkeypatch.setattr(anchors, "_LOCK_SECONDS", 0.3)
    path, turns = tmp_path / "anchors.ndjson", 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    with path.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        beside = asyncio.ensure_future(others())
        with pytest.raises(OSError, match="too long"):
            await _append(path, b"late\n")
        await ended(beside)
    assert turns > 3
    await _append(path, b"now\n")
    assert path.read_bytes() == b"now\n"
