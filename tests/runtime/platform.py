"""The platform's API as a test asks it, with a token."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx

from app.ids import new_id
from tests.services.integrations.samples import forge
from tests.world import World

PREFIX = "/api/v1"
DEFINITIONS = "/integrations/definitions"
INSTANCES = "/integrations/instances"
SECRETS = {"token": "s3cret-of-the-forge"}


class Platform:
    """Requests below `/api/v1` as one user of a tenant, who has a rate limit of their own."""

    def __init__(self, world: World, *roles: str, **token: Any) -> None:
        self.world, self.user = world, token.pop("user_id", f"user-{new_id()}")
        self._token = world.token(*(roles or ("admin",)), user_id=self.user, **token)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"Authorization": f"Bearer {self._token}"} | given
        raw = isinstance(body, bytes) or hasattr(body, "__aiter__")
        content: dict[str, Any] = {"content": body} if raw else {"json": body}
        if isinstance(body, bytes):
            given.setdefault("Content-Type", "application/json")
        return await self.world.client.request(
            method, PREFIX + path, headers=given, **(content if body is not None else {})
        )

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.ask("GET", path, **headers)

    async def ok(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        """The body of an answer that must have this status."""
        answer = await self.ask(method, path, body, **headers)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def refused(
        self, status: int, code: str, method: str, path: str, body: Any = None, **headers: str
    ) -> dict[str, Any]:
        """The error of a refusal that must be this one."""
        answer = await self.ask(method, path, body, **headers)
        error: dict[str, Any] = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (status, code), answer.text
        return error

    async def definition(self, *, publish: bool = True, **changes: Any) -> dict[str, Any]:
        """A definition of the tenant; published unless told otherwise."""
        made: dict[str, Any] = await self.ok("POST", DEFINITIONS, forge(**changes), 201)
        if publish:
            made = await self.ok("POST", f"{DEFINITIONS}/{made['id']}/publish")
        return made

    async def instance(self, definition: str | None = None, **given: Any) -> dict[str, Any]:
        """An instance of a definition, with a configuration that fits."""
        named = definition or (await self.definition())["id"]
        body = {"integrationDefinitionId": named, "name": "The forge", "config": {"organization": "ada"}} | given
        made: dict[str, Any] = await self.ok("POST", INSTANCES, body, 201)
        return made

    @property
    def tenant(self) -> UUID:
        return self.world.tenant
