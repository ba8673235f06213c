"""The listing rule: whatever is done, and in whatever order, flags, counts and tallies are what the rule says.

The expectation is computed anew from the tables by SQL that is written another way than the service's.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.database import Statement
from services.people.curating import add_membership, end_membership, set_person_visibility
from services.people.listing import listed_total
from services.people.records import PersonRecord, PublicationRecord, WorkRecord, Works
from services.publications import set_publication_visibility
from services.works import review_work, set_work_visibility
from tests.world import World

ORCIDS = ["0000-0002-1825-0097", "0000-0001-2345-6789", "0000-0002-1642-628X"]
Step = Callable[[World], Awaitable[object]]

_PEOPLE = Statement(
    "SELECT person.id, person.listed, person.publication_count, person.visible AND person.deleted_at IS NULL "
    "AND person.id IN (SELECT person FROM membership WHERE tenant = {tenant} AND status = 'member' "
    "AND affiliation = 'internal' AND ends_at IS NULL) AS expected, (SELECT count(DISTINCT publication.id) "
    "FROM publication, authorship WHERE authorship.publication = publication.id AND authorship.person = person.id "
    "AND publication.visible AND publication.deleted_at IS NULL) AS counted FROM person WHERE tenant = {tenant}"
)
_PUBLICATIONS = Statement(
    "SELECT publication.id, listed, visible AND deleted_at IS NULL AND publication.id IN (SELECT publication "
    "FROM authorship JOIN membership ON membership.person = authorship.person WHERE membership.tenant = {tenant} "
    "AND status = 'member' AND affiliation = 'internal' AND ends_at IS NULL) AS expected "
    "FROM publication WHERE tenant = {tenant}"
)
_WORKS = Statement(
    "SELECT work.id, listed, visible AND verified AND deleted_at IS NULL AND person IN (SELECT person FROM membership "
    "WHERE tenant = {tenant} AND status = 'member' AND affiliation = 'internal' AND ends_at IS NULL) AS expected "
    "FROM work WHERE tenant = {tenant}"
)
_IDS = {
    "person": Statement("SELECT id FROM person WHERE tenant = {tenant} ORDER BY id"),
    "publication": Statement("SELECT id FROM publication WHERE tenant = {tenant} ORDER BY id"),
    "work": Statement("SELECT id FROM work WHERE tenant = {tenant} ORDER BY id"),
    "membership": Statement("SELECT id FROM membership WHERE tenant = {tenant} ORDER BY id"),
}


def publication(number: int) -> PublicationRecord:
    doi = f"10.5555/{number}"
    return PublicationRecord(doi, {"en": f"P{number}"}, f"https://doi.org/{doi}", None, 2000, "book", number)


def work(number: int, asserted: bool) -> WorkRecord:
    return WorkRecord(number, f"W{number}", "poster", None, 2000, None, asserted, True)


async def check(world: World) -> None:
    """Every flag, count and tally of the tenant is what the rule says."""
    database = world.runtime.database
    for kind, statement in (("people", _PEOPLE), ("publications", _PUBLICATIONS), ("works", _WORKS)):
        rows = await database.fetch(statement, tenant=world.tenant)
        assert [bool(row["listed"]) for row in rows] == [bool(row["expected"]) for row in rows], kind
        assert await listed_total(database, world.tenant, kind) == sum(bool(row["expected"]) for row in rows), kind
        if kind == "people":
            assert [row["publication_count"] for row in rows] == [row["counted"] for row in rows]


# --- steps ---------------------------------------------------------------------------------------


def sync(person: int, publications: list[int], works: dict[int, bool]) -> Step:
    """Take in the whole record of a person, whatever it was before."""

    async def run(world: World) -> None:
        made = Works([publication(n) for n in publications], [work(n, said) for n, said in works.items()])
        await world.people(PersonRecord(ORCIDS[person], "A name", None), works=made)

    return run


def on(kind: str, place: int, change: Callable[..., Awaitable[object]], *given: Any) -> Step:
    """Do something to one of what there is of a kind, if there is any."""

    async def run(world: World) -> None:
        rows = await world.runtime.database.fetch(_IDS[kind], tenant=world.tenant)
        if rows:
            await change(world.context(), rows[place % len(rows)]["id"], *given)

    return run


places, truths = st.integers(0, 5), st.booleans()
steps = st.one_of(
    st.builds(
        sync,
        st.integers(0, 2),
        st.lists(st.integers(1, 4), unique=True, max_size=4),
        st.dictionaries(st.integers(1, 3), truths, max_size=3),
    ),
    st.builds(lambda place, given: on("person", place, set_person_visibility, given), places, truths),
    st.builds(lambda place, given: on("publication", place, set_publication_visibility, given), places, truths),
    st.builds(lambda place, given: on("work", place, set_work_visibility, given), places, truths),
    st.builds(lambda place, given: on("work", place, review_work, given), places, truths),
    st.builds(lambda place: on("membership", place, end_membership), places),
    st.builds(
        lambda place, affiliation, status: on("person", place, add_membership, affiliation, status),
        places,
        st.sampled_from(["internal", "internal", "external"]),
        st.sampled_from(["member", "member", "alumni", "guest"]),
    ),
)
CALM = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@CALM
@given(order=st.lists(steps, min_size=1, max_size=12))
async def test_whatever_is_done_the_flags_follow(world: World, order: list[Step]) -> None:
    """After each step of any sequence everything derived equals what is computed from scratch."""
    here = await World(world.app, world.client).open()
    for step in order:
        await step(here)
        await check(here)


@CALM
@given(orders=st.lists(st.lists(steps, min_size=1, max_size=4), min_size=2, max_size=4))
async def test_whatever_is_done_at_once_the_flags_follow(world: World, orders: list[list[Step]]) -> None:
    """The same when several callers work at the same time."""
    here = await World(world.app, world.client).open()
    await sync(0, [1, 2], {1: True})(here)
    await sync(1, [2, 3], {1: False})(here)

    async def in_turn(order: list[Step]) -> None:
        for step in order:
            await step(here)

    await asyncio.gather(*(in_turn(order) for order in orders))
    await check(here)


async def test_a_publication_that_lost_its_last_author_is_not_listed(world: World) -> None:
    """A record that no longer has a publication unlinks it; with nobody left it is not shown any more."""
    await sync(0, [1, 2], {})(world)
    await sync(1, [2], {})(world)
    await sync(0, [], {})(world)
    assert await listed_total(world.runtime.database, world.tenant, "publications") == 1
    await check(world)


async def test_two_authors_leave_at_the_same_moment(world: World) -> None:
    """Each sees the other still there unless one waits; in the end nobody is, and it is not listed."""
    for _ in range(10):
        here = await World(world.app, world.client).open()
        for person in (0, 1, 2):
            await sync(person, [1], {})(here)
        rows = await here.runtime.database.fetch(_IDS["membership"], tenant=here.tenant)
        await asyncio.gather(*(end_membership(here.context(), row["id"]) for row in rows))
        assert await listed_total(here.runtime.database, here.tenant, "publications") == 0
        await check(here)
