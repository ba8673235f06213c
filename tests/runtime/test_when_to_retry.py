"""Whether a refused execution may be sent again, and when: the same on both surfaces, from causes that are real."""

from __future__ import annotations

from typing import Any

import pytest

from graph.relay import to_global_id
from tests.runtime.platform import Platform
from tests.runtime.upstreams import Answering, after, connected, execute, json, method, upstream
from tests.world import World

pytestmark = pytest.mark.runtime
_MUTATION = """mutation ($input: ExecuteIntegrationMethodInput!) { executeIntegrationMethod(input: $input) {
  errors { code ... on ProblemError { canRetry retryAfterMs } } } }"""
_WRITE: dict[str, Any] = {"request": {"method": "POST", "path": "/w"}, "idempotency": "none"}
_LIMITED: dict[str, Any] = {"rateLimits": {"requestsPerMinute": 1, "burstLimit": 1}}


@pytest.mark.parametrize(
    ("answer", "changes", "before", "code", "can_retry", "milliseconds"),
    [
        (json({}, 500), {}, 0, "integration_error", True, None),
        (json({}, 500), _WRITE, 0, "integration_error", False, None),
        (json({}, 422), {}, 0, "integration_error", False, None),
        (json({}, 401), {}, 0, "integration_auth_failed", False, None),
        (json({}, 429, Retry_After="7"), {}, 0, "integration_rate_limit_exceeded", True, 7_000),
        (json({}), _LIMITED, 1, "integration_rate_limit_exceeded", True, 60_000),
        (after(1, json({})), {"timeoutMs": 50}, 0, "integration_timeout", True, None),
        (after(1, json({})), _WRITE | {"timeoutMs": 50}, 0, "integration_timeout", False, None),
        (json({}, 500), {}, 5, "circuit_open", True, 30_000),
    ],
)
async def test_when_to_retry(
    world: World, answer: Answering, changes: Any, before: int, code: str, can_retry: bool, milliseconds: int | None
) -> None:
    platform = Platform(world)
    async with upstream() as far:
        far.answer(answer)
        # One for each surface: what the first call does to a limit or a circuit is not for the second.
        seen = []
        for ask in (_by_rest, _by_graphql):
            one = await connected(platform, far.base, method(**changes), name=ask.__name__)
            for _ in range(before):
                await platform.ask("POST", execute(one), {})
            seen.append(await ask(world, platform, one))
    for found, may, wait in seen:
        assert (found, may) == (code, can_retry)
        # Times of a circuit vary by a tenth, and a second may go by.
        assert wait is None if milliseconds is None else 0.85 * milliseconds <= wait <= 1.15 * milliseconds


async def _by_rest(_: World, platform: Platform, one: str) -> tuple[str, bool, Any]:
    error = (await platform.ask("POST", execute(one), {})).json()["error"]
    return error["kind"], error["canRetry"], error.get("retryAfterMs")


async def _by_graphql(world: World, _: Platform, one: str) -> tuple[str, bool, Any]:
    asked = {"id": to_global_id("IntegrationInstance", one.rpartition("/")[2]), "method": "call"}
    answer = (await world.graphql(_MUTATION, world.token("admin"), input=asked)).json()
    [problem] = answer["data"]["executeIntegrationMethod"]["errors"]
    return problem["code"], problem["canRetry"], problem["retryAfterMs"]
