"""Each endpoint × each way to be refused: the exact status, code and body of the contract."""

from typing import Any

import pytest

from app.ids import new_id
from services.origins.registry import remove_origin
from tests.runtime import keys
from tests.runtime.surface import Surface
from tests.world import ALL_SCOPES, World

pytestmark = pytest.mark.runtime
SCOPED = {
    "/people": "people.read",
    "/publications": "publications.read",
    "/works": "works.read",
    "/projects": "projects.read",
}
#: Every endpoint that wants a key; `{origin}` is an origin of the key's own installation.
KEYED = ["/installation", *SCOPED, "/verify/{origin}"]


async def opened(world: World, scopes: list[str] = ALL_SCOPES, **given: Any) -> tuple[str, dict[str, Any]]:
    """A good key, and an origin of its installation."""
    installation = await world.installation(verified=False)
    origin = await world.origin(installation["id"])
    return str((await world.key(installation["id"], scopes, **given)).secret), origin


async def test_health_needs_nothing(v1: Surface) -> None:
    """Health answers anybody, and does not mind a key that is wrong."""
    assert await v1.ok("/health") == await v1.ok("/health", "nonsense")


@pytest.mark.parametrize("path", KEYED)
async def test_a_good_key_is_let_in(path: str, v1: Surface, world: World) -> None:
    """The endpoint answers 200 in the documented form."""
    key, origin = await opened(world)
    await v1.ok(path.format(origin=origin["id"]), key)


@pytest.mark.parametrize("mode", ["live", "test"])
async def test_keys_of_both_modes_work(mode: str, v1: Surface, world: World) -> None:
    """A test key opens its installation as a live one does."""
    key, _ = await opened(world, mode=mode)
    assert key.startswith(f"dvt_{mode}_")
    assert (await v1.ok("/installation", key))["installation"]["status"] == "active"


@pytest.mark.parametrize("path", KEYED)
@pytest.mark.parametrize("key", [None, "", "   ", "\t"], ids=["absent", "empty", "blank", "tab"])
async def test_no_key(path: str, key: str | None, v1: Surface) -> None:
    """Without a key, or with a blank one, the answer is 401 `missing_api_key` with the text that clients match."""
    answer = await v1.get(path.format(origin=new_id()), key)
    assert answer.status_code == 401
    assert answer.json() == {"error": "Missing API key", "code": "missing_api_key", "details": None}


@pytest.mark.parametrize("path", KEYED)
async def test_a_bearer_token_is_no_key(path: str, v1: Surface, world: World) -> None:
    """A bearer header alone counts as no key, even where the token is good or is a key itself."""
    key, origin = await opened(world)
    for token in (world.token("admin"), key):
        headers = {"Authorization": f"Bearer {token}"}
        await v1.refused(401, "missing_api_key", path.format(origin=origin["id"]), None, **headers)


async def test_a_key_in_the_query_is_no_key(v1: Surface, world: World) -> None:
    """A key belongs in the header: in a URL it would end up in logs."""
    key, _ = await opened(world)
    await v1.refused(401, "missing_api_key", f"/people?api_key={key}&X-API-Key={key}")


@pytest.mark.parametrize("path", KEYED)
@pytest.mark.parametrize("key", keys.MALFORMED.values(), ids=keys.MALFORMED.keys())
async def test_malformed_keys(path: str, key: str, v1: Surface, world: World) -> None:
    """What is no key at all answers as an unknown key does."""
    details = await refused_bytes(v1, world, path.format(origin=new_id()), key)
    assert details is None


async def refused_bytes(v1: Surface, world: World, path: str, key: str) -> Any:
    """The details of a 401 for a header value that may not be ASCII."""
    answer = await world.client.get(f"/integrations/v1{path}", headers=[(b"X-API-Key", key.encode("latin-1"))])
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_installation_credential"), answer.text
    assert answer.json()["error"] == "Invalid installation credential"
    return answer.json()["details"]


@pytest.mark.parametrize("path", KEYED)
@pytest.mark.parametrize("spoil", [keys.swapped, keys.swapped_only, keys.wrong_secret, keys.wrong_checksum])
async def test_spoilt_keys(path: str, spoil: Any, v1: Surface, world: World) -> None:
    """A key with a swapped prefix, a wrong secret or a wrong checksum is not told from an unknown one."""
    key, origin = await opened(world)
    path = path.format(origin=origin["id"])
    await v1.refused(401, "invalid_installation_credential", path, spoil(key))
    await v1.ok(path, key)
    await v1.refused(401, "invalid_installation_credential", path, spoil(key))


@pytest.mark.parametrize("path", KEYED)
async def test_an_unknown_key(path: str, v1: Surface) -> None:
    """A well-formed key that nobody issued is 401."""
    await v1.refused(401, "invalid_installation_credential", path.format(origin=new_id()), keys.unknown_kid())


async def test_unknown_keys_are_not_told_apart(v1: Surface, world: World) -> None:
    """The bodies for a malformed, an unknown and a half-known key are the same bytes."""
    key, _ = await opened(world)
    answers = [await v1.get("/people", bad) for bad in ("nonsense", keys.unknown_kid(), keys.wrong_secret(key))]
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(set(answer.headers) - {"content-length"})) for answer in answers}) == 1


@pytest.mark.parametrize("path", KEYED)
@pytest.mark.parametrize(("state", "code"), keys.STATES.items(), ids=keys.STATES.keys())
async def test_inactive(path: str, state: str, code: str, v1: Surface, world: World) -> None:
    """A key that is over, or whose installation is not active, is 403 with its own code."""
    key = await keys.key_in(world, state)
    path = path.format(origin=new_id())
    if state == "pending" and path.startswith("/verify"):
        # The one endpoint that serves an installation that waits for its verification.
        await v1.refused(404, "origin_not_found", path, key)
    else:
        await v1.refused(403, code, path, key)


@pytest.mark.parametrize("path", KEYED)
async def test_losing_the_last_origin(path: str, v1: Surface, world: World) -> None:
    """Without a verified origin the installation waits again and serves nothing but the verification."""
    key, origin = await opened(world)
    await v1.ok("/installation", key)
    await remove_origin(world.context(), origin["id"])
    if path.startswith("/verify"):
        await v1.refused(404, "origin_not_found", f"/verify/{origin['id']}", key)
    else:
        # With no origin left at all nothing waits for a proof, and the refusal is the same.
        await v1.refused(403, "origin_not_verified", path, key)


@pytest.mark.parametrize("path", KEYED)
async def test_a_foreign_origin_header(path: str, v1: Surface, world: World) -> None:
    """An Origin header that is no verified origin of this installation is refused, whosever it is."""
    key, origin = await opened(world)
    _, other = await opened(world)
    unproven = await world.origin(origin["installation"], verified=False)
    path = path.format(origin=origin["id"])
    for name in (other["origin"], unproven["origin"], "https://evil.example", "null", "", origin["origin"] + "/"):
        answer = await v1.get(path, key, Origin=name)
        assert (answer.status_code, answer.json()["code"]) == (403, "origin_mismatch"), name
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", KEYED)
async def test_the_own_origin_header(path: str, v1: Surface, world: World) -> None:
    """A verified origin of the installation is let in and may read the answer in a browser."""
    key, origin = await opened(world)
    answer = await v1.get(path.format(origin=origin["id"]), key, Origin=origin["origin"])
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin["origin"]
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("path", SCOPED)
async def test_a_missing_scope(path: str, v1: Surface, world: World) -> None:
    """Without its scope an endpoint is 403; the details say which is needed and which are held."""
    held = [scope for scope in ALL_SCOPES if scope != SCOPED[path]]
    key, _ = await opened(world, held)
    details = await v1.refused(403, "installation_scope_denied", path, key)
    assert details == {"required_scope": SCOPED[path], "granted_scopes": sorted(held)}


@pytest.mark.parametrize("scope", ALL_SCOPES)
async def test_one_scope_opens_one_list(scope: str, v1: Surface, world: World) -> None:
    """A key with a single scope reads its own list, the installation and the verification, and no other list."""
    key, origin = await opened(world, [scope])
    for path, needed in SCOPED.items():
        assert (await v1.get(path, key)).status_code == (200 if needed == scope else 403)
    assert (await v1.ok("/installation", key))["installation"]["scopes"] == [scope]
    await v1.ok(f"/verify/{origin['id']}", key)


@pytest.mark.parametrize("given", ["not-a-uuid", "0", "%00", "..", "%2e%2e", "'", "a" * 5_000])
async def test_verify_with_an_odd_id(given: str, v1: Surface, world: World) -> None:
    """An id that is no id is a missing origin, or a path that leads nowhere; never more than 404."""
    key, _ = await opened(world)
    answer = await v1.get(f"/verify/{given}", key)
    assert answer.status_code == 404


async def test_verify_serves_only_the_own_installation(v1: Surface, world: World) -> None:
    """Another installation's origin, of the same tenant, is not found."""
    key, _ = await opened(world)
    _, other = await opened(world)
    await v1.refused(404, "origin_not_found", f"/verify/{other['id']}", key)
    await v1.refused(404, "origin_not_found", f"/verify/{new_id()}", key)


async def test_verify_answers_while_pending(v1: Surface, world: World) -> None:
    """A pending installation sees the state of its origin, looked at at most once in ten seconds."""
    installation = await world.installation(verified=False)
    origin = await world.origin(installation["id"], "https://unreachable.invalid", verified=False)
    key = str((await world.key(installation["id"])).secret)
    first = (await v1.ok(f"/verify/{origin['id']}", key))["origin"]
    assert (first["origin"], first["verification_status"]) == ("https://unreachable.invalid", "failed")
    again = (await v1.ok(f"/verify/{origin['id']}", key))["origin"]
    assert again == first


async def test_the_installation_as_the_key_sees_it(v1: Surface, world: World) -> None:
    """Names, scopes, origins and the presented credential, and nothing of any other key."""
    made = await world.installation(verified=False, platform="wordpress", description="Main site")
    verified = await world.origin(made["id"], "https://example.org")
    await world.origin(made["id"], "https://b.example.org", verified=False)
    key = await world.key(made["id"], ["works.read", "people.read"])
    other = await world.key(made["id"], ["projects.read"])
    found = (await v1.ok("/installation", key.secret))["installation"]
    assert (found["id"], found["workspace_id"]) == (str(made["id"]), str(world.tenant))
    assert (found["platform"], found["status"], found["description"]) == ("wordpress", "active", "Main site")
    assert found["scopes"] == ["people.read", "works.read"]
    assert [(o["origin"], o["verification_status"]) for o in found["origins"]] == [
        ("https://example.org", "verified"), ("https://b.example.org", "pending"),
    ]  # fmt: skip
    assert found["origins"][0]["verified_at"] == verified["verified_at"]
    assert found["credential"]["id"] == str(key.credential["id"])
    assert (await v1.ok("/installation", other.secret))["installation"]["credential"]["id"] == str(
        other.credential["id"]
    )
    assert key.secret[18:] not in str(found) and "digest" not in str(found)
