"""Rotation with overlap, revocation at once, keys of the former system, and a walk through all of it."""

import asyncio
import hashlib
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from services.credentials import import_credential, revoke_credential, rotate_credential
from tests.limiter_time import limiter_time  # noqa: F401 - a fixture
from tests.runtime.records import person
from tests.runtime.surface import Surface
from tests.world import World

pytestmark = pytest.mark.runtime


async def test_both_keys_work_for_the_grace(v1: Surface, world: World) -> None:
    """The old key works on and says until when; the new one says nothing of the kind."""
    issued = await world.key((await world.installation())["id"], ["people.read"])
    before = await v1.get("/people", issued.secret)
    assert "deprecation" not in before.headers and "sunset" not in before.headers
    new = await rotate_credential(world.context(), issued.credential["id"], 3_600)
    old, young = await v1.get("/people", issued.secret), await v1.get("/people", new.secret)
    assert old.status_code == young.status_code == 200
    rotated_at = int(old.headers["deprecation"].removeprefix("@"))
    assert old.headers["deprecation"].startswith("@")
    assert abs(parsedate_to_datetime(old.headers["sunset"]).timestamp() - rotated_at - 3_600) <= 1
    assert old.headers["sunset"].endswith(" GMT")
    assert "deprecation" not in young.headers and "sunset" not in young.headers
    found = (await v1.ok("/installation", new.secret))["installation"]
    assert found["scopes"] == ["people.read"]
    assert found["credential"]["expires_at"] is None
    old_view = (await v1.ok("/installation", issued.secret))["installation"]["credential"]
    assert old_view["expires_at"] is not None and old_view["status"] == "active"


async def test_refusals_of_a_rotated_key_say_so_too(v1: Surface, world: World) -> None:
    """Also a 403 or 400 to the old key carries its end: a plugin that only logs errors learns of it."""
    issued = await world.key((await world.installation())["id"], ["people.read"])
    await rotate_credential(world.context(), issued.credential["id"])
    for path in ("/works", "/people?page=0"):
        answer = await v1.get(path, issued.secret)
        assert answer.status_code in (400, 403)
        assert "deprecation" in answer.headers and "sunset" in answer.headers


async def test_no_grace_ends_at_once(v1: Surface, world: World) -> None:
    """Rotated without a grace the old key is over; the new one works."""
    issued = await world.key((await world.installation())["id"])
    await v1.ok("/people", issued.secret)
    new = await rotate_credential(world.context(), issued.credential["id"], 0)
    await v1.refused(403, "inactive_installation_credential", "/people", issued.secret)
    await v1.ok("/people", new.secret)


async def test_a_revoked_key_is_refused_at_once(v1: Surface, world: World) -> None:
    """A warm key too is refused by the first request after its revocation; its siblings work on."""
    installation = await world.installation()
    first, second = [await world.key(installation["id"]) for _ in range(2)]
    await v1.ok("/people", first.secret)
    await revoke_credential(world.context(), first.credential["id"])
    await v1.refused(403, "inactive_installation_credential", "/people", first.secret)
    await v1.ok("/people", second.secret)


@pytest.mark.parametrize("text", ["legacy-key-0123456789abcdef", "lk_1", "pk.AbC/+=="])
async def test_a_key_of_the_former_system(text: str, v1: Surface, world: World) -> None:
    """Taken over by its hash alone, the key that a customer holds already opens the installation."""
    installation = await world.installation()
    digest = hashlib.sha256(f"{world.slug}{text}".encode()).hexdigest()
    await import_credential(world.context(), installation["id"], "Former key", digest, ["people.read"])
    key = f"{world.slug}{text}"
    assert (await v1.ok("/installation", key))["installation"]["credential"]["label"] == "Former key"
    await v1.ok("/people", f"  {key} ")
    await v1.refused(403, "installation_scope_denied", "/works", key)
    await v1.refused(401, "invalid_installation_credential", "/people", key.upper())
    await v1.refused(401, "invalid_installation_credential", "/people", digest)


async def walk(v1: Surface, key: str, path: str = "/people", per_page: int = 100) -> list[Any]:
    """What a naive plugin does: page after page, stopping at the first answer that is no 200."""
    found: list[Any] = []
    page, pages = 1, 1
    while page <= pages:
        answer = await v1.get(f"{path}?page={page}&per_page={per_page}&q=", key)
        if answer.status_code != 200:
            break
        body = answer.json()
        found, pages, page = found + body[path[1:]], body["pages"], page + 1
    return found


NAMES = [lambda n: f"Person {n:04d}", lambda n: {"en": f"Person {n:04d}", "pt": None, "ja": f"人 {n}"}]


@pytest.mark.usefixtures("limiter_time")
async def test_a_walk_during_rotation_under_load(v1: Surface, world: World) -> None:
    """257 people at 100 a page: the whole list comes, in order, while the key is rotated, another client of the
    same installation exhausts the limiter, and every page after the first is served."""
    people = [person(n, NAMES[n % 2](n), {"en": f"Biography {n}"} if n % 3 else None) for n in range(1, 258)]
    await world.people(*people)
    installation = await world.installation(rate_limit_per_minute=60, rate_limit_burst=20)
    issued = await world.key(installation["id"], ["people.read"])
    first = await v1.get("/people?page=1&per_page=100&q=", issued.secret)
    assert first.status_code == 200
    done, exhausted = asyncio.Event(), asyncio.Event()
    refused = []

    async def exhaust() -> None:
        while not done.is_set():
            refused.append((await v1.get("/installation", issued.secret)).status_code)
            if refused[-1] == 429:
                exhausted.set()
            await asyncio.sleep(0.001)

    async def rotate() -> str:
        rotated = await rotate_credential(world.context(), issued.credential["id"])
        return str(rotated.secret)

    busy = asyncio.create_task(exhaust())
    await exhausted.wait()
    try:
        second, new = await asyncio.gather(v1.get("/people?page=2&per_page=100&q=", issued.secret), rotate())
        # The plugin is given the new key in mid-walk.
        third = await v1.get("/people?page=3&per_page=100&q=", new)
    finally:
        done.set()
        await busy
    assert [a.status_code for a in (second, third)] == [200, 200]
    assert "deprecation" not in third.headers
    found = [p for answer in (first, second, third) for p in answer.json()["people"]]
    assert len(found) == 257 == len({p["orcid_id"] for p in found})
    assert [(p["orcid_id"], p["name"], p["biography"]) for p in found] == [
        (p.orcid_id, p.name, p.biography) for p in people
    ]
    assert refused.count(200) < 25


@pytest.mark.usefixtures("limiter_time", "no_waits")
async def test_walks_of_many_clients_never_break_off(v1: Surface, world: World) -> None:
    """However many walks compete for one budget, each either is refused at page 1 or sees everybody."""
    await world.people(*(person(n) for n in range(1, 54)))
    installation = await world.installation(rate_limit_per_minute=60, rate_limit_burst=15)
    walkers = [str((await world.key(installation["id"])).secret) for _ in range(8)]
    found = await asyncio.gather(*(walk(v1, key, per_page=10) for key in walkers))
    sizes = [len(people) for people in found]
    assert set(sizes) <= {0, 53}
    assert 53 in sizes


async def test_the_quota_is_exact_without_walks(v1: Surface, world: World) -> None:
    """Concurrent requests of one page each: exactly the burst is admitted."""
    key = await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=20)
    answers = await asyncio.gather(*(v1.get("/people", key) for _ in range(60)))
    assert sorted(a.status_code for a in answers) == [200] * 20 + [429] * 40
