"""The ledger at field level: what was used of a contract, by whom, and how far the recording reaches."""

from typing import Any

import msgspec
import pytest

from app.clock import DAY, SettableClock
from models.operations import ContractUse, RecordingSpan
from services.usage import ledger as ledger_module
from services.usage.ledger import UsageLedger
from services.usage.recording import SILENT_MS, Span, gaps, prune, recorded_from, spans_since
from tests.world import World


async def used(world: World) -> dict[tuple[str, str], int]:
    """(operation, element) → count."""
    await world.runtime.usage.flush()
    rows = await ContractUse.of(world.tenant).select(ContractUse.operation, ContractUse.element, ContractUse.count)
    return {(row["operation"], row["element"]): row["count"] for row in rows}


async def test_the_parameters_of_the_contract_are_counted(world: World) -> None:
    """By name, once a request, however they are written; what the contract does not have is not."""
    installation = await world.installation()
    key = (await world.key(installation["id"])).secret
    for path in ("/people", "/people?q=a&page=1", "/people?%71=b", "/people?q=a&q=b&nothing=1"):
        await world.get(path, key)
    found = await used(world)
    assert found == {
        ("list_people", ""): 4, ("list_people", "request.query.q"): 3, ("list_people", "request.query.page"): 1,
    }  # fmt: skip
    [row] = await ContractUse.of(world.tenant).select().where(ContractUse.element == "request.query.page")
    assert (row["client"], row["kind"], row["api"], row["version"]) == (
        str(installation["id"]), "installation", "integrations", "v1",
    )  # fmt: skip
    await world.client.get("/v1/people?q=a", headers={"X-API-Key": key})
    assert (await used(world))["list_people", "request.query.q"] == 4, "the legacy path is served by the same contract"


async def test_the_members_of_a_body_are_counted(world: World) -> None:
    """Those that the contract has, at any depth, once a request; a request that is repeated is another one."""
    headers = {"Authorization": f"Bearer {world.token('admin')}"}
    body = {"name": "one", "nothing": {"more": 1}}
    await world.client.post("/api/v1/integrations/definitions", json=body, headers=headers)
    await world.client.get("/api/v1/integrations/definitions?page=1", headers=headers)
    found = await used(world)
    [making] = [name for name, element in found if element.startswith("request.body")]
    assert found[making, ""] == found[making, "request.body.name"] == 1
    assert not [element for _, element in found if "nothing" in element]
    assert [count for (_, element), count in found.items() if element == "request.query.page"] == [1]


DOCUMENT = """query ($status: InstallationStatus, $filter: PersonFilter) {
  people(first: 1, filter: $filter) { nodes { ...P } }
  installations(first: 1, filter: {status: $status}) { totalCount } node(id: "x") { id ... on Person { orcidId } }
} fragment P on Person { orcidId }"""


async def test_the_coordinates_of_an_operation_are_counted(world: World) -> None:
    """Fields, arguments, members of inputs and values of enums, in the document and in the variables."""
    await world.graphql(DOCUMENT, world.token("admin"), status="ACTIVE", filter={"orcidId": "0000-0001-2345-6789"})
    await world.graphql(DOCUMENT, world.token("admin"))
    found = {element: count for (_, element), count in (await used(world)).items()}
    always = {
        "", "Query.people", "Query.people(first:)", "Query.people(filter:)", "PersonConnection.nodes",
        "Person.orcidId", "Query.installations", "Query.installations(first:)", "Query.installations(filter:)",
        "InstallationFilter.status", "InstallationConnection.totalCount", "Query.node", "Query.node(id:)", "Node.id",
    }  # fmt: skip
    assert {name for name, count in found.items() if count == 2} == always
    assert {name for name, count in found.items() if count == 1} == {
        "InstallationStatus.ACTIVE",
        "PersonFilter.orcidId",
    }
    rows = await ContractUse.of(world.tenant).select(ContractUse.client, ContractUse.kind, ContractUse.api)
    assert {(row["client"], row["kind"], row["api"]) for row in rows} == {("ada", "user", "control-plane")}


async def test_what_is_refused_is_no_use(world: World) -> None:
    """A document that is not run is not counted; nor is one of a caller who is not known."""
    await world.graphql("{ nothing }", world.token("admin"))
    await world.graphql("{ tenant { id } }")
    await world.get("/people?q=a", "dvt_live_unknown")
    assert await used(world) == {}


async def test_a_flush_that_fails_keeps_the_elements(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written is written by the next flush, once."""
    key, usage = await world.ready_key(), world.runtime.usage
    await world.get("/people?q=a", key)

    async def broken(*_: Any) -> None:
        raise OSError("disk")

    with monkeypatch.context() as patched:
        patched.setattr(ledger_module, "write_rows", broken)
        with pytest.raises(OSError, match="disk"):
            await usage.flush()
    await world.get("/people?q=a", key)
    assert await used(world) == {("list_people", ""): 2, ("list_people", "request.query.q"): 2}


async def test_many_rows_are_written_in_parts(world: World) -> None:
    """More rows than one statement takes, and names that no index would take whole."""
    usage = world.runtime.usage
    who = world.context().principal
    for number in range(130):
        sent = usage.elements.intern([f"Type.field{number}"])
        usage.note_client(
            msgspec.structs.replace(who, subject="long" * 500 + str(number % 2)), "control-plane", "", sent
        )
    found = await used(world)
    assert len(found) == 131
    rows = await ContractUse.of(world.tenant).select(ContractUse.client, ContractUse.count).where(
        ContractUse.element == ""
    )  # fmt: skip
    assert sorted(row["count"] for row in rows) == [65, 65] and all(len(row["client"]) == 200 for row in rows)


#: The clock of these tests stands in a year before; the spans of the application that serves them do not count.
OURS = 1_763_000_000_000


async def spans(world: World) -> list[Span]:
    return [span for span in await spans_since(world.runtime.database, 0) if span.started_at < OURS]


async def mine(world: World) -> tuple[UsageLedger, SettableClock]:
    """A ledger of a process of its own, in a database whose older spans are its alone."""
    await RecordingSpan.delete().where(RecordingSpan.started_at < OURS)
    clock = SettableClock()
    return UsageLedger(world.runtime.database, clock), clock


async def test_a_recording_without_a_gap(world: World) -> None:
    """Spans of processes one after another, and of several at once, leave nothing unknown; a stop is no gap."""
    ledger, clock = await mine(world)
    started = clock.now_ms()
    database = world.runtime.database
    await ledger.beat()
    clock.advance(10_000)
    await ledger.beat()
    await ledger.close()
    clock.advance(DAY)
    later = UsageLedger(database, clock)
    await later.beat()
    assert await recorded_from(database) == started
    assert gaps(await spans(world), started, clock.now_ms()) == []
    await ledger.close()
    assert len(await spans(world)) == 2, "what is closed stays as it is"


async def test_a_killed_process_leaves_a_gap(world: World) -> None:
    """It is silent and did not close: what it had counted is unknown, but only for windows that reach there."""
    ledger, clock = await mine(world)
    await ledger.beat()
    killed = clock.now_ms()
    clock.advance(SILENT_MS // 2)
    assert gaps(await spans(world), killed, clock.now_ms()) == []
    clock.advance(SILENT_MS)
    assert len(gaps(await spans(world), killed, clock.now_ms())) == 1
    assert gaps(await spans(world), killed + SILENT_MS + 1, clock.now_ms()) == []


async def test_what_is_too_much_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded; a use that is not counted makes the time since the last flush unknown."""
    monkeypatch.setattr(ledger_module, "MOST_USES", 2)
    ledger, clock = await mine(world)
    who = world.context().principal
    await ledger.beat()
    for operation in "abcab":
        ledger.note_client(who, "platform/v1", operation)
    clock.advance(10_000)
    await ledger.beat()
    assert len(gaps(await spans(world), 0, clock.now_ms())) == 1
    rows = await ContractUse.of(world.tenant).select(ContractUse.operation, ContractUse.count)
    assert {row["operation"]: row["count"] for row in rows} == {"a": 2, "b": 2}
    clock.advance(10_000)
    await ledger.beat()
    assert len(gaps(await spans(world), 0, clock.now_ms())) == 1


async def test_a_recording_that_is_switched_off(world: World) -> None:
    """Counts by operation go on; the time is marked as not recorded, and no element is written."""
    _, clock = await mine(world)
    ledger = UsageLedger(world.runtime.database, clock, recorded=False)
    ledger.note_client(world.context().principal, "platform/v1", "a")
    await ledger.beat()
    assert len(gaps(await spans(world), 0, clock.now_ms())) == 1
    assert await ContractUse.of(world.tenant).count() == 0


async def test_a_command_leaves_no_span(world: World) -> None:
    """Only who serves records; a command that opens the database for a moment does not."""
    ledger, _ = await mine(world)
    await ledger.flush()
    await ledger.close()
    assert await spans(world) == []


async def test_what_is_old_is_forgotten(world: World) -> None:
    """Rows before the day go; the recording then begins where its rows begin."""
    ledger, clock = await mine(world)
    who = world.context().principal
    for _ in range(3):
        ledger.note_client(who, "platform/v1", "a")
        await ledger.beat()
        clock.advance(DAY)
    cutoff = clock.now_ms() - 2 * DAY
    await prune(world.runtime.database, cutoff)
    assert await ContractUse.of(world.tenant).count() == 2
    assert await recorded_from(world.runtime.database) == cutoff
