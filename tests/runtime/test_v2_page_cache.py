"""Kept pages of v2: no statement, the same bytes, and watermarks, cursors and tombstones that stay true."""

from typing import Any

import httpx
import pytest

from tests.runtime.plugin import Plugin
from tests.runtime.records import person
from tests.runtime.surface import Surface
from tests.runtime.test_page_cache import CHANGES, LISTS, Kept, kept
from tests.world import World

__all__ = ["kept"]


@pytest.fixture
def kept_v2(kept: Kept) -> Kept:
    """The same tenant, asked through v2."""
    kept.v1 = Surface(kept.world, "v2")
    return kept


async def unkept(world: World, path: str, key: str, monkeypatch: pytest.MonkeyPatch) -> httpx.Response:
    """The answer of an empty cache."""
    world.runtime.pages.drop()
    with monkeypatch.context() as patch:
        patch.setattr(world.runtime.pages, "most_bytes", 0)
        return await Surface(world, "v2").get(path, key)


@pytest.mark.parametrize("name", CHANGES)
async def test_an_increment_from_the_cache_is_right(name: str, kept_v2: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before and after each change: walk and increment as without a cache, with the instant of the change."""
    which, change = CHANGES[name]
    before = await kept_v2.warm()
    since = before[which]["next_updated_since"]
    path = f"/{which}?updated_since={since}"
    for _ in range(2):
        assert (await kept_v2.v1.ok(path, kept_v2.key))[which] == []
    await change(kept_v2.world.context(), kept_v2.ids)
    for asked in (path, f"/{which}"):
        for _ in range(2):
            answer = await kept_v2.v1.get(asked, kept_v2.key)
            assert answer.content == (await unkept(kept_v2.world, asked, kept_v2.key, monkeypatch)).content
    changed = await kept_v2.v1.ok(path, kept_v2.key)
    assert changed[which] and changed["next_updated_since"] > since


async def test_the_answer_is_the_same_to_the_byte(kept_v2: Kept) -> None:
    """Status, body and headers with and without the routing, also of a 304."""
    for name in LISTS:
        route = await kept_v2.v1.get(f"/{name}", kept_v2.key)
        listed, texts = await kept_v2.statements(f"/{name}")
        assert not texts
        assert (listed.status_code, listed.content) == (200, route.content)
        moving = ("x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit", "date")
        kinds = [{n: v for n, v in one.headers.items() if n not in moving} for one in (route, listed)]
        assert kinds[0] == kinds[1]
        same = await kept_v2.v1.get(f"/{name}", kept_v2.key, If_None_Match=listed.headers["etag"])
        assert (same.status_code, same.content, "content-type" in same.headers) == (304, b"", False)


async def test_both_versions_have_their_own(kept: Kept) -> None:
    """One path and query, asked of each version in turn."""
    v2 = Surface(kept.world, "v2")
    for _ in range(3):
        for name in LISTS:
            assert "total" in await kept.v1.ok(f"/{name}", kept.key)
            assert "next_cursor" in await v2.ok(f"/{name}", kept.key)


async def test_a_cursor_is_nobody_elses(kept_v2: Kept) -> None:
    """Also where its page is kept, and its spelling is known here."""
    world = kept_v2.world
    await world.people(*(person(n) for n in range(2, 5)))
    cursor = (await kept_v2.v1.ok("/people?limit=1", kept_v2.key))["next_cursor"]
    path = f"/people?limit=1&cursor={cursor}"
    for _ in range(2):
        await kept_v2.v1.ok(path, kept_v2.key)
    other = await World(world.app, world.client).open()
    found = await kept_v2.v1.refused(400, "invalid_query_parameters", path, await other.ready_key())
    assert "another workspace" in found["detail"]


async def test_a_kept_page_is_not_for_a_walk_that_began_later(kept_v2: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page one was read by a process that knew of a deletion; here the version of before is still believed."""
    world = kept_v2.world
    await world.people(*(person(n) for n in range(2, 6)))
    first = await kept_v2.v1.ok("/people?limit=2", kept_v2.key)
    second = f"/people?limit=100&cursor={first['next_cursor']}"
    old = await world.runtime.versions.current(world.tenant)
    for _ in range(2):
        gone = (await kept_v2.v1.ok(second, kept_v2.key))["people"][-1]["orcid_id"]
    await _hide(world, gone)

    async def believed(_: Any) -> int:
        return old

    later = await kept_v2.v1.ok("/people?limit=2", kept_v2.key)
    assert later["next_cursor"] != first["next_cursor"]
    monkeypatch.setattr(world.runtime.versions, "current", believed)
    # A page of the new walk that was kept while the old version was believed.
    third = f"/people?limit=100&cursor={later['next_cursor']}"
    for _ in range(3):
        assert gone not in str(await kept_v2.v1.ok(third, kept_v2.key))


async def _hide(world: World, orcid_id: str) -> None:
    from models.people import Person
    from services.people.curating import set_person_visibility

    found = await Person.of(world.tenant).one(Person.id, where=Person.orcid_id == orcid_id)
    await set_person_visibility(world.context(), found["id"], False)


async def test_a_walk_over_kept_pages_is_let_through_to_its_end(v2: Surface, world: World) -> None:
    """Page one reserves its walk also where it comes from the cache."""
    await world.people(*(person(n) for n in range(1, 10)))
    rich = await world.ready_key()
    for _ in range(2):
        await Plugin(v2, rich, "people", 2).walk()
    key = await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=1)
    assert len(await Plugin(v2, key, "people", 2).walk()) == 9
