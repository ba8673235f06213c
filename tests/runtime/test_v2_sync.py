"""Walks and increments of v2 while rows change: nothing is skipped or met twice, and a plugin ends up with the list."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.people import Project
from services.people.storing import mark_sync
from services.projects import ProjectFields, create_project, delete_project, update_project
from tests.runtime.plugin import LISTS, Plugin
from tests.runtime.records import made, orcid, person, publication, work
from tests.runtime.surface import Surface
from tests.services.people.test_listing import on, places
from tests.services.people.test_listing import steps as listing_steps
from tests.world import World

pytestmark = pytest.mark.runtime
Step = Callable[[World], Awaitable[object]]
CALM = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def renamed(number: int, name: str) -> Step:
    """Take a person in under another name, without works."""

    async def run(world: World) -> None:
        await world.people(person(number, name))

    return run


def of_projects(what: str, place: int) -> Step:
    async def run(world: World) -> None:
        rows = await Project.of(world.tenant).select(Project.id).order_by(Project.id)
        if what == "create" or not rows:
            await create_project(world.context(), ProjectFields(title=f"Project {place}"))
            return
        chosen = rows[place % len(rows)]["id"]
        if what == "update":
            await update_project(world.context(), chosen, ProjectFields(title=f"Other {place}", status="completed"))
        else:
            await delete_project(world.context(), chosen)

    return run


async def _fail_sync(context: Any, person_id: Any) -> None:
    await mark_sync(context, person_id, "failed", "ORCID is away")


steps = st.one_of(
    listing_steps,
    listing_steps,
    st.builds(renamed, st.integers(1, 3), st.sampled_from(["Ada", "Grace", "Zoë"])),
    st.builds(lambda place: on("person", place, _fail_sync), places),
    st.builds(of_projects, st.sampled_from(["create", "create", "update", "delete"]), st.integers(0, 9)),
)
#: A step of the workspace, or None where the plugin syncs.
moments = st.lists(st.one_of(steps, st.none()), min_size=1, max_size=10)


@CALM
@given(order=moments, limit=st.integers(1, 4))
async def test_a_plugin_ends_up_with_the_list(world: World, order: list[Step | None], limit: int) -> None:
    """Whatever happens between its syncs, all that it has stored is what a walk of the whole list gives."""
    here = await World(world.app, world.client).open()
    v2, key = Surface(here, "v2"), await here.ready_key(rate_limit_per_minute=100_000, rate_limit_burst=50_000)
    plugins = [Plugin(v2, key, name, limit) for name in LISTS]
    for step in [None, *order, None]:
        if step is not None:
            await step(here)
            continue
        for plugin in plugins:
            await plugin.sync()
    for plugin in plugins:
        fresh = Plugin(v2, key, plugin.name, limit)
        await fresh.sync()
        assert plugin.rows == fresh.rows, plugin.name
        assert await plugin.sync() == []


@CALM
@given(between=st.lists(st.lists(steps, max_size=2), min_size=3, max_size=5), limit=st.integers(1, 3))
async def test_a_walk_among_changes(world: World, between: list[list[Step]], limit: int) -> None:
    """Rows that are listed throughout are met exactly once, others at most once; the next increment closes the gap."""
    here = await World(world.app, world.client).open()
    v2, key = Surface(here, "v2"), await here.ready_key(rate_limit_per_minute=100_000, rate_limit_burst=50_000)
    for n in range(1, 6):
        await here.people(person(n), works=made([publication(n)], [work(n)]))
        await create_project(here.context(), ProjectFields(title=f"P{n}"))
    for name, member in LISTS.items():
        plugin = Plugin(v2, key, name, limit)
        always = set(await _ids(v2, key, name))
        seen: list[str] = []
        cursor, turns = None, iter(between)
        while True:
            page = await plugin.page(cursor)
            seen += [row[member] for row in page[name]]
            plugin.rows |= {row[member]: row for row in page[name]}
            cursor, plugin.since = page["next_cursor"], page["next_updated_since"]
            if cursor is None:
                break
            for step in next(turns, []):
                await step(here)
            always &= set(await _ids(v2, key, name))
        assert len(seen) == len(set(seen))
        assert always <= set(seen)
        await plugin.sync()
        assert set(plugin.rows) == set(await _ids(v2, key, name))


async def _ids(v2: Surface, key: str, name: str) -> list[str]:
    return [row[LISTS[name]] for row in await Plugin(v2, key, name).walk()]


async def test_a_row_that_changes_again_during_an_increment(world: World) -> None:
    """It is not met a second time in this increment, and comes with the next."""
    v2, key = Surface(world, "v2"), await world.ready_key()
    await world.people(*(person(n) for n in range(1, 5)))
    plugin = Plugin(v2, key, "people", 2)
    await plugin.sync()
    since = plugin.since
    for n in range(1, 5):
        await world.people(person(n, "Renamed"))
    page = await plugin.page(updated_since=since)
    await world.people(person(1, "Renamed again"))
    rest = await plugin.page(page["next_cursor"], updated_since=since)
    met = [row["orcid_id"] for row in page["people"] + rest["people"]]
    assert met == [orcid(n) for n in range(1, 5)] and rest["next_cursor"] is None
    assert [row["name"] for row in await plugin.walk(updated_since=rest["next_updated_since"])] == ["Renamed again"]


async def test_a_plugin_that_syncs_while_others_write(world: World) -> None:
    """Syncs among writers at the same moment, page by page; in the end nothing is missing and nothing too much."""
    v2, key = Surface(world, "v2"), await world.ready_key(rate_limit_per_minute=100_000, rate_limit_burst=50_000)
    await world.people(*(person(n) for n in range(1, 13)), works=made([publication(n) for n in range(6)]))
    plugins = [Plugin(v2, key, name, 3) for name in ("people", "publications")]
    finished = asyncio.Event()

    async def write(start: int) -> None:
        from services.people.curating import set_person_visibility

        people = await world.people(*(person(n) for n in range(start, 13, 4)))
        for turn in range(4):
            for one in people:
                await set_person_visibility(world.context(), one.person, (turn + start) % 2 == 0)
            await world.people(person(start, f"Turn {turn}"))

    async def read(plugin: Plugin) -> None:
        while not finished.is_set():
            # A plugin that has all there is asks again a little later, and leaves the loop to the writers.
            if not await plugin.sync():
                await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as readers:
        for plugin in plugins:
            readers.create_task(read(plugin))
        try:
            await asyncio.gather(*(write(start) for start in range(1, 5)))
        finally:
            finished.set()
    for plugin in plugins:
        await plugin.sync()
        fresh = Plugin(v2, key, plugin.name)
        await fresh.sync()
        assert plugin.rows == fresh.rows


@pytest.mark.parametrize("name", LISTS)
async def test_a_page_is_one_statement(name: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first page, one in the middle and an increment cost one statement each, however many rows there are."""
    for n in range(1, 8):
        await world.people(person(n), works=made([publication(n)], [work(n)]))
        await create_project(world.context(), ProjectFields(title=f"P{n}"))
    v2, key = Surface(world, "v2"), await world.ready_key()
    await v2.ok("/installation", key)
    plugin = Plugin(v2, key, name, 3)
    cursor = (await plugin.page())["next_cursor"]
    # What was answered before would come without any.
    monkeypatch.setattr(world.runtime.pages, "most_bytes", 0)
    world.runtime.pages.drop()
    for query in ({}, {"cursor": cursor}, {"updated_since": 0}):
        with world.runtime.database.count_statements() as log:
            assert len((await plugin.page(**query))[name]) == 3
        assert len([text for text in log.texts if "_head" in text and "change_head" in text]) == 1
        own = ("credential", "origin", "audit_", "job", "denial", "usage")
        assert len([text for text in log.texts if not any(word in text for word in own)]) == 1, log.texts


async def test_one_person(world: World) -> None:
    """A person by ORCID iD is the row of the list, in any spelling of the last digit; unlisted ones are missing."""
    v2, key = Surface(world, "v2"), await world.ready_key()
    [added] = await world.people(person(1))
    [listed] = (await v2.ok("/people", key))["people"]
    assert (await v2.ok(f"/people/{orcid(1)}", key))["person"] == listed
    assert orcid(1).endswith("X")
    assert (await v2.ok(f"/people/{orcid(1).lower()}", key))["person"] == listed
    for missing in (orcid(2), "0000-0000-0000-0000", "x", "%00", "é"):
        await v2.refused(404, "not_found", f"/people/{missing}", key)
    from services.people.curating import set_person_visibility

    await set_person_visibility(world.context(), added.person, False)
    await v2.refused(404, "not_found", f"/people/{orcid(1)}", key)
    await v2.refused(404, "not_found", f"/people/{orcid(1)}/publications", key)


async def test_publications_of_one_person(world: World) -> None:
    """Only that person's, only listed ones, page by page and each once."""
    from models.people import Publication
    from services.publications import set_publication_visibility

    v2, key = Surface(world, "v2"), await world.ready_key()
    await world.people(person(1), works=made([publication(n) for n in range(1, 8)]))
    await world.people(person(2), works=made([publication(n) for n in range(7, 10)]))
    hidden = await Publication.of(world.tenant).one(Publication.id, where=Publication.doi == "10.5555/dovetail.3")
    assert hidden is not None
    await set_publication_visibility(world.context(), hidden["id"], False)
    seen, cursor = [], ""
    while cursor is not None:
        page = await v2.ok(f"/people/{orcid(1)}/publications?limit=2{cursor and '&cursor=' + cursor}", key)
        seen += [int(row["doi"].rpartition(".")[2]) for row in page["publications"]]
        cursor = page["next_cursor"]
    assert sorted(seen) == [1, 2, 4, 5, 6, 7] and len(set(seen)) == 6
    other = await v2.ok(f"/people/{orcid(2)}/publications?limit=2", key)
    await v2.refused(
        400, "invalid_query_parameters", f"/people/{orcid(1)}/publications?cursor={other['next_cursor']}", key
    )


FILTERS = [
    ("publications", "publication_type=book", {3, 5}),
    ("publications", "publication_year=2021&min_cited_by=0", {3, 4}),
    ("publications", "q=PUBLICATION%203", {3}),
    ("publications", "q=%20%20", {1, 2, 3, 4, 5}),
    ("works", "work_type=report", {1, 2}),
]


@pytest.mark.parametrize(("name", "query", "expected"), FILTERS)
async def test_filters(name: str, query: str, expected: set[int], world: World) -> None:
    """Filters narrow the walk as they do in v1."""
    from tests.runtime.test_lists import publications, works

    key = await (publications if name == "publications" else works)(world)
    v2, found, cursor = Surface(world, "v2"), set(), ""
    while cursor is not None:
        page = await v2.ok(f"/{name}?limit=1&{query}{cursor and '&cursor=' + cursor}", key)
        titles = [row["title"] if name == "works" else row["title"]["en"] for row in page[name]]
        found |= {int(title.rpartition(" ")[2]) for title in titles}
        cursor = page["next_cursor"]
    assert found == expected
