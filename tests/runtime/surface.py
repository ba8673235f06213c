"""The consumer surface as a test asks it: every answer is held against the snapshot on its way."""

from __future__ import annotations

from typing import Any

import httpx

from tests.contract.answers import CONTRACT
from tests.world import V1, World


class Surface:
    """GETs below `/integrations/v1` in a world; each answer is validated before the test sees it."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def get(self, path: str, key: str | None = None, **headers: str) -> httpx.Response:
        answer = await self.world.get(path, key, **headers)
        CONTRACT.check(answer)
        return answer

    async def ok(self, path: str, key: str | None = None, **headers: str) -> Any:
        """The body of an answer that must be 200."""
        answer = await self.get(path, key, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, status: int, code: str, path: str, key: str | None = None, **headers: str) -> Any:
        """The details of a refusal that must be this one."""
        answer = await self.get(path, key, **headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        return answer.json()["details"]

    async def send(self, method: str, path: str, key: str | None = None, **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given |= {"X-API-Key": key} if key is not None else {}
        return await self.world.client.request(method, V1 + path, headers=given)
