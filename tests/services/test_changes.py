"""Changes in the order in which they become visible: two at once, clocks that go back, forgotten tombstones."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from app.clock import DAY, SettableClock
from app.errors import FullSyncRequired
from services.changes import break_off_changes, bury, forget_tombstones, hold_listing
from services.duties import forget
from services.feeds import FeedPage, FeedRequest
from services.people.curating import set_person_visibility
from services.people.reading import list_people
from services.projects import ProjectFields, create_project, delete_project, list_projects, update_project
from tests.runtime.records import orcid, person
from tests.world import World


async def followed(world: World, since: int | None = None, **given: Any) -> FeedPage:
    found = await list_people(world.context(), FeedRequest(since=since, **given))
    assert isinstance(found, FeedPage)
    return found


def told(page: FeedPage) -> dict[str, bool]:
    return {row["orcid_id"]: bool(row["_listed"]) for row in page.rows}


async def test_a_slow_change_is_not_passed_over(world: World) -> None:
    """One that took its instant first and commits last is still told to whoever read in between."""
    slow, quick = [p.person for p in await world.people(person(1), person(2))]
    since = (await followed(world)).until
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def change_slowly() -> None:
        async def run() -> None:
            context = world.context()
            await hold_listing(context)
            begun.set()
            await go_on.wait()
            await set_person_visibility(context, slow, False)

        await world.runtime.database.in_transaction(run)

    first = asyncio.create_task(change_slowly())
    await begun.wait()
    second = asyncio.create_task(set_person_visibility(world.context(), quick, False))
    done, _ = await asyncio.wait([second], timeout=0.3)
    between = await followed(world, since)
    # The quick one waits for the slow one: were it visible now, `until` would lie behind the slow one's instant.
    assert not done and told(between) == {} and between.until == since
    go_on.set()
    await asyncio.gather(first, second)
    assert told(await followed(world, between.until)) == {orcid(1): False, orcid(2): False}


async def test_readers_between_many_writers_miss_nothing(world: World) -> None:
    """Whoever goes from answer to answer while others write has, in the end, seen the last state of each row."""
    people = [p.person for p in await world.people(*(person(n) for n in range(1, 9)))]
    known = told(page := await followed(world))
    since, finished = page.until, asyncio.Event()

    async def write(person_id: UUID) -> None:
        for turn in range(6):
            await set_person_visibility(world.context(), person_id, turn % 2 == 1)
        await set_person_visibility(world.context(), person_id, people.index(person_id) % 2 == 0)

    async def read() -> None:
        nonlocal since
        while not finished.is_set():
            found = await followed(world, since)
            known.update(told(found))
            since = found.until
            await asyncio.sleep(0)

    reader = asyncio.create_task(read())
    await asyncio.gather(*(write(one) for one in people))
    finished.set()
    await reader
    known.update(told(await followed(world, since)))
    assert known == {orcid(n): n % 2 == 1 for n in range(1, 9)}


@pytest.mark.parametrize("jump", [-3_600_000, -1, 0, 3_600_000])
async def test_a_clock_that_jumps_loses_nothing(jump: int, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instants of changes grow whatever the clock does."""
    clock = SettableClock(world.runtime.clock.now_ms())
    monkeypatch.setattr(world.runtime, "clock", clock)
    [one, two] = [p.person for p in await world.people(person(1), person(2))]
    await set_person_visibility(world.context(), one, False)
    since = (await followed(world)).until
    clock.jump(jump)
    await set_person_visibility(world.context(), two, False)
    assert told(await followed(world, since)) == {orcid(2): False}
    assert (await followed(world, since)).until > since


async def test_a_listing_is_held_in_a_transaction_only(world: World) -> None:
    """Outside of one nothing would be held."""
    with pytest.raises(RuntimeError):
        await hold_listing(world.context())


async def test_what_was_never_listed_leaves_no_tombstone(world: World) -> None:
    """An unlisted row that changes is not told of, so that nobody learns of it."""
    [one] = await world.people(person(1))
    since = (await followed(world)).until
    await set_person_visibility(world.context(), one.person, False)
    hidden = await followed(world, since)
    await world.people(person(1, "Another name"))
    assert told(hidden) == {orcid(1): False}
    assert told(await followed(world, hidden.until)) == {}


async def test_projects_are_deleted_for_good_and_told_of(world: World) -> None:
    """A tombstone stands for the row; whatever was done to the project before is not told any more."""
    made = [await create_project(world.context(), ProjectFields(title=f"P{n}")) for n in range(3)]
    page = await list_projects(world.context(), FeedRequest())
    assert isinstance(page, FeedPage)
    await update_project(world.context(), made[0]["id"], ProjectFields(title="Other"))
    await update_project(world.context(), made[1]["id"], ProjectFields(title="Other"))
    await delete_project(world.context(), made[1]["id"])
    found = await list_projects(world.context(), FeedRequest(since=page.until))
    assert isinstance(found, FeedPage)
    assert [(str(row["_id"]), bool(row["_listed"])) for row in found.rows] == [
        (str(made[0]["id"]), True), (str(made[1]["id"]), False),
    ]  # fmt: skip


async def test_tombstones_are_forgotten_after_their_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then who has not asked since is refused, and who has is not; a quiet tenant is never refused."""
    clock = SettableClock(world.runtime.clock.now_ms())
    monkeypatch.setattr(world.runtime, "clock", clock)
    one, _ = [p.person for p in await world.people(person(1), person(2))]
    made = await create_project(world.context(), ProjectFields(title="P"))
    before = (await followed(world)).until
    clock.advance(DAY)
    await set_person_visibility(world.context(), one, False)
    await delete_project(world.context(), made["id"])
    after = (await followed(world)).until
    clock.advance(89 * DAY)
    await forget(world.runtime)
    assert told(await followed(world, before)) == {orcid(1): False}
    clock.advance(2 * DAY)
    await forget(world.runtime)
    with pytest.raises(FullSyncRequired):
        await followed(world, before)
    assert told(await followed(world, after)) == {}
    assert told(await followed(world)) == {orcid(2): True}
    clock.advance(1_000 * DAY)
    since = (await followed(world)).until
    assert not await forget_tombstones(world.context(), clock.now_ms())
    assert told(await followed(world, since)) == {}


async def test_after_a_restore_all_begin_anew(world: World) -> None:
    """Whoever read before an older state was put back is refused, also once there were changes again."""
    [one] = await world.people(person(1))
    since = (await followed(world)).until
    await break_off_changes(world.runtime.database, world.runtime.clock.now_ms())
    with pytest.raises(FullSyncRequired):
        await followed(world, since)
    await set_person_visibility(world.context(), one.person, False)
    with pytest.raises(FullSyncRequired):
        await followed(world, since)
    page = await followed(world)
    assert told(await followed(world, page.until)) == {}


async def test_after_a_restore_a_tenant_that_had_changed_nothing_begins_anew_too(world: World) -> None:
    """Its first change may have been made after the backup, and read."""
    since = world.runtime.clock.now_ms()
    await break_off_changes(world.runtime.database, since + 1, tenant=world.tenant)
    await world.people(person(1))
    with pytest.raises(FullSyncRequired):
        await followed(world, since)


async def test_an_instant_that_has_not_come_is_refused(world: World) -> None:
    """It was not given by this server, or by this state of it."""
    page = await followed(world)
    assert page.until == 0 and told(await followed(world, 0)) == {}
    await world.people(person(1))
    with pytest.raises(FullSyncRequired):
        await followed(world, (await followed(world)).until + 1)


async def test_a_row_that_is_buried_twice_is_told_of_once(world: World) -> None:
    """The same id again moves its tombstone."""
    made = await create_project(world.context(), ProjectFields(title="P"))

    async def run() -> None:
        await bury(await hold_listing(world.context()), "projects", made["id"])

    for _ in range(2):
        await world.runtime.database.in_transaction(run)
    page = await list_projects(world.context(), FeedRequest(since=0))
    assert isinstance(page, FeedPage)
    assert [bool(row["_listed"]) for row in page.rows] == [True, False]
