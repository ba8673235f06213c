"""Rate limits as a client reads them: two families of headers that agree, one budget an installation."""

import re
import time

import httpx
import pytest

from services.credentials import rotate_credential
from tests.limiter_time import limiter_time  # noqa: F401 - a fixture
from tests.runtime import keys
from tests.runtime.records import person
from tests.runtime.surface import Surface
from tests.world import World

pytestmark = pytest.mark.runtime
LIMIT = re.compile(r'"installation";r=(\d+);t=(\d+)')
NAMES = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit-policy", "ratelimit")


def agreed(answer: httpx.Response) -> tuple[int, int, int]:
    """Quota, remaining and seconds to the reset, after a check that both families say the same."""
    headers = answer.headers
    found = LIMIT.fullmatch(headers["ratelimit"])
    assert found is not None, headers["ratelimit"]
    quota, remaining = int(headers["x-ratelimit-limit"]), int(headers["x-ratelimit-remaining"])
    assert headers["ratelimit-policy"] == f'"installation";q={quota};w=60'
    assert int(found[1]) == remaining
    # The answer may have waited to be looked at.
    assert -20 <= int(headers["x-ratelimit-reset"]) - time.time() - int(found[2]) <= 2
    if answer.status_code == 429:
        assert headers["retry-after"] == found[2]
        assert remaining == 0
    return quota, remaining, int(found[2])


@pytest.mark.parametrize("path", ["/installation", "/people", "/publications", "/works", "/projects", "/verify/x"])
async def test_the_headers_of_a_good_answer(path: str, v1: Surface, world: World) -> None:
    """Both families stand on every answer that the limiter counted, refusals by scope or query included."""
    key = await world.ready_key(["people.read"])
    for query in ("", "?page=0"):
        quota, remaining, _ = agreed(await v1.get(path + query, key))
        assert quota == 600
        assert 0 < remaining < 300


async def test_no_headers_without_an_installation(v1: Surface, world: World) -> None:
    """Health and refusals before the limiter name no budget, for there is none."""
    for path, key in (("/health", None), ("/people", None), ("/people", keys.unknown_kid()), ("/nope", None)):
        answer = await v1.get(path, key)
        assert not [name for name in NAMES if name in answer.headers]


async def test_each_request_takes_one(v1: Surface, world: World) -> None:
    """`remaining` goes down by one a request; refusals after the limiter count too."""
    key = await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=50)
    seen = []
    for path in ("/installation", "/people", "/people?page=0", "/projects", "/verify/x"):
        seen.append(agreed(await v1.get(path, key))[1])
    assert seen == [49, 48, 47, 46, 45]


async def test_the_settings_of_an_installation(v1: Surface, world: World) -> None:
    """An installation's own quota and burst are those of its headers and of its refusals."""
    key = await world.ready_key(rate_limit_per_minute=2, rate_limit_burst=3)
    answers = [await v1.get("/people", key) for _ in range(5)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429, 429]
    assert [agreed(a)[0] for a in answers] == [2] * 5
    assert answers[3].json() == {
        "error": "Installation rate limit exceeded", "code": "installation_rate_limit_exceeded", "details": None,
    }  # fmt: skip
    assert 1 <= int(answers[3].headers["retry-after"]) <= 30


async def test_a_quota_below_the_burst(v1: Surface, world: World) -> None:
    """A small quota without a burst of its own lets no more through at once than a minute's worth."""
    key = await world.ready_key(rate_limit_per_minute=2)
    assert [(await v1.get("/people", key)).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.usefixtures("limiter_time")
async def test_keys_of_one_installation_share_its_budget(v1: Surface, world: World) -> None:
    """The budget is the installation's: a second key or a rotation does not double it."""
    installation = await world.installation(rate_limit_per_minute=6, rate_limit_burst=4)
    first, second = [await world.key(installation["id"]) for _ in range(2)]
    rotated = await rotate_credential(world.context(), first.credential["id"])
    order = [first.secret, second.secret, rotated.secret, first.secret, second.secret, rotated.secret]
    assert [(await v1.get("/people", key)).status_code for key in order] == [200, 200, 200, 200, 429, 429]


async def test_installations_do_not_share(v1: Surface, world: World) -> None:
    """One installation's flood is no other's trouble."""
    busy = await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=1)
    calm = await world.ready_key()
    await v1.ok("/people", busy)
    await v1.refused(429, "installation_rate_limit_exceeded", "/people", busy)
    await v1.ok("/people", calm)


async def test_health_and_the_document_are_never_limited(v1: Surface, world: World) -> None:
    """A monitor may ask as often as it likes."""
    key = await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=1)
    for _ in range(5):
        assert (await v1.get("/health", key)).status_code == 200
        assert (await world.get("/openapi.json", key)).status_code == 200


@pytest.mark.usefixtures("limiter_time")
async def test_the_first_page_pays_for_the_walk(v1: Surface, world: World) -> None:
    """Page 1 takes the budget of the pages that follow, and those take none."""
    await world.people(*(person(n) for n in range(1, 11)))
    key = await world.ready_key(rate_limit_per_minute=60, rate_limit_burst=50)
    assert agreed(await v1.get("/people?per_page=2", key))[1] == 45
    for page in (2, 3, 4, 5):
        assert agreed(await v1.get(f"/people?per_page=2&page={page}", key))[1] == 45
    # A second walk pays again.
    assert agreed(await v1.get("/people?per_page=2", key))[1] == 40


async def test_a_walk_that_is_begun_goes_to_its_end(v1: Surface, world: World) -> None:
    """With no budget left, pages 2 and on are served, page 1 and other queries are not."""
    await world.people(*(person(n) for n in range(1, 31)))
    key = await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=3)
    pages = [await v1.get(f"/people?per_page=5&page={page}", key) for page in range(1, 7)]
    assert [a.status_code for a in pages] == [200] * 6
    assert [agreed(a)[1] for a in pages[1:]] == [0] * 5
    assert len({p["orcid_id"] for a in pages for p in a.json()["people"]}) == 30
    await v1.refused(429, "installation_rate_limit_exceeded", "/people?per_page=5", key)
    await v1.refused(429, "installation_rate_limit_exceeded", "/people?per_page=6&page=2", key)
    await v1.refused(429, "installation_rate_limit_exceeded", "/people?per_page=5&page=2&q=x", key)
    await v1.refused(429, "installation_rate_limit_exceeded", "/works?per_page=5&page=2", key)
    await v1.refused(429, "installation_rate_limit_exceeded", "/installation", key)


@pytest.mark.usefixtures("no_waits")
async def test_a_walk_is_no_way_round_the_limit(v1: Surface, world: World) -> None:
    """Each page of a walk is free a bounded number of times, and pages beyond the list are not."""
    await world.people(*(person(n) for n in range(1, 7)))
    key = await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=3)
    await v1.ok("/people?per_page=2", key)
    answers = [(await v1.get("/people?per_page=2&page=2", key)).status_code for _ in range(12)]
    assert answers.count(200) <= 4
    assert answers[-1] == 429
    await v1.refused(429, "installation_rate_limit_exceeded", "/people?per_page=2&page=900", key)


async def test_a_walk_without_its_first_page_is_not_free(v1: Surface, world: World) -> None:
    """Who starts at page 2 pays for it."""
    await world.people(*(person(n) for n in range(1, 7)))
    key = await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=1)
    await v1.ok("/people?per_page=2&page=2", key)
    await v1.refused(429, "installation_rate_limit_exceeded", "/people?per_page=2&page=3", key)


@pytest.mark.parametrize(
    "query", ["per_page=5&page={}", "page={}&per_page=5", "page={}&per_page=5&q=", "q=&page={}&per_page=5"]
)
async def test_the_order_of_parameters_is_no_matter(query: str, v1: Surface, world: World) -> None:
    """Clients write their queries in any order; the walk is the same."""
    await world.people(*(person(n) for n in range(1, 16)))
    key = await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=1)
    for page in (1, 2, 3):
        await v1.ok("/people?" + query.format(page), key)


async def test_the_surface_is_its_own_budget(v1: Surface, world: World) -> None:
    """An odd Origin or query does not open a second bucket."""
    key = await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=2)
    await v1.get("/people?x=1", key)
    await v1.get("/people", key, Origin="https://evil.example")
    await v1.refused(429, "installation_rate_limit_exceeded", "/works?y=2", key)
