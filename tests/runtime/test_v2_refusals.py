"""Each endpoint of v2 × each way to be refused: the status, the code, and a problem document (RFC 9457)."""

from typing import Any, get_args
from urllib.parse import quote

import pytest

from app.errors import REGISTRY
from app.ids import new_id
from models.audit import AuditEvent
from rest.integrations_v2.errors import PAGES
from rest.integrations_v2.shapes import Code
from tests.runtime import keys
from tests.runtime.records import made as works_of
from tests.runtime.records import orcid, person, publication
from tests.runtime.surface import Surface
from tests.world import ALL_SCOPES, World

pytestmark = pytest.mark.runtime
SCOPED = {
    "/people": "people.read",
    f"/people/{orcid(1)}": "people.read",
    f"/people/{orcid(1)}/publications": "publications.read",
    "/publications": "publications.read",
    "/works": "works.read",
    "/projects": "projects.read",
}
KEYED = ["/installation", *SCOPED, "/verify/{origin}"]
LISTS = ["/people", "/publications", "/works", "/projects"]


async def opened(world: World, scopes: list[str] = ALL_SCOPES) -> tuple[str, dict[str, Any]]:
    """A good key of a workspace with one person, and an origin of its installation."""
    await world.people(person(1), works=works_of([publication(1)]))
    installation = await world.installation(verified=False)
    origin = await world.origin(installation["id"])
    return str((await world.key(installation["id"], scopes)).secret), origin


async def problem(v2: Surface, status: int, code: str, path: str, key: str | None = None, **headers: str) -> Any:
    """A refusal, whose members agree with each other and with the answer."""
    answer = await v2.get(path, key, **headers)
    found = answer.json()
    assert (answer.status_code, found["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert found["status"] == status and found["title"] == REGISTRY[code].text and found["detail"]
    assert found["type"] == f"/docs/errors/{code}"
    assert found["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"
    return found


@pytest.mark.parametrize("path", KEYED)
async def test_a_good_key_is_let_in(path: str, v2: Surface, world: World) -> None:
    """The endpoint answers 200 in the documented form."""
    key, origin = await opened(world)
    await v2.ok(path.format(origin=origin["id"]), key)


async def test_health_needs_nothing(v2: Surface) -> None:
    """Health answers anybody, and does not mind a key that is wrong."""
    assert await v2.ok("/health") == await v2.ok("/health", "nonsense")


@pytest.mark.parametrize("path", KEYED)
async def test_no_key_and_bad_keys(path: str, v2: Surface, world: World) -> None:
    """Without a key 401 `missing_api_key`; with one that is malformed or unknown 401, not told apart."""
    key, origin = await opened(world)
    path = path.format(origin=origin["id"])
    for absent in (None, "", "   "):
        await problem(v2, 401, "missing_api_key", path, absent)
    await problem(v2, 401, "missing_api_key", path, None, Authorization=f"Bearer {key}")
    for bad in ("nonsense", keys.unknown_kid(), keys.wrong_secret(key), keys.wrong_checksum(key)):
        await problem(v2, 401, "invalid_installation_credential", path, bad)


@pytest.mark.parametrize("path", KEYED)
@pytest.mark.parametrize(("state", "code"), keys.STATES.items(), ids=keys.STATES.keys())
async def test_inactive(path: str, state: str, code: str, v2: Surface, world: World) -> None:
    """A key that is over, or whose installation is not active, is 403 with its own code."""
    key = await keys.key_in(world, state)
    path = path.format(origin=new_id())
    if state == "pending" and path.startswith("/verify"):
        await problem(v2, 404, "origin_not_found", path, key)
    else:
        await problem(v2, 403, code, path, key)


@pytest.mark.parametrize("path", KEYED)
async def test_origins(path: str, v2: Surface, world: World) -> None:
    """A foreign Origin header is 403; a verified one is let in and may read the answer and its tag."""
    key, origin = await opened(world)
    path = path.format(origin=origin["id"])
    await problem(v2, 403, "origin_mismatch", path, key, Origin="https://evil.example")
    answer = await v2.get(path, key, Origin=origin["origin"])
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin["origin"]
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert {"Origin", "X-API-Key"} <= set(answer.headers["vary"].split(", "))


@pytest.mark.parametrize("path", SCOPED)
async def test_a_missing_scope(path: str, v2: Surface, world: World) -> None:
    """403 names the scope that is needed and those that are held, also before a bad query is looked at."""
    held = sorted(scope for scope in ALL_SCOPES if scope != SCOPED[path])
    key, _ = await opened(world, held)
    found = await problem(v2, 403, "installation_scope_denied", path + "?nonsense=1", key)
    assert (found["required_scope"], found["granted_scopes"]) == (SCOPED[path], held)


async def test_denials_stand_in_the_history(v2: Surface, world: World) -> None:
    """A denial is an audit event with the operation and the request id, as in v1."""
    key, _ = await opened(world, ["works.read"])
    found = await problem(v2, 403, "installation_scope_denied", "/people", key)
    where = (AuditEvent.tenant == world.tenant) & (AuditEvent.outcome == "deny")
    [event] = await AuditEvent.select().where(where)
    assert (event["resource_id"], event["rule"], event["request_id"]) == ("list_people", "scope", found["request_id"])


BAD = [
    ("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("limit=1.5", "limit"), ("limit=", "limit"),
    ("updated_since=-1", "updated_since"), ("updated_since=2026-01-01T00:00:00Z", "updated_since"),
    ("updated_since=9007199254740992", "updated_since"), ("q=" + "a" * 201, "q"), ("q=%00", "q"),
    ("cursor=", "cursor"), ("cursor=abc", "cursor"), ("cursor=%C3%A9", "cursor"), ("cursor=" + "A" * 5_000, "cursor"),
    ("page=1", "page"), ("per_page=10", "per_page"), ("update_since=1", "update_since"), ("limit=1&limit=2", "limit"),
    ("updated_since=0&q=a", "updated_since"), ("limit=1.0", "limit"), ("limit=1e1", "limit"), ("limit=1.", "limit"),
    ("updated_since=1e12", "updated_since"), ("updated_since=0.0", "updated_since"),
]  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(("query", "name"), BAD, ids=lambda v: v[:30])
async def test_a_bad_query(path: str, query: str, name: str, v2: Surface, world: World) -> None:
    """400 names the parameter and its rule; also what v1 took, and what is misspelt."""
    key = await world.ready_key()
    found = await problem(v2, 400, "invalid_query_parameters", f"{path}?{query}", key)
    assert [error["name"] for error in found["errors"]] == [name]
    assert found["errors"][0]["detail"] in found["detail"]


async def test_cursors_belong_to_their_query(v2: Surface, world: World) -> None:
    """A cursor of another list, filter, workspace, or one that was changed, is refused and says whose it is."""
    for n in range(1, 4):
        await world.people(person(n, f"Person {n}"), works=works_of([publication(n)]))
    key = await world.ready_key()
    cursor = (await v2.ok("/people?limit=1", key))["next_cursor"]
    assert len((await v2.ok(f"/people?limit=2&cursor={cursor}", key))["people"]) == 2

    async def told(path: str, whose: str = key) -> str:
        found = await problem(v2, 400, "invalid_query_parameters", path, whose)
        assert [error["name"] for error in found["errors"]] == ["cursor"]
        return str(found["detail"])

    assert "/people" in await told(f"/publications?limit=1&cursor={cursor}")
    assert "other parameters" in await told(f"/people?limit=1&q=person&cursor={cursor}")
    assert "other parameters" in await told(f"/people?limit=1&updated_since=0&cursor={cursor}")
    changed = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    assert "next_cursor" in await told(f"/people?limit=1&cursor={changed}")
    stranger = await World(world.app, world.client).open()
    await stranger.people(person(1))
    assert "another workspace" in await told(f"/people?limit=1&cursor={cursor}", await stranger.ready_key())


@pytest.mark.parametrize("path", ["/nope", "/people/", "/people/x/works", "/verify", "/v1/people", "/%2e%2e/v1/people"])
async def test_unknown_paths(path: str, v2: Surface, world: World) -> None:
    """404 under the prefix in the contract's form, with a key and without; a slash at the end is no other path."""
    key = await world.ready_key()
    if path == "/people/":
        assert (await v2.send("GET", path, key)).status_code == 200
        return
    await problem(v2, 404, "not_found", path, key)
    await problem(v2, 404, "not_found", path)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_other_methods(method: str, v2: Surface, world: World) -> None:
    """405 with Allow, as a problem."""
    answer = await v2.send(method, "/people", await world.ready_key())
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, OPTIONS"
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_large_body(v2: Surface, world: World) -> None:
    """413 before anything is read, as a problem with the request id."""
    size = str(world.app.settings.max_body_bytes + 1)
    answer = await v2.send("GET", "/people", await world.ready_key(), Content_Length=size)
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["content-type"] == "application/problem+json"


async def test_what_breaks_inside(v2: Surface, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 tells the request id and nothing of what broke."""
    key = await world.ready_key()
    await v2.ok("/people", key)

    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("SELECT secret FROM vault")

    monkeypatch.setattr("services.people.reading.feed_page", broken)
    found = await problem(v2, 500, "internal_error", "/people?limit=3", key)
    assert "secret" not in str(found)


@pytest.mark.parametrize("given", ["not-a-uuid", "0", "%00", "'", "a" * 3_000, quote("é")])
async def test_verify_with_an_odd_id(given: str, v2: Surface, world: World) -> None:
    """An id that is no id is a missing origin."""
    await problem(v2, 404, "origin_not_found", f"/verify/{given}", await world.ready_key())


@pytest.mark.parametrize("code", get_args(Code))
async def test_the_type_of_a_problem_can_be_opened(code: str, world: World) -> None:
    """The page of every code of the contract is where `type` says, for anybody (RFC 9457 section 3.1.1)."""
    page = await world.client.get(f"{PAGES}/{code}")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert f"<code>{code}</code>" in page.text
