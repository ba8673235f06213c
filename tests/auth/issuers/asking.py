"""Asking /graphql with a foreign token: who it lets in, and how it is refused."""

from typing import Any

from tests.world import World

VIEWER = "{ viewer { subject tenantId roles scopes tier kind name authn } }"


async def ask(world: World, token: str) -> tuple[int, Any]:
    answer = await world.graphql(VIEWER, token)
    return answer.status_code, answer.json()


async def viewer(world: World, token: str) -> dict[str, Any]:
    """Who the token lets in."""
    status, body = await ask(world, token)
    assert status == 200, body
    assert "errors" not in body
    return dict(body["data"]["viewer"])


async def refusal(world: World, token: str, code: str = "INVALID_TOKEN", status: int = 401) -> str:
    """What a token that must not let in is answered."""
    seen, body = await ask(world, token)
    assert (seen, body["errors"][0]["extensions"]["code"]) == (status, code)
    assert body.get("data") is None
    return str(body["errors"][0]["message"])


async def unavailable(world: World, token: str) -> str:
    return await refusal(world, token, "SERVICE_UNAVAILABLE", 503)
