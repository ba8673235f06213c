"""What stays of a request: uses, last-used instants, refusals in the audit history, and why it was refused."""

from typing import Any

import pytest

from app.auth.principal import NO_TENANT
from app.clock import iso
from app.errors import NotFound
from app.ids import new_request_id
from models.audit import AuditEvent
from models.installations import Credential
from models.operations import UsageCount
from services.audit import explain_decision
from services.installations import disable_installation
from tests.runtime import keys
from tests.runtime.surface import Surface
from tests.world import World

pytestmark = pytest.mark.runtime


async def denials(world: World, tenant: Any = None) -> list[dict[str, Any]]:
    """The refusals that are written, the oldest first."""
    where = (AuditEvent.tenant == (tenant or world.tenant)) & (AuditEvent.outcome == "deny")
    return await AuditEvent.select().where(where).order_by(AuditEvent.id)


async def used_at(world: World, credential: Any) -> int | None:
    row = await Credential.of(world.tenant).one(Credential.last_used_at, where=Credential.id == credential["id"])
    assert row is not None
    return row["last_used_at"]


async def test_uses_are_counted(v1: Surface, world: World) -> None:
    """Served requests are counted per installation, operation and day; refused ones are not; a flush adds up."""
    installation = await world.installation()
    issued = await world.key(installation["id"], ["people.read"])
    for path in ("/people", "/people?q=a", "/people?page=0", "/works", "/installation"):
        await v1.get(path, issued.secret)
    await world.runtime.usage.flush()
    await v1.get("/people", issued.secret)
    await world.runtime.usage.flush()
    await world.runtime.usage.flush()
    rows = await UsageCount.of(world.tenant).select(
        UsageCount.operation, UsageCount.api, UsageCount.day, UsageCount.count
    )
    counts = {row["operation"]: row["count"] for row in rows}
    assert counts == {"list_people": 4, "get_own_installation": 1}
    assert {row["api"] for row in rows} == {"integrations/v1"}
    assert {row["day"] for row in rows} == {iso(world.runtime.clock.now_ms())[:10]}


async def test_last_used_is_written_by_the_flush(v1: Surface, world: World) -> None:
    """A request writes nothing; the flush writes the instant of the last one, and never goes back."""
    issued = await world.key((await world.installation())["id"])
    started = world.runtime.clock.now_ms()
    await v1.ok("/people", issued.secret)
    assert await used_at(world, issued.credential) is None
    await world.runtime.usage.flush()
    first = await used_at(world, issued.credential)
    assert first is not None and started <= first <= world.runtime.clock.now_ms()
    shown = (await v1.ok("/installation", issued.secret))["installation"]["credential"]["last_used_at"]
    assert shown == first
    await world.runtime.usage.flush()
    later = await used_at(world, issued.credential)
    assert later is not None and later >= first


async def test_a_flush_that_fails_loses_nothing(v1: Surface, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written is written by the next flush."""
    key = await world.ready_key()
    await v1.ok("/people", key)
    usage = world.runtime.usage

    async def broken(*_: Any) -> None:
        raise OSError("disk")

    with monkeypatch.context() as patched:
        patched.setattr(usage, "_write", broken)
        with pytest.raises(OSError, match="disk"):
            await usage.flush()
    await v1.ok("/people", key)
    await usage.flush()
    assert [row["count"] for row in await UsageCount.of(world.tenant).select(UsageCount.count)] == [2]


async def _mismatch(v1: Surface, world: World, request_id: str) -> str:
    key = await world.ready_key()
    await v1.get("/people", key, Origin="https://evil.example", X_Request_Id=request_id)
    return key


async def _scope(v1: Surface, world: World, request_id: str) -> str:
    key = await world.ready_key(["works.read"])
    await v1.get("/people", key, X_Request_Id=request_id)
    return key


async def _rate(v1: Surface, world: World, request_id: str) -> str:
    key = await world.ready_key(rate_limit_per_minute=1, rate_limit_burst=1)
    await v1.get("/people", key)
    await v1.get("/people", key, X_Request_Id=request_id)
    return key


async def _secret(v1: Surface, world: World, request_id: str) -> str:
    key = await world.ready_key()
    await v1.get("/people", keys.wrong_secret(key), X_Request_Id=request_id)
    return key


def _in_state(state: str) -> Any:
    async def ask(v1: Surface, world: World, request_id: str) -> str:
        key = await keys.key_in(world, state)
        await v1.get("/people", key, X_Request_Id=request_id)
        return key

    return ask


#: How it is refused → action, code, rule, attribution.
DENIALS: dict[str, tuple[Any, tuple[str, str, str, str]]] = {
    "wrong secret": (
        _secret, ("auth.invalid_credential", "invalid_installation_credential", "credential", "claimed")
    ),
    "revoked": (
        _in_state("revoked credential"),
        ("auth.inactive_credential", "inactive_installation_credential", "credential_status", "verified"),
    ),
    "expired": (
        _in_state("expired by time"),
        ("auth.inactive_credential", "inactive_installation_credential", "credential_status", "verified"),
    ),
    "disabled": (
        _in_state("disabled"),
        ("auth.inactive_installation", "inactive_installation", "installation_status", "verified"),
    ),
    "pending": (
        _in_state("pending"), ("auth.origin_not_verified", "origin_not_verified", "origin_verified", "verified")
    ),
    "foreign origin": (_mismatch, ("auth.origin_mismatch", "origin_mismatch", "origin", "verified")),
    "missing scope": (_scope, ("auth.scope_denied", "installation_scope_denied", "scope", "verified")),
    "rate limit": (_rate, ("rate_limit.exceeded", "installation_rate_limit_exceeded", "rate_limit", "verified")),
}  # fmt: skip


@pytest.mark.parametrize(("ask", "expected"), DENIALS.values(), ids=DENIALS.keys())
async def test_a_refusal_is_in_the_history(
    ask: Any, expected: tuple[str, str, str, str], v1: Surface, world: World
) -> None:
    """Each refusal writes one event with its rule, and says whether the caller had the whole key; no secret in it."""
    request_id = new_request_id()
    key = await ask(v1, world, request_id)
    [event] = await denials(world)
    action, code, rule, attribution = expected
    assert (event["action"], event["code"], event["rule"], event["attribution"]) == (action, code, rule, attribution)
    assert (event["request_id"], event["surface"], event["actor_kind"]) == (request_id, "rest", "installation")
    assert (event["resource"], event["resource_id"]) == ("operation", "list_people")
    assert event["kid"] == key[9:17] and event["installation"] is not None
    assert event["expected"] and event["seen"] and event["repeats"] == 1
    assert key[18:] not in str(event)


@pytest.mark.parametrize(("ask", "expected"), DENIALS.values(), ids=DENIALS.keys())
async def test_a_refusal_is_explained(ask: Any, expected: tuple[str, str, str, str], v1: Surface, world: World) -> None:
    """By its request id the tenant learns which rule refused it; another tenant learns nothing."""
    request_id = new_request_id()
    await ask(v1, world, request_id)
    found = await explain_decision(world.context(), request_id)
    assert (found["action"], found["code"], found["rule"]) == expected[:3]
    stranger = await World(world.app, world.client).open()
    with pytest.raises(NotFound):
        await explain_decision(stranger.context(), request_id)
    world.runtime.denials._decisions.clear()
    assert (await explain_decision(world.context(), request_id))["rule"] == expected[2]


async def test_repeats_become_one_count(v1: Surface, world: World) -> None:
    """The first refusal is written at once, its repeats as one event with their number; each stays explainable."""
    key = await world.ready_key(["works.read"])
    ids = [new_request_id() for _ in range(7)]
    for request_id in ids:
        await v1.get("/people", key, X_Request_Id=request_id)
    assert [event["repeats"] for event in await denials(world)] == [1]
    await world.runtime.denials.flush()
    assert len(await denials(world)) == 1, "the minute is not over"
    await world.runtime.denials.flush(everything=True)
    assert [event["repeats"] for event in await denials(world)] == [1, 6]
    assert (await explain_decision(world.context(), ids[4]))["request_id"] == ids[4]


async def test_kinds_are_not_mixed(v1: Surface, world: World) -> None:
    """Another rule, another operation or another key is another kind; another Origin header is not."""
    installation = await world.installation()
    narrow, other = await world.key(installation["id"], ["works.read"]), await world.key(installation["id"])
    await v1.get("/people", narrow.secret)
    await v1.get("/projects", narrow.secret)
    for name in ("https://a.example", "https://b.example", "https://c.example"):
        await v1.get("/people", other.secret, Origin=name)
    written = [(event["action"], event["kid"]) for event in await denials(world)]
    assert written.count(("auth.origin_mismatch", other.credential["kid"])) == 1
    assert ("auth.scope_denied", narrow.credential["kid"]) in written


async def test_what_nobody_can_be_named_for(v1: Surface, world: World) -> None:
    """A malformed or missing key writes nothing; a well-formed one that nobody issued stands under no tenant."""
    await world.runtime.denials.flush(everything=True)
    before = len(await denials(world, NO_TENANT))
    await v1.get("/people")
    await v1.get("/people", "nonsense")
    assert await denials(world) == [] and len(await denials(world, NO_TENANT)) == before
    await v1.get("/people", keys.unknown_kid())
    await v1.get("/people", keys.unknown_kid())
    await world.runtime.denials.flush(everything=True)
    new = (await denials(world, NO_TENANT))[before:]
    assert sum(event["repeats"] for event in new) == 2
    assert {event["attribution"] for event in new} == {"claimed"}


async def test_a_served_request_is_no_event(v1: Surface, world: World) -> None:
    """Reading is counted, not told: the history holds changes and refusals."""
    key = await world.ready_key()
    before = await AuditEvent.count().where(AuditEvent.tenant == world.tenant)
    await v1.ok("/people", key)
    await v1.get("/people?page=0", key)
    assert await AuditEvent.count().where(AuditEvent.tenant == world.tenant) == before


async def test_the_actor_of_a_disabled_installation(v1: Surface, world: World) -> None:
    """Who was refused is the installation, by its id and its public key id."""
    installation = await world.installation()
    issued = await world.key(installation["id"])
    await disable_installation(world.context(), installation["id"])
    await v1.refused(403, "inactive_installation", "/people", issued.secret)
    [event] = await denials(world)
    assert (event["actor_id"], event["installation"]) == (str(installation["id"]), installation["id"])
    assert event["seen"] == "disabled"
