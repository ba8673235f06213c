"""Eight workers on PostgreSQL, a provider that rotates and revokes what is used twice, and no connection lost.

A quarter of its answers are slow; workers are killed in the middle of a refresh.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
import pytest_asyncio

from models.integrations import IntegrationToken
from models.piccolo_app import TABLES
from services.integrations.instances.binding import destinations_of_row
from services.integrations.instances.registry import NewInstance, create_integration_instance
from services.integrations.instances.rows import find_instance
from services.integrations.oauth2.answers import Granted
from services.integrations.oauth2.connecting import connected, write_instance
from services.integrations.oauth2.tokens import replace_token
from tests.databases import fresh_url
from tests.graphql.domain.test_integrations import definition_of
from tests.oauth2.connecting import token_of
from tests.oauth2.rotating import CLIENT, SECRET, Family, Rotating, rotating
from tests.oauth2.workers import Worker
from tests.world import World, running

pytestmark = [pytest.mark.postgres, pytest.mark.resilience]
WORKERS, CONNECTIONS, ROUNDS = 8, 10, 10


class Simulation(NamedTuple):
    """A tenant on a database of its own, its connections, and what is to be known to make a worker."""

    world: World
    instances: list[str]
    home: Path
    url: str

    async def worker(self) -> Worker:
        return await Worker(self.home, self.url, self.world.tenant).ready()

    async def expire(self, *instances: str, **values: Any) -> None:
        """End the tokens; what else is given is written too."""
        now = self.world.context().now
        ended = {"obtained_at": now - 3_600_000, "expires_at": now - 1, "refresh_at": now - 1}
        where = IntegrationToken.instance.is_in([UUID(one) for one in instances or self.instances])
        await IntegrationToken.of(self.world.tenant).update(ended | values).where(where)

    async def statuses(self) -> set[str]:
        rows = [await find_instance(self.world.tenant, UUID(one)) for one in self.instances]
        return {row["status"] for row in rows}


async def _connected(world: World, provider: Rotating, number: int) -> str:
    """An instance with a token of a family of its own, as an authorization leaves it."""
    config = {"authorizationUrl": f"{provider.url}/authorize", "tokenUrl": f"{provider.url}/token"}
    definition = await definition_of(world, name=f"Forge {number}", authType="oauth2", oauth2Config=config)
    secrets = {"clientId": CLIENT, "clientSecret": SECRET}
    given = NewInstance(definition=definition, name=f"F{number}", config={"organization": "a"}, credentials=secrets)
    row = await create_integration_instance(world.context(), given)
    tokens = provider._tokens(Family(""), refresh=True)
    granted, context = Granted(tokens["access_token"], tokens["refresh_token"], 3_600_000, None), world.context()

    async def connect(before: dict[str, Any]) -> dict[str, Any]:
        await replace_token(context, row["id"], granted, context.now, await destinations_of_row(context, before))
        return await connected(context, before)

    return str((await write_instance(context, row["id"], connect))["id"])


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[Rotating]:
    async with rotating(slow_share=0.25, slow_seconds=0.2) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def simulation(provider: Rotating, tmp_path: Path) -> AsyncIterator[Simulation]:
    with fresh_url("postgres", tmp_path) as url:
        async with running(url, tmp_path, egress_allow=["127.0.0.0/8"]) as (app, client):
            world = await World(app, client).open()
            instances = [await _connected(world, provider, number) for number in range(CONNECTIONS)]
            yield Simulation(world, instances, tmp_path, url)


async def test_no_connection_is_lost(simulation: Simulation, provider: Rotating) -> None:
    """100 expiries, each met by eight processes at once with three calls each: 100 refreshes, and every call served."""
    workers = await asyncio.gather(*(simulation.worker() for _ in range(WORKERS)))
    try:
        for _ in range(ROUNDS):
            await simulation.expire()
            answers = await asyncio.gather(*(worker.ask(simulation.instances) for worker in workers))
            tokens = {token for answer in answers for token in answer}
            assert all(provider.accepts(token) for token in tokens), tokens
            assert len(tokens) == CONNECTIONS
    finally:
        for worker in workers:
            worker.kill()
    assert provider.reuses == 0 and len(provider.requests) == CONNECTIONS * ROUNDS
    assert await simulation.statuses() == {"CONNECTED"}
    assert not any(family.revoked for family in provider.families.values())


async def _before_it_asks(provider: Rotating, worker: Worker, instance: str) -> None:
    """It holds the lease, and nothing was sent."""
    await worker.hold("ask_token", instance)
    worker.kill()


async def _before_the_exchange(provider: Rotating, worker: Worker, instance: str) -> None:
    """It waits, and the provider does what it was asked although nobody is there any more."""
    provider.held_first, provider.arrived, provider.exchanged = asyncio.Event(), asyncio.Event(), asyncio.Event()
    worker.send([instance])
    await provider.arrived.wait()
    worker.kill()
    provider.held_first.set()
    provider.held_first = None
    await provider.exchanged.wait()


async def _before_the_answer(provider: Rotating, worker: Worker, instance: str) -> None:
    """The provider has exchanged the token, and the answer is on its way."""
    provider.held, provider.exchanged = asyncio.Event(), asyncio.Event()
    worker.send([instance])
    await provider.exchanged.wait()
    worker.kill()
    provider.held.set()
    provider.held = None


async def _before_it_is_stored(provider: Rotating, worker: Worker, instance: str) -> None:
    """The answer is there, and is not written yet."""
    await worker.hold("store_refreshed", instance)
    worker.kill()


KILLS = [_before_it_asks, _before_the_exchange, _before_the_answer, _before_it_is_stored]


async def _killed_in_turn(simulation: Simulation, provider: Rotating, kills: list[Any]) -> None:
    """100 expiries; in each round one of eight is killed in the middle of a refresh, and another takes its place."""
    workers = await asyncio.gather(*(simulation.worker() for _ in range(WORKERS)))
    try:
        for number in range(ROUNDS):
            instance = simulation.instances[number % CONNECTIONS]
            await simulation.expire()
            await kills[number % len(kills)](provider, workers[0], instance)
            coming = asyncio.ensure_future(simulation.worker())
            asked = [asyncio.ensure_future(worker.ask(simulation.instances)) for worker in workers[1:]]
            await asyncio.sleep(0.1)
            assert not any(one.done() for one in asked), "the lease of the dead holds"
            # As if its time had passed.
            where = IntegrationToken.instance == UUID(instance)
            await IntegrationToken.of(simulation.world.tenant).update({"lease_until": 1}).where(where)
            tokens = {token for answer in await asyncio.gather(*asked) for token in answer}
            assert len(tokens) == CONNECTIONS and all(provider.accepts(token) for token in tokens), tokens
            workers = [*workers[1:], await coming]
    finally:
        for worker in workers:
            worker.kill()
    assert await simulation.statuses() == {"CONNECTED"} and provider.reuses == 0
    assert not any(family.revoked for family in provider.families.values())


async def test_workers_are_killed_at_every_step(simulation: Simulation, provider: Rotating) -> None:
    """A provider that answers once more for a while: no connection is lost, wherever the refresh was."""
    provider.grace_seconds = 60
    await _killed_in_turn(simulation, provider, KILLS)


async def test_workers_are_killed_before_they_ask(simulation: Simulation, provider: Rotating) -> None:
    """A provider that revokes at once: nothing was used up, so nothing is lost."""
    await _killed_in_turn(simulation, provider, [_before_it_asks])


@pytest.mark.parametrize("kill", KILLS[1:], ids=lambda kill: kill.__name__.removeprefix("_"))
async def test_without_a_grace_period_it_is_told(simulation: Simulation, provider: Rotating, kill: Any) -> None:
    """The answer that was lost had the only token that works: AUTH_ERROR says so, and the others are as they were."""
    provider.slow_share, lost = 0.0, simulation.instances[0]
    await simulation.expire(lost)
    await kill(provider, await simulation.worker(), lost)
    await simulation.expire(lost, lease_until=1)
    for table in TABLES:
        table._meta.db = simulation.world.runtime.database.engine
    context, row = simulation.world.context(), await find_instance(simulation.world.tenant, UUID(lost))
    with pytest.raises(Exception, match="cut off before its answer was stored"):
        await token_of(simulation.world.runtime.refreshes, context, row)
    assert provider.reuses == 1
    assert (await find_instance(simulation.world.tenant, UUID(lost)))["status"] == "AUTH_ERROR"
    other = await find_instance(simulation.world.tenant, UUID(simulation.instances[1]))
    assert provider.accepts(await token_of(simulation.world.runtime.refreshes, context, other))
