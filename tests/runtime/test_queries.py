"""Bad queries: each parameter × each bad value, and the order in which a request is judged."""

import time
from urllib.parse import quote

import pytest

from app.clock import MINUTE
from rest.integrations_v1.queries import RULES
from services.installations import disable_installation
from tests.runtime import keys
from tests.runtime.surface import Surface
from tests.world import World

pytestmark = pytest.mark.runtime
LISTS = ["/people", "/publications", "/works", "/projects"]
INTEGERS = [
    "",
    " ",
    "a",
    "-1",
    "1.5",
    "0x1",
    "NaN",
    "Infinity",
    "true",
    "null",
    "[]",
    "1,2",
    "1 2",
    "١",
    "１",
    "1_0",
    "9" * 30,
]
CONTROLS = ["%00", "a%00b", "%01", "a%0Ab", "a%0Db", "a%1Fb", "%7F", "%C2%80"]
YEARS = ["-1", "10000", "20x5", "", "2020.5", "9" * 30]
BAD: dict[str, tuple[list[str], list[str]]] = {
    "page": (LISTS, [*INTEGERS, "0", "9007199254740992"]),
    "per_page": (LISTS, [*INTEGERS, "0", "101", "1000000"]),
    "q": (LISTS, [*CONTROLS, "a" * 201, "%F0%9F%A6%80" * 201]),
    "dir": (["/publications", "/works"], ["", "ASC", "up", "asc,desc", "1"]),
    "sort": (
        ["/publications", "/works"],
        ["", "title", "id", "-created_at", "id;drop table person", "LAST_FETCHED_AT"],
    ),
    "publication_year": (["/publications", "/works"], YEARS),
    "min_cited_by": (["/publications"], ["-1", "2147483648", "many", "1.5", ""]),
    "publication_type": (["/publications"], CONTROLS),
    "work_type": (["/works"], CONTROLS),
}
CASES = [
    pytest.param(path, name, values, id=f"{path}?{name}") for name, (paths, values) in BAD.items() for path in paths
]


def query(value: str) -> str:
    return value if "%" in value else quote(value)


@pytest.fixture
async def key(world: World) -> str:
    return await world.ready_key(rate_limit_per_minute=100_000, rate_limit_burst=100_000)


@pytest.mark.parametrize(("path", "name", "values"), CASES)
async def test_bad_values(path: str, name: str, values: list[str], v1: Surface, key: str) -> None:
    """The refusal names the parameter and the rule that it breaks, and nothing else."""
    for value in values:
        details = await v1.refused(400, "invalid_query_parameters", f"{path}?{name}={query(value)}", key)
        assert details == {name: RULES[name]}, value


async def test_every_bad_parameter_is_named(v1: Surface, key: str) -> None:
    """Several bad parameters are all named in one answer."""
    details = await v1.refused(
        400, "invalid_query_parameters", "/publications?page=0&per_page=101&sort=x&dir=y&min_cited_by=-1", key
    )
    assert set(details) == {"page", "per_page", "sort", "dir", "min_cited_by"}


@pytest.mark.parametrize("path", LISTS)
async def test_the_edges_are_good(path: str, v1: Surface, key: str) -> None:
    """The least and the greatest of each parameter are accepted and echoed."""
    for page, per_page in ((1, 1), (2**53 - 1, 100)):
        found = await v1.ok(f"{path}?page={page}&per_page={per_page}&q={'a' * 200}", key)
        assert (found["page"], found["per_page"], found["q"]) == (page, per_page, "a" * 200)


@pytest.mark.parametrize("path", LISTS)
async def test_what_is_not_known_is_not_minded(path: str, v1: Surface, key: str) -> None:
    """Parameters that the contract does not know change nothing: plugins add their own."""
    assert await v1.ok(f"{path}?utm_source=x&_=1&page[]=7&__proto__=1", key) == await v1.ok(path, key)


async def test_defaults(v1: Surface, key: str) -> None:
    """Page 1, 20 a page, no query; an empty list has no pages."""
    for path in LISTS:
        found = await v1.ok(path, key)
        assert found == {path[1:]: [], "page": 1, "per_page": 20, "total": 0, "pages": 0, "q": ""}


async def test_q_is_trimmed_and_echoed(v1: Surface, key: str) -> None:
    """What is echoed is what was searched for."""
    assert (await v1.ok("/people?q=%20%20ada%20%20", key))["q"] == "ada"
    assert (await v1.ok("/people?q=%20%20", key))["q"] == ""
    assert (await v1.ok("/people?q=" + "a" * 200 + "%20" * 50, key))["q"] == "a" * 200


# --- the order of checks: header → key → credential → installation → rate → origin → scope → query ---


async def test_a_bad_query_with_a_bad_key_is_401(v1: Surface) -> None:
    """Who has no key learns nothing of the parameters."""
    await v1.refused(401, "missing_api_key", "/people?page=0")
    await v1.refused(401, "invalid_installation_credential", "/people?page=0", keys.unknown_kid())


async def test_the_scope_comes_before_the_query(v1: Surface, world: World) -> None:
    """A missing scope is told first."""
    key = await world.ready_key(["works.read"])
    await v1.refused(403, "installation_scope_denied", "/people?page=0", key)


async def test_the_origin_comes_before_the_scope(v1: Surface, world: World) -> None:
    """A foreign Origin header is told before the missing scope."""
    key = await world.ready_key(["works.read"])
    await v1.refused(403, "origin_mismatch", "/people?page=0", key, Origin="https://evil.example")


async def test_the_rate_limit_comes_before_the_origin(v1: Surface, world: World) -> None:
    """An exhausted installation is 429 whatever else is wrong with the request."""
    key = await world.ready_key(["works.read"], rate_limit_per_minute=1, rate_limit_burst=1)
    await v1.refused(403, "origin_mismatch", "/people?page=0", key, Origin="https://evil.example")
    await v1.refused(429, "installation_rate_limit_exceeded", "/people?page=0", key, Origin="https://evil.example")


async def test_the_installation_comes_before_the_rate_limit(v1: Surface, world: World) -> None:
    """A disabled installation is told so, however often it asks."""
    installation = await world.installation(rate_limit_per_minute=1, rate_limit_burst=1)
    key = str((await world.key(installation["id"])).secret)
    await disable_installation(world.context(), installation["id"])
    for _ in range(3):
        await v1.refused(403, "inactive_installation", "/people", key, Origin="https://evil.example")


async def test_the_credential_comes_before_the_installation(v1: Surface, world: World) -> None:
    """A key that is over in an installation that is disabled: the key is told first."""
    installation = await world.installation()
    issued = await world.key(installation["id"])
    await disable_installation(world.context(), installation["id"])
    await keys.set_credential(world, issued.credential, expires_at=int(time.time() * 1000) - MINUTE)
    await v1.refused(403, "inactive_installation_credential", "/people", issued.secret)


async def test_a_wrong_secret_comes_before_the_credential(v1: Surface, world: World) -> None:
    """Whose key is revoked is told only to who has the whole key."""
    key = await keys.key_in(world, "revoked credential")
    await v1.refused(401, "invalid_installation_credential", "/people", keys.wrong_secret(key))
    await v1.refused(403, "inactive_installation_credential", "/people", key)


@pytest.mark.parametrize(("text", "page"), [("1.0", 1), ("2e0", 2), ("1e1", 10), ("1.00", 1)])
async def test_an_integer_in_another_form_is_read_as_one(v1: Surface, world: World, text: str, page: int) -> None:
    """v1 is frozen and has always taken these (decision 0018); the answer shows the plain integer."""
    answer = await v1.ok(f"/people?page={text}", await world.ready_key())
    assert (answer["page"], type(answer["page"])) == (page, int)
