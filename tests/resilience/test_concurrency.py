"""Many at once: a cold key is looked up once, of two rotations one wins, and nothing is lost between."""

import asyncio

import pytest

from app.database import Statement
from app.errors import InvalidTransition
from models.installations import Credential
from services.chain.verifying import verify_chain
from services.credentials import revoke_credential, rotate_credential
from services.installations import InstallationChange, disable_installation, enable_installation, update_installation
from tests.runtime.surface import Surface
from tests.world import World

pytestmark = pytest.mark.resilience
_COUNT = Statement("SELECT count(*) AS count FROM usage_count WHERE tenant = {tenant} AND count = {count}")


async def test_a_cold_key_is_looked_up_once(v1: Surface, world: World) -> None:
    """50 requests at once with a key that nobody has seen: one look-up, 50 answers."""
    key = await world.ready_key()
    with world.runtime.database.count_statements() as log:
        answers = await asyncio.gather(*(v1.get("/people", key) for _ in range(50)))
    assert {a.status_code for a in answers} == {200}
    assert len([text for text in log.texts if "FROM credential" in text]) == 1
    assert len([text for text in log.texts if "FROM origin" in text]) == 1
    await world.runtime.usage.flush()
    assert (await world.runtime.database.fetch(_COUNT, tenant=world.tenant, count=50))[0]["count"] == 1


async def test_a_client_that_leaves_takes_nobody_with_it(v1: Surface, world: World) -> None:
    """The one who asked first goes away in mid-look-up; the others are answered."""
    key = await world.ready_key()
    tasks = [asyncio.create_task(v1.get("/people", key)) for _ in range(10)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [a.status_code for a in answers[1:]] == [200] * 9  # type: ignore[union-attr]
    await v1.ok("/people", key)


@pytest.mark.parametrize("number", [2, 8])
async def test_of_concurrent_rotations_one_wins(number: int, v1: Surface, world: World) -> None:
    """One successor is made; the losers are told, and leave no key behind."""
    issued = await world.key((await world.installation())["id"])
    results = await asyncio.gather(
        *(rotate_credential(world.context(), issued.credential["id"]) for _ in range(number)), return_exceptions=True
    )
    won = [result for result in results if not isinstance(result, BaseException)]
    assert len(won) == 1
    assert {type(result) for result in results if isinstance(result, BaseException)} == {InvalidTransition}
    rows = await Credential.of(world.tenant).select(Credential.id, Credential.replaced_by)
    assert len(rows) == 2
    assert [row["replaced_by"] for row in rows if row["replaced_by"]] == [won[0].credential["id"]]
    await v1.ok("/people", won[0].secret)
    await v1.ok("/people", issued.secret)


async def test_rotation_against_revocation(v1: Surface, world: World) -> None:
    """Whichever comes first, the old key is revoked in the end or the rotation is told that it was."""
    issued = await world.key((await world.installation())["id"])
    rotated, revoked = await asyncio.gather(
        rotate_credential(world.context(), issued.credential["id"]),
        revoke_credential(world.context(), issued.credential["id"]),
        return_exceptions=True,
    )
    assert not isinstance(revoked, BaseException)
    await v1.refused(403, "inactive_installation_credential", "/people", issued.secret)
    if isinstance(rotated, BaseException):
        assert isinstance(rotated, InvalidTransition)
    else:
        await v1.ok("/people", rotated.secret)


async def test_changes_under_load(v1: Surface, world: World) -> None:
    """While an installation is disabled and enabled again, each request sees the one state or the other."""
    installation = await world.installation(rate_limit_per_minute=100_000, rate_limit_burst=100_000)
    key = str((await world.key(installation["id"])).secret)
    done = asyncio.Event()
    seen: set[tuple[int, str | None]] = set()

    async def ask() -> None:
        while not done.is_set():
            answer = await v1.get("/people", key)
            seen.add((answer.status_code, answer.json().get("code")))
            # Without a socket nothing else gives way to the writer.
            await asyncio.sleep(0.001)

    asking = [asyncio.create_task(ask()) for _ in range(4)]
    try:
        for _ in range(5):
            await disable_installation(world.context(), installation["id"])
            await enable_installation(world.context(), installation["id"])
            await update_installation(world.context(), installation["id"], InstallationChange(description="changed"))
    finally:
        done.set()
        await asyncio.gather(*asking)
    assert seen <= {(200, None), (403, "inactive_installation")}
    await v1.ok("/people", key)


async def test_the_chain_of_concurrent_writers(world: World) -> None:
    """40 writers and three sealers at once: every event is in the chain once, without a gap."""
    installation = await world.installation()
    await asyncio.gather(
        *(world.key(installation["id"]) for _ in range(40)), *(world.runtime.sealer.seal_all() for _ in range(3))
    )
    await world.runtime.sealer.seal_all()
    report = await verify_chain(world.runtime.database, world.runtime.audit_key, world.tenant, [])
    assert report.faults == []
    assert report.events >= 41
