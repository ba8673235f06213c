"""v2 over HTTP: entity tags, rate limits that let a walk end, preflights, and what is recorded of a use."""

import pytest

from models.operations import UsageCount
from tests.limiter_time import limiter_time  # noqa: F401 - a fixture
from tests.runtime.plugin import Plugin
from tests.runtime.records import orcid, person
from tests.runtime.surface import Surface
from tests.runtime.test_limits import agreed
from tests.world import World

pytestmark = pytest.mark.runtime
NOT_KNOWN = "installation_rate_limit_exceeded"


@pytest.mark.parametrize("path", ["/installation", "/people", "/people?updated_since=0", f"/people/{orcid(1)}"])
async def test_nothing_has_changed(path: str, v2: Surface, world: World) -> None:
    """The tag that was given brings 304 without a body, in any form of the header; another brings the answer."""
    await world.people(person(1))
    key = await world.ready_key()
    first = await v2.get(path, key)
    tag = first.headers["etag"]
    assert tag.startswith('"') and first.headers["cache-control"] == "private, no-cache"
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await v2.get(path, key, If_None_Match=given)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag and "ratelimit" in again.headers
        assert "content-type" not in again.headers
    for given in ('"other"', "", tag.strip('"')):
        again = await v2.get(path, key, If_None_Match=given)
        assert (again.status_code, again.content) == (200, first.content)


async def test_a_tag_never_says_that_nothing_has_changed_wrongly(v2: Surface, world: World) -> None:
    """After a change of anything in the page the old tag brings the new page."""
    await world.people(person(1), person(2))
    key = await world.ready_key()
    tag = (await v2.get("/people", key)).headers["etag"]
    await world.people(person(2, "Another name"))
    changed = await v2.get("/people", key, If_None_Match=tag)
    assert changed.status_code == 200 and "Another name" in changed.text


async def test_pages_have_tags_that_stay(v2: Surface, world: World) -> None:
    """Also a page with a cursor is the same bytes the next time."""
    await world.people(*(person(n) for n in range(1, 6)))
    key = await world.ready_key()
    first = await v2.get("/people?limit=2", key)
    second = f"/people?limit=2&cursor={first.json()['next_cursor']}"
    for path in ("/people?limit=2", second):
        tag = (await v2.get(path, key)).headers["etag"]
        assert (await v2.get(path, key, If_None_Match=tag)).status_code == 304


async def test_a_304_is_counted(v2: Surface, world: World) -> None:
    """It takes from the budget and stands in the ledger as any other answer."""
    key = await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=50)
    tag = (await v2.get("/installation", key)).headers["etag"]
    assert agreed(await v2.get("/installation", key, If_None_Match=tag))[1] == 48
    await world.runtime.usage.flush()
    rows = await UsageCount.of(world.tenant).select(UsageCount.api, UsageCount.operation, UsageCount.count)
    assert [(r["api"], r["operation"], r["count"]) for r in rows] == [("integrations/v2", "get_own_installation", 2)]


async def test_one_budget_for_both_versions(v1: Surface, v2: Surface, world: World) -> None:
    """Who asks both versions has not twice as much."""
    key = await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=3)
    await v1.ok("/installation", key)
    await v2.ok("/installation", key)
    await v1.ok("/installation", key)
    await v2.refused(429, NOT_KNOWN, "/installation", key)
    await v1.refused(429, NOT_KNOWN, "/installation", key)


@pytest.mark.usefixtures("no_waits")
async def test_a_walk_that_is_begun_goes_to_its_end(v2: Surface, world: World) -> None:
    """With no budget left the pages that cursors lead to are served; first pages and other queries are not."""
    await world.people(*(person(n) for n in range(1, 16)))
    key = await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=2)
    plugin = Plugin(v2, key, "people", 2)
    assert len(await plugin.walk()) == 15
    assert plugin.since is not None
    answer = await v2.get("/people?limit=2", key)
    assert answer.status_code == 429 and agreed(answer)[1] == 0
    assert answer.json()["code"] == NOT_KNOWN and answer.headers["retry-after"]
    await v2.refused(429, NOT_KNOWN, f"/people?limit=2&updated_since={plugin.since}", key)
    await v2.refused(429, NOT_KNOWN, "/installation", key)


@pytest.mark.usefixtures("limiter_time")
async def test_pages_pay_for_themselves_while_there_is_budget(v2: Surface, world: World) -> None:
    """The number of pages is not known, so nothing is taken for pages that nobody asks for."""
    await world.people(*(person(n) for n in range(1, 8)))
    key = await world.ready_key(rate_limit_per_minute=60, rate_limit_burst=50)
    first = await v2.get("/people?limit=3", key)
    second = await v2.get(f"/people?limit=3&cursor={first.json()['next_cursor']}", key)
    assert (agreed(first)[1], agreed(second)[1]) == (49, 48)


async def test_a_walk_is_no_way_round_the_limit(v2: Surface, world: World) -> None:
    """What is no cursor of this walk is not covered by it, and a cursor alone begins no walk."""
    await world.people(*(person(n) for n in range(1, 8)))
    rich, poor = await world.ready_key(), await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=1)
    cursor = (await v2.ok("/people?limit=2", rich))["next_cursor"]
    await v2.ok(f"/people?limit=2&cursor={cursor}", poor)
    await v2.refused(429, NOT_KNOWN, f"/people?limit=2&cursor={cursor}", poor)
    await v2.refused(429, NOT_KNOWN, f"/people?limit=2&cursor={cursor}x", poor)


@pytest.mark.usefixtures("no_waits")
async def test_a_walk_has_a_ceiling(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ceiling of a walk bounds what is served beyond the budget."""
    walks = world.runtime.walks
    monkeypatch.setattr(walks, "ceiling", 3)
    await world.people(*(person(n) for n in range(1, 8)))
    v2, key = Surface(world, "v2"), await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=1)
    cursor = (await v2.ok("/people?limit=2", key))["next_cursor"]
    answers = [(await v2.get(f"/people?limit=2&cursor={cursor}", key)).status_code for _ in range(9)]
    assert answers.count(200) == 6 and answers[-1] == 429


async def test_preflights(v2: Surface, world: World) -> None:
    """A verified origin may send the headers that v2 reads; others get no permission."""
    installation = await world.installation(verified=False)
    origin = await world.origin(installation["id"])
    asked = await v2.send("OPTIONS", "/people", Origin=origin["origin"])
    assert asked.status_code == 204 and "If-None-Match" in asked.headers["access-control-allow-headers"]
    asked = await v2.send("OPTIONS", "/people", Origin="https://evil.example")
    assert "access-control-allow-origin" not in asked.headers


async def test_the_document_is_the_snapshot(v2: Surface, world: World) -> None:
    """Served without a key; health names its revision; metrics and logs have a name for the surface."""
    from rest.contracts.documents import snapshot

    answer = await v2.send("GET", "/openapi.json")
    assert answer.content == snapshot("integrations", "v2")
    assert (await v2.ok("/health"))["version"] == answer.json()["info"]["version"]
    metrics = await world.client.get("/metrics")
    assert 'surface="integrations/v2"' in metrics.text
