"""What is shown at all: internal, current members, visible, not deleted, verified; and the totals with it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.clock import DAY
from models.people import Membership, Person, Publication, Work
from services.people.curating import add_membership, end_membership, set_person_visibility
from services.publications import set_publication_visibility
from services.works import review_work, set_work_visibility
from tests.runtime.records import made, person, publication, work
from tests.runtime.surface import Surface
from tests.world import World

pytestmark = pytest.mark.runtime


class Shown:
    """One person with a publication and a work, and what the surface shows of the three."""

    def __init__(self, v1: Surface, world: World, key: str, of: Any) -> None:
        self.v1, self.world, self.key, self.person = v1, world, key, of

    async def seen(self) -> tuple[int, int, int]:
        """How many people, publications and works; rows and totals must agree."""
        counts = []
        for path in ("/people", "/publications", "/works"):
            found = await self.v1.ok(path, self.key)
            assert len(found[path[1:]]) == found["total"]
            searched = await self.v1.ok(f"{path}?q=o", self.key)
            assert searched["total"] == found["total"]
            counts.append(found["total"])
        return counts[0], counts[1], counts[2]

    async def row(self, table: Any) -> dict[str, Any]:
        found = await table.of(self.world.tenant).one(*table.all_columns(), where=table.tenant == self.world.tenant)
        assert found is not None
        return dict(found)

    async def refresh(self) -> None:
        await self.world.refresh(self.person)


@pytest.fixture
async def shown(v1: Surface, world: World) -> Shown:
    [added] = await world.people(person(1), works=made([publication(1)], [work(1)]))
    return Shown(v1, world, await world.ready_key(), added.person)


async def _end_membership(s: Shown) -> None:
    await end_membership(s.world.context(), (await s.row(Membership))["id"])


async def _end_later(s: Shown) -> None:
    await end_membership(s.world.context(), (await s.row(Membership))["id"], s.world.runtime.clock.now_ms() + DAY)


async def _external(s: Shown) -> None:
    await Membership.of(s.world.tenant).update({"affiliation": "external"}).where(Membership.person == s.person)
    await s.refresh()


async def _alumni(s: Shown) -> None:
    await Membership.of(s.world.tenant).update({"status": "alumni"}).where(Membership.person == s.person)
    await s.refresh()


async def _no_membership(s: Shown) -> None:
    await Membership.of(s.world.tenant).delete().where(Membership.person == s.person)
    await s.refresh()


async def _hide_person(s: Shown) -> None:
    await set_person_visibility(s.world.context(), s.person, False)


async def _delete_person(s: Shown) -> None:
    await Person.of(s.world.tenant).update({"deleted_at": 1}).where(Person.id == s.person)
    await s.refresh()


async def _hide_publication(s: Shown) -> None:
    await set_publication_visibility(s.world.context(), (await s.row(Publication))["id"], False)


async def _delete_publication(s: Shown) -> None:
    await Publication.of(s.world.tenant).update({"deleted_at": 1}).where(Publication.tenant == s.world.tenant)
    await s.refresh()


async def _hide_work(s: Shown) -> None:
    await set_work_visibility(s.world.context(), (await s.row(Work))["id"], False)


async def _delete_work(s: Shown) -> None:
    await Work.of(s.world.tenant).update({"deleted_at": 1}).where(Work.tenant == s.world.tenant)
    await s.refresh()


async def _refuse_work(s: Shown) -> None:
    await review_work(s.world.context(), (await s.row(Work))["id"], False)


Step = Callable[[Shown], Awaitable[None]]
#: What happens → how many people, publications and works are shown then.
RULES: dict[str, tuple[Step, tuple[int, int, int]]] = {
    "the membership ended": (_end_membership, (0, 0, 0)),
    "the membership has an end": (_end_later, (0, 0, 0)),
    "the person is external": (_external, (0, 0, 0)),
    "the person is an alumnus": (_alumni, (0, 0, 0)),
    "no membership": (_no_membership, (0, 0, 0)),
    "the person is hidden": (_hide_person, (0, 1, 1)),
    "the person is deleted": (_delete_person, (0, 1, 1)),
    "the publication is hidden": (_hide_publication, (1, 0, 1)),
    "the publication is deleted": (_delete_publication, (1, 0, 1)),
    "the work is hidden": (_hide_work, (1, 1, 0)),
    "the work is deleted": (_delete_work, (1, 1, 0)),
    "the work is not verified": (_refuse_work, (1, 1, 0)),
}


async def test_a_member_is_shown(shown: Shown) -> None:
    """A member, its publication and its verified work are there."""
    assert await shown.seen() == (1, 1, 1)


@pytest.mark.parametrize(("step", "expected"), RULES.values(), ids=RULES.keys())
async def test_a_rule(step: Step, expected: tuple[int, int, int], shown: Shown) -> None:
    """Each rule takes out exactly what it is about, in the list, the search and the totals."""
    await step(shown)
    assert await shown.seen() == expected


async def test_back_again(shown: Shown) -> None:
    """Who leaves and comes back is shown again; so is what was hidden."""
    await _end_membership(shown)
    await add_membership(shown.world.context(), shown.person, "internal", "member")
    assert await shown.seen() == (1, 1, 1)
    await _hide_person(shown)
    await set_person_visibility(shown.world.context(), shown.person, True)
    await _hide_publication(shown)
    await set_publication_visibility(shown.world.context(), (await shown.row(Publication))["id"], True)
    await _refuse_work(shown)
    await review_work(shown.world.context(), (await shown.row(Work))["id"], True)
    assert await shown.seen() == (1, 1, 1)


async def test_an_own_claim_is_not_shown(v1: Surface, world: World) -> None:
    """A work that only the person asserts waits for a reviewer; one that its source hides stays hidden."""
    claimed, hidden = work(1, asserted_by_source=False), work(2, visible=False)
    await world.people(person(1), works=made(works=[claimed, hidden, work(3)]))
    key = await world.ready_key()
    assert [w["title"] for w in (await v1.ok("/works", key))["works"]] == ["Work 3"]


async def test_the_count_of_publications(shown: Shown) -> None:
    """`publication_count` follows what is visible and not deleted, and a publication that is unlinked."""

    async def count() -> int:
        return int((await shown.v1.ok("/people", shown.key))["people"][0]["publication_count"])

    assert await count() == 1
    await _hide_publication(shown)
    assert await count() == 0
    await set_publication_visibility(shown.world.context(), (await shown.row(Publication))["id"], True)
    assert await count() == 1
    await shown.world.people(person(1), works=made())
    assert await count() == 0
    assert await shown.seen() == (1, 0, 0)


async def test_one_listed_author_is_enough(v1: Surface, world: World) -> None:
    """A publication stays while one of its authors is a member."""
    shared = made([publication(1)])
    [first] = await world.people(person(1), works=shared)
    [second] = await world.people(person(2), works=shared)
    key = await world.ready_key()
    for someone, left in ((first, 1), (second, 0)):
        row = await Membership.of(world.tenant).one(Membership.id, where=Membership.person == someone.person)
        assert row is not None
        await end_membership(world.context(), row["id"])
        assert (await v1.ok("/publications", key))["total"] == left
