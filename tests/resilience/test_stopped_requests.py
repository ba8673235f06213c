"""A request that takes longer than a server that stops may wait is told so, in the form of its surface."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.world import World

pytestmark = pytest.mark.resilience


async def _cut_off(world: World, path: str, *, begun: bool = False) -> list[Any]:
    """What was sent by a request that waits for ever, until it is cancelled as uvicorn does."""
    sent: list[Any] = []
    waiting = asyncio.Event()

    async def send(message: Any) -> None:
        sent.append(message)

    async def dispatch(_: Any, __: Any, send: Any) -> None:
        if begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        waiting.set()
        await asyncio.Event().wait()

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "client": None}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(world.app, "_dispatch", dispatch)
        request = asyncio.create_task(world.app(scope, None, send))
        await waiting.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
    return sent


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/integrations/v1/people", "service_unavailable"),
        ("/integrations/v2/people", "service_unavailable"),
        ("/api/v1/integrations/definitions", "SERVICE_UNAVAILABLE"),
        ("/graphql", "SERVICE_UNAVAILABLE"),
    ],
)
async def test_it_is_told_in_the_form_of_its_surface(path: str, code: str, world: World) -> None:
    start, body = await _cut_off(world, path)
    assert start["status"] == 503
    assert dict(start["headers"])[b"retry-after"] == b"5"
    told = json.loads(body["body"])
    assert f'"{code}"' in json.dumps(told)
    assert "may have been changed" in json.dumps(told)


async def test_what_was_begun_is_only_broken_off(world: World) -> None:
    """A second head would be read as the rest of the first answer."""
    assert [message["type"] for message in await _cut_off(world, "/graphql", begun=True)] == ["http.response.start"]
