"""Pages that are kept: the same bytes without a statement, never those of before a change, nobody else's."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.ids import new_id
from models.people import Membership, Person, Publication, Work
from services.changes import forget_tombstones
from services.people.curating import add_membership, end_membership, set_person_visibility
from services.people.importing import import_records
from services.people.records import FullRecord
from services.people.storing import mark_sync
from services.projects import ProjectFields, create_project, delete_project, update_project
from services.publications import set_publication_visibility
from services.works import review_work, set_work_visibility
from tests.limiter_time import limiter_time  # noqa: F401 - a fixture
from tests.runtime.records import made, person, publication, work
from tests.runtime.surface import Surface
from tests.world import World

LISTS = ("people", "publications", "works", "projects")


class Kept:
    """A tenant with a row in every list, and answers that must come from what is kept."""

    def __init__(self, world: World) -> None:
        self.world, self.v1 = world, Surface(world)
        self.ids: dict[str, Any] = {}
        self.key = ""

    async def fill(self) -> "Kept":
        works = made([publication(1)], [work(1)])
        await self.world.people(person(1), works=works)
        project = await create_project(self.world.context(), ProjectFields(title="A project"))
        tables = {"person": Person, "membership": Membership, "publication": Publication, "work": Work}
        for name, table in tables.items():
            self.ids[name] = (await table.of(self.world.tenant).one(table.id, where=table.id.is_not_null()))["id"]
        self.ids["project"] = project["id"]
        self.key = await self.world.ready_key(rate_limit_per_minute=6_000, rate_limit_burst=6_000)
        return self

    async def statements(self, path: str) -> tuple[httpx.Response, list[str]]:
        """The answer, and what was asked of the lists' tables for it."""
        with self.world.runtime.database.count_statements() as log:
            answer = await self.v1.get(path, self.key)
        names = ("person", "publication", "work", "project")
        return answer, [text for text in log.texts if any(f"FROM {name} " in text for name in names)]

    async def warm(self) -> dict[str, Any]:
        """Every list, asked until its answer comes without a look at its rows."""
        found = {}
        for name in LISTS:
            await self.v1.ok(f"/{name}", self.key)
            answer, texts = await self.statements(f"/{name}")
            assert not texts, texts
            found[name] = answer.json()
        return found

    async def now(self) -> dict[str, Any]:
        """Every list as its rows are: in a spelling that nobody has used."""
        found, spelling = {}, new_id()
        for name in LISTS:
            answer, texts = await self.statements(f"/{name}?unheard_of={spelling}")
            assert texts
            found[name] = answer.json()
        return found


@pytest.fixture
async def kept(world: World) -> Kept:
    return await Kept(world).fill()


Change = Callable[[Any, dict[str, Any]], Awaitable[Any]]
CHANGES: dict[str, tuple[str, Change]] = {
    "a person is hidden": ("people", lambda c, ids: set_person_visibility(c, ids["person"], False)),
    "a membership ends": ("publications", lambda c, ids: end_membership(c, ids["membership"])),
    "a person comes": ("people", lambda c, ids: import_records(c, [FullRecord(person(7), made())])),
    "a sync is under way": ("people", lambda c, ids: mark_sync(c, ids["person"], "processing")),
    "a publication is hidden": (
        "publications",
        lambda c, ids: set_publication_visibility(c, ids["publication"], False),
    ),
    "a work is refused": ("works", lambda c, ids: review_work(c, ids["work"], False)),
    "a work is hidden": ("works", lambda c, ids: set_work_visibility(c, ids["work"], False)),
    "a project comes": ("projects", lambda c, ids: create_project(c, ProjectFields(title="Another"))),
    "a project changes": ("projects", lambda c, ids: update_project(c, ids["project"], ProjectFields(title="B"))),
    "a project goes": ("projects", lambda c, ids: delete_project(c, ids["project"])),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_who_writes_reads_it(name: str, kept: Kept) -> None:
    """Right after each kind of change, in the process that made it."""
    where, change = CHANGES[name]
    before = await kept.warm()
    await change(kept.world.context(), kept.ids)
    after = {which: await kept.v1.ok(f"/{which}", kept.key) for which in LISTS}
    assert after[where] != before[where]
    assert after == await kept.now()
    await kept.warm()


async def test_a_membership_comes_back(kept: Kept) -> None:
    before = await kept.warm()
    await end_membership(kept.world.context(), kept.ids["membership"])
    assert (await kept.warm())["people"]["total"] == 0
    await add_membership(kept.world.context(), kept.ids["person"], "internal", "member")
    assert await kept.warm() == before


async def test_the_answer_is_the_same_to_the_byte(kept: Kept) -> None:
    """Body, names and order of the headers; only what counts requests differs."""
    origin = await kept.world.origin((await kept.world.installation())["id"])
    paths = ["/people?per_page=1&q=pers", "/publications?sort=cited_by_count&dir=asc", "/works?work_type=report"]
    for path in paths:
        first, asked = await kept.statements(path)
        again, kept_asked = await kept.statements(path)
        assert (bool(asked), bool(kept_asked)) == (True, False)
        assert again.content == first.content
        assert [name for name, _ in again.headers.raw] == [name for name, _ in first.headers.raw]
        same = ("content-type", "content-length", "vary", "ratelimit-policy", "x-ratelimit-limit")
        assert all(again.headers[name] == first.headers[name] for name in same)
        assert again.headers["x-request-id"] != first.headers["x-request-id"]
        other = await kept.v1.get(path, kept.key, Origin=origin["origin"])
        assert other.status_code == 403


@pytest.mark.usefixtures("limiter_time")
async def test_a_kept_page_is_limited_and_counted(kept: Kept) -> None:
    """Every request costs one, and page 1 of a walk pays for the pages that follow, kept or not."""
    await kept.world.people(*(person(n) for n in range(2, 13)))
    key = await kept.world.ready_key(rate_limit_per_minute=20, rate_limit_burst=20)
    left = []
    for _ in range(3):
        answer = await kept.v1.get("/people?per_page=3", key)
        left.append(int(answer.headers["x-ratelimit-remaining"]))
    assert left == [16, 15, 14]
    ledger = kept.world.runtime.usage
    uses = [use for use in ledger._counts if use.tenant == kept.world.tenant and use.operation == "list_people"]
    assert sum(ledger._counts[use] for use in uses) >= 3
    answers = [await kept.v1.get("/people?per_page=3", key) for _ in range(20)]
    assert [answer.status_code for answer in answers[:14]] == [200] * 14
    assert answers[-1].json()["code"] == "installation_rate_limit_exceeded"


async def test_a_kept_page_is_nobody_elses(kept: Kept) -> None:
    """Another tenant has its own; a key without the scope, a wrong one and a foreign origin are refused."""
    await kept.warm()
    other = await World(kept.world.app, kept.world.client).open()
    assert (await kept.v1.ok("/people", await other.ready_key()))["total"] == 0
    assert (await kept.v1.ok("/people", kept.key))["total"] == 1
    without = await kept.world.ready_key(["projects.read"])
    details = await kept.v1.refused(403, "installation_scope_denied", "/people", without)
    assert details["required_scope"] == "people.read"
    await kept.v1.refused(401, "missing_api_key", "/people")
    await kept.v1.refused(401, "invalid_installation_credential", "/people", kept.key[:-3] + "abc")
    await kept.v1.refused(403, "origin_mismatch", "/people", kept.key, Origin="https://elsewhere.example")


async def test_what_is_asked_twice_in_one_query(kept: Kept) -> None:
    """`q=a&q=b` is not `q=b&q=a`, whatever is kept of either; a bad query stays bad."""
    for _ in range(2):
        for query, echoed in (("q=a&q=b", "b"), ("q=b&q=a", "a"), ("q=%20b%20", "b"), ("q=b", "b")):
            assert (await kept.v1.ok(f"/people?{query}", kept.key))["q"] == echoed
        await kept.v1.refused(400, "invalid_query_parameters", "/people?page=0", kept.key)
        await kept.v1.refused(400, "invalid_query_parameters", "/people?q=%00", kept.key)


async def test_a_change_while_rows_are_read(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that were read before a change are not kept as if they had been read after it."""
    database: Any = kept.world.runtime.database
    plain, late = database.fetch, []

    async def fetch(statement: Any, /, **params: Any) -> Any:
        rows = await plain(statement, **params)
        if "FROM person " in statement.template and "_total" in statement.template and not late:
            late.append(1)
            await asyncio.create_task(set_person_visibility(kept.world.context(), kept.ids["person"], False))
        return rows

    await kept.v1.ok("/installation", kept.key)
    monkeypatch.setattr(database, "fetch", fetch)
    assert (await kept.v1.ok("/people?per_page=7", kept.key))["total"] == 1
    assert late
    assert (await kept.v1.ok("/people?per_page=7", kept.key))["total"] == 0


async def test_a_change_while_the_version_is_asked(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes after a change does not join a question that was asked before it."""
    runtime = kept.world.runtime
    plain, going, go_on = runtime.database.fetch, asyncio.Event(), asyncio.Event()

    async def fetch(statement: Any, /, **params: Any) -> Any:
        rows = await plain(statement, **params)
        if "change_head WHERE" in statement.template and not going.is_set():
            going.set()
            await go_on.wait()
        return rows

    await kept.warm()
    before = await runtime.versions.current(kept.world.tenant)
    runtime.versions._known.clear()
    monkeypatch.setattr(runtime.database, "fetch", fetch)
    early = asyncio.create_task(runtime.versions.current(kept.world.tenant))
    await going.wait()
    await set_person_visibility(kept.world.context(), kept.ids["person"], False)
    assert await runtime.versions.current(kept.world.tenant) > before
    go_on.set()
    assert await early == before
    assert await runtime.versions.current(kept.world.tenant) > before
    assert (await kept.v1.ok("/people", kept.key))["total"] == 0


async def test_many_ask_for_the_version_once(kept: Kept) -> None:
    runtime = kept.world.runtime
    runtime.versions._known.clear()
    with runtime.database.count_statements() as log:
        found = await asyncio.gather(*(runtime.versions.current(kept.world.tenant) for _ in range(20)))
    assert len(set(found)) == 1
    assert len([text for text in log.texts if "change_head" in text]) <= 2  # a duty's commit makes it two


async def test_forgetting_moves_the_version(kept: Kept) -> None:
    """What takes the head without changing a row costs a look at the rows, and no more."""
    before = await kept.warm()
    context = kept.world.context()
    await delete_project(context, kept.ids["project"])
    assert await forget_tombstones(kept.world.context(), context.now + 60_000)
    assert (await kept.warm())["people"] == before["people"]
