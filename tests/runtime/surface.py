"""The consumer surface as a test asks it: every answer is held against the snapshot on its way."""

from __future__ import annotations

from typing import Any

import httpx

from tests.contract.answers import CONTRACTS
from tests.world import World


class Surface:
    """GETs below `/integrations/v1`, or another version; each answer is validated before the test sees it."""

    def __init__(self, world: World, version: str = "v1") -> None:
        self.world, self.version = world, version

    async def get(self, path: str, key: str | None = None, **headers: str) -> httpx.Response:
        answer = await self.send("GET", path, key, **headers)
        CONTRACTS[self.version].check(answer)
        return answer

    async def ok(self, path: str, key: str | None = None, **headers: str) -> Any:
        """The body of an answer that must be 200."""
        answer = await self.get(path, key, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, status: int, code: str, path: str, key: str | None = None, **headers: str) -> Any:
        """The details of a refusal that must be this one; of v2 the whole problem."""
        answer = await self.get(path, key, **headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        return answer.json()["details"] if self.version == "v1" else answer.json()

    async def send(self, method: str, path: str, key: str | None = None, **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given |= {"X-API-Key": key} if key is not None else {}
        return await self.world.client.request(method, f"/integrations/{self.version}{path}", headers=given)
