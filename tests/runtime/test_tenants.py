"""Nothing of one tenant is ever seen with another's key."""

import pytest

from services.people.records import FullRecord
from services.projects import ProjectFields, create_project
from tests.runtime.records import made, person, publication, work
from tests.runtime.surface import Surface
from tests.world import World

pytestmark = pytest.mark.runtime


async def filled(world: World, word: str, first: int) -> None:
    """Rows that carry a word in every text of theirs."""
    from services.people.importing import import_records

    await import_records(
        world.context(),
        [
            FullRecord(
                person(n, {"en": f"{word} {n}"}, {"en": f"{word} biography"}),
                made(
                    [publication(n, doi=f"10.5555/{word}.{n}", title={"en": f"{word} publication"})],
                    [work(n, title=f"{word} work {n}")],
                ),
            )
            for n in range(first, first + 4)
        ],
    )
    await create_project(world.context(), ProjectFields(title=f"{word} project", acronym=word))


async def test_a_key_sees_its_own_tenant(v1: Surface, world: World) -> None:
    """Two tenants with the same people and others: lists, searches, sorts and totals hold only one's own."""
    other = await World(world.app, world.client).open()
    await filled(world, "alphaword", 1)
    await filled(other, "betaword", 3)
    for one, word, foreign in ((world, "alphaword", "betaword"), (other, "betaword", "alphaword")):
        key = await one.ready_key()
        for path, total in (("/people", 4), ("/publications", 4), ("/works", 4), ("/projects", 1)):
            for query in ("", "?per_page=100", "?sort=publication_date&dir=asc", "?q=word"):
                answer = await v1.get(path + query, key)
                assert foreign not in answer.text
                assert answer.json()["total"] == total
            assert (await v1.ok(f"{path}?q={word}", key))["total"] == total
            assert (await v1.ok(f"{path}?q={foreign}", key))["total"] == 0


async def test_the_same_person_in_two_tenants(v1: Surface, world: World) -> None:
    """One iD in two tenants is two rows: what one knows of it does not reach the other."""
    other = await World(world.app, world.client).open()
    await world.people(person(1, "Known here as Ada"))
    await other.people(person(1, {"en": "Known there as Augusta"}, {"en": "Private"}))
    [here] = (await v1.ok("/people", await world.ready_key()))["people"]
    [there] = (await v1.ok("/people", await other.ready_key()))["people"]
    assert here["orcid_id"] == there["orcid_id"]
    assert (here["name"], here["biography"]) == ("Known here as Ada", None)
    assert there["name"] == {"en": "Known there as Augusta"}


async def test_installations_and_origins(v1: Surface, world: World) -> None:
    """Another tenant's installation, origin and credential do not appear, not even by their ids."""
    other = await World(world.app, world.client).open()
    foreign = await other.installation(verified=False)
    origin = await other.origin(foreign["id"], "https://shared.example.org")
    own = await world.installation(verified=False)
    await world.origin(own["id"], "https://shared.example.org")
    issued = await world.key(own["id"])
    answer = await v1.get("/installation", issued.secret)
    assert str(foreign["id"]) not in answer.text and str(origin["id"]) not in answer.text
    assert answer.json()["installation"]["workspace_id"] == str(world.tenant)
    await v1.refused(404, "origin_not_found", f"/verify/{origin['id']}", issued.secret)
