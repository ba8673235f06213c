"""The clock jumps, and time passes: keys expire by it, the chain and the limits do not break by it."""

import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from joserfc.jwk import OKPKey

from app import ids
from app.auth.tokens import JwksKeys
from app.clock import DAY, HOUR, MINUTE, SECOND, SettableClock
from app.errors import IdempotencyInProgress
from app.ids import new_id
from app.settings import OidcIssuer
from models.installations import Credential
from services.chain.verifying import verify_chain
from services.credentials import revoke_credential, rotate_credential
from services.duties import expire
from services.idempotency import Answer, Asked, begin, finish
from services.origins.upkeep import due_origins
from tests.resilience.serving import timed
from tests.runtime.records import person
from tests.runtime.surface import Surface
from tests.world import World

pytestmark = pytest.mark.resilience


async def test_a_rotated_key_ends_with_its_grace(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the millisecond: the old key works until the instant that `Sunset` names, and not at it."""
    async with timed(engine, tmp_path, monkeypatch) as (world, clock):
        v1, issued = Surface(world), await world.key((await world.installation())["id"])
        await v1.ok("/people", issued.secret)
        new = await rotate_credential(world.context(), issued.credential["id"], 3_600)
        clock.advance(HOUR - 1)
        await v1.ok("/people", issued.secret)
        clock.advance(1)
        await v1.refused(403, "inactive_installation_credential", "/people", issued.secret)
        await v1.ok("/people", new.secret)
        await expire(world.runtime)  # the duty may have been quicker
        await v1.refused(403, "inactive_installation_credential", "/people", issued.secret)
        row = await Credential.of(world.tenant).one(Credential.status, where=Credential.id == issued.credential["id"])
        assert row == {"status": "expired"}


async def test_an_expired_key_stays_expired(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it was marked, a clock that is set back does not open it again; a revoked key never cares for the clock."""
    async with timed(engine, tmp_path, monkeypatch) as (world, clock):
        v1, installation = Surface(world), await world.installation()
        short = await world.key(installation["id"], expires_at=clock.now_ms() + MINUTE)
        revoked = await world.key(installation["id"])
        await revoke_credential(world.context(), revoked.credential["id"])
        await v1.ok("/people", short.secret)
        clock.advance(MINUTE)
        await v1.refused(403, "inactive_installation_credential", "/people", short.secret)
        await expire(world.runtime)  # the duty may have been quicker
        clock.jump(-DAY)
        clock.advance(2 * SECOND)
        for key in (short.secret, revoked.secret):
            await v1.refused(403, "inactive_installation_credential", "/people", key)


async def test_a_warm_key_knows_its_end(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is kept in memory is judged by the clock at each request, not by when it was looked up."""
    async with timed(engine, tmp_path, monkeypatch) as (world, clock):
        v1 = Surface(world)
        issued = await world.key((await world.installation())["id"], expires_at=clock.now_ms() + 500)
        await v1.ok("/people", issued.secret)
        clock.jump(600)
        await v1.refused(403, "inactive_installation_credential", "/people", issued.secret)


async def test_the_chain_across_jumps(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events keep the order in which they were sealed, whatever the wall clock says; the chain verifies."""
    async with timed(engine, tmp_path, monkeypatch) as (world, clock):
        for jump in (0, -DAY, 10 * DAY, -30 * DAY, 1):
            clock.jump(jump)
            await world.installation()
            await world.runtime.sealer.seal_all()
        report = await verify_chain(world.runtime.database, world.runtime.audit_key, world.tenant, [])
        assert report.faults == [] and report.events >= 10


async def test_walks_and_denials_ignore_the_wall_clock(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A jump neither ends a walk nor folds or splits repeats; waiting does."""
    async with timed(engine, tmp_path, monkeypatch, walk_seconds=60) as (world, clock):
        v1 = Surface(world)
        await world.people(*(person(n) for n in range(1, 13)))
        installation = await world.installation(rate_limit_per_minute=1, rate_limit_burst=1)
        issued = await world.key(installation["id"], ["people.read"])
        await v1.ok("/people?per_page=3", issued.secret)
        clock.jump(-DAY)
        await v1.ok("/people?per_page=3&page=2", issued.secret)
        clock.jump(5 * DAY)
        await v1.ok("/people?per_page=3&page=3", issued.secret)
        clock.advance(61 * SECOND)
        await v1.refused(429, "installation_rate_limit_exceeded", "/people?per_page=3&page=4", issued.secret)


async def test_uses_of_two_days(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A use counts for the UTC day on which it was; `last_used_at` does not go back with the clock."""
    async with timed(engine, tmp_path, monkeypatch) as (world, clock):
        from models.operations import UsageCount

        v1, issued = Surface(world), await world.key((await world.installation())["id"])
        first = clock.now_ms()
        await v1.ok("/people", issued.secret)
        clock.advance(DAY)
        await v1.ok("/people", issued.secret)
        await world.runtime.usage.flush()
        clock.jump(-3 * DAY)
        await v1.ok("/people", issued.secret)
        await world.runtime.usage.flush()
        days = await UsageCount.of(world.tenant).select(UsageCount.day, UsageCount.count).order_by(UsageCount.day)
        assert [row["count"] for row in days] == [1, 1, 1]
        assert len({row["day"] for row in days}) == 3
        row = await Credential.of(world.tenant).one(
            Credential.last_used_at, where=Credential.id == issued.credential["id"]
        )
        assert row == {"last_used_at": first + DAY}


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_a_spent_budget_stays_spent(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, jump: int
) -> None:
    """An hour back or forth neither fills a bucket nor makes anybody wait longer."""
    async with timed(engine, tmp_path, monkeypatch) as (world, clock):
        surface, key = Surface(world, version), await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=2)
        assert [(await surface.get("/installation", key)).status_code for _ in range(3)] == [200, 200, 429]
        clock.jump(jump)
        refused = await surface.get("/installation", key)
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 60


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
async def test_a_walk_over_v2_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: int) -> None:
    """A list that was begun is read to its end, past the limit, though the clock jumps between its pages."""
    async with timed("sqlite", tmp_path, monkeypatch) as (world, clock):
        await world.people(*(person(n) for n in range(1, 6)))
        v2, key = Surface(world, "v2"), await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=1)
        page = await v2.ok("/people?limit=2", key)
        seen = list(page["people"])
        while page["next_cursor"]:
            clock.jump(jump)
            page = await v2.ok(f"/people?limit=2&cursor={page['next_cursor']}", key)
            seen += page["people"]
        assert len({row["orcid_id"] for row in seen}) == len(seen) == 5


async def _rest(world: World, token: str) -> tuple[int, str | None]:
    """The status of a list of the platform, and the code of a refusal."""
    answer = await world.client.get("/api/v1/integrations/definitions", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, None if answer.is_success else answer.json()["error"]["code"]


async def test_a_token_over_rest_ends_by_the_clock_as_it_is(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour forth it has ended, although it was verified a moment ago; set right again, it is good again."""
    async with timed(engine, tmp_path, monkeypatch) as (world, clock):
        token = world.token("admin", ttl_seconds=1_800)
        assert await _rest(world, token) == (200, None)
        clock.jump(HOUR)
        assert await _rest(world, token) == (401, "UNAUTHORIZED")
        clock.jump(-HOUR)
        assert await _rest(world, token) == (200, None)
        clock.jump(-HOUR)
        assert await _rest(world, token) == (200, None), "it was verified less than half a minute ago"
        clock.advance(MINUTE)
        assert await _rest(world, token) == (401, "UNAUTHORIZED"), "by this clock it is not yet issued"


async def test_the_keys_of_an_issuer_are_kept_by_waiting_alone() -> None:
    """A clock that jumps makes nobody ask the issuer again, and keeps no key longer; an hour that passes does."""
    clock, asked, key = SettableClock(), list[str](), OKPKey.generate_key("Ed25519", auto_kid=True)

    async def fetch(address: str) -> Any:
        asked.append(address)
        return {"keys": [key.as_dict(private=False)]}

    issuer = OidcIssuer("https://issuer.example", "dovetail", jwks_url="https://issuer.example/keys")
    source = JwksKeys(issuer, fetch, clock)
    await source.keys(key.kid)
    for jump in (-HOUR, HOUR, 2 * HOUR, -30 * DAY):
        clock.jump(jump)
        await source.keys(key.kid)
    assert len(asked) == 1
    clock.advance(HOUR + SECOND)
    await source.keys(key.kid)
    assert len(asked) == 2


async def test_proofs_are_looked_for_again_whatever_the_clock_said(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A re-check that was put off in a year that has not come is due now; one of tomorrow is not."""
    async with timed(engine, tmp_path, monkeypatch) as (world, clock):
        clock.jump(365 * DAY)
        await world.installation()
        clock.jump(-365 * DAY)
        [due] = await due_origins(clock.now_ms())
        assert due["next_check_at"] > clock.now_ms() + 364 * DAY
        assert await due_origins(clock.now_ms()) == []
        await world.installation()
        clock.jump(-5 * MINUTE)
        assert await due_origins(clock.now_ms()) == []


@pytest.mark.parametrize("jump", [-DAY, 365 * DAY])
async def test_a_post_is_done_once_across_a_jump(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    """Repeated a day back it is answered as before; a year on its key is free again, as it is after that time."""
    async with timed(engine, tmp_path, monkeypatch) as (world, clock):
        asked = Asked("key-1", "POST", "/x", b"{}")
        record = await begin(world.context(), asked)
        assert isinstance(record, UUID)
        with pytest.raises(IdempotencyInProgress) as busy:
            await begin(world.context(), asked)
        clock.jump(-DAY)
        with pytest.raises(IdempotencyInProgress) as unknown:
            await begin(world.context(), asked)
        assert "not known" not in busy.value.message and "not known" in unknown.value.message
        clock.jump(DAY)
        await finish(world.context(), record, Answer(201, {}, b"made"))
        clock.jump(jump)
        found = await begin(world.context(), asked)
        assert found == Answer(201, {}, b"made") if jump < 0 else isinstance(found, UUID)


async def test_ids_grow_across_jumps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are made in order sort in order, a day back and a year forth."""
    now, made = time.time_ns(), []
    for jump in (0, -DAY, 365 * DAY, 0, -DAY):
        monkeypatch.setattr(ids.time, "time_ns", lambda jump=jump: now + jump * 1_000_000)
        made += [new_id() for _ in range(100)]
    # The generator of this process goes on from where it was, and not from a year ahead.
    monkeypatch.setattr(ids, "_last", 0)
    assert made == sorted(set(made))


@pytest.mark.parametrize("jump", [-DAY, 365 * DAY])
async def test_changes_are_told_in_their_order_across_a_jump(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    """Who follows `/integrations/v2` misses nothing, and is told nothing twice, when the clock is put right again."""
    async with timed(engine, tmp_path, monkeypatch) as (world, clock):
        v2, key = Surface(world, "v2"), await world.ready_key()
        since, seen = (await v2.ok("/people", key))["next_updated_since"], []
        for number, step in enumerate((0, jump, -jump, 0), start=1):
            clock.jump(step)
            await world.people(person(number))
            page = await v2.ok(f"/people?updated_since={since}", key)
            seen.append(len(page["people"]))
            assert page["next_updated_since"] > since
            since = page["next_updated_since"]
        assert seen == [1] * 4
