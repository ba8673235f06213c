"""The sync of people against a server that answers like ORCID: on good days, on bad ones, and twice over."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.clock import HOUR, MINUTE
from services.paging import KeysetRequest
from services.people import client, syncing
from services.people.importing import import_people, sync_person
from services.people.orcid import check_digit
from services.people.reading import list_people
from services.people.records import read_works
from tests.databases import fresh_url
from tests.egress.servers import serving
from tests.services.people.orcid_json import ids, recorded, summary, works
from tests.services.people.orcid_server import NO_WORKS, ROUTE, Bench, FakeOrcid, bench, body, text
from tests.world import World, running

PETER, STEPHEN, THOMAS = "0000-0002-9341-7985", "0000-0001-8607-8025", "0000-0003-1620-1408"
NOBODY = "0000-0002-1825-0097"
BUSY = text(b"", 500)


@pytest.fixture
def url(engine: str, tmp_path: Path) -> Iterator[str]:
    with fresh_url(engine, tmp_path) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def on(url: str, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(url, tmp_path / "home") as made:
        yield made


async def sync(on: Bench, *orcid_ids: str) -> None:
    """Import people and run what is due."""
    await import_people(on.world.context(), list(orcid_ids))
    await on.runtime.jobs.run_due()


async def everything(on: Bench) -> list[list[tuple[object, ...]]]:
    """What is stored of people and their publications and works, but for when."""
    return [
        await on.table("SELECT id, name, biography, sync_status, publication_count, listed FROM person "
                       "WHERE tenant = {tenant} ORDER BY id"),
        await on.table("SELECT id, doi, title, publication_date, publication_year, publication_type, listed "
                       "FROM publication WHERE tenant = {tenant} ORDER BY id"),
        await on.table("SELECT person, publication FROM authorship WHERE tenant = {tenant} ORDER BY id"),
        await on.table("SELECT id, put_code, title, verified, listed, deleted_at FROM work "
                       "WHERE tenant = {tenant} ORDER BY id"),
    ]  # fmt: skip


async def actions(on: Bench) -> list[object]:
    rows = await on.table(
        "SELECT action FROM audit_event WHERE tenant = {tenant} AND surface = 'system' ORDER BY at, id"
    )
    return [row[0] for row in rows]


async def test_a_person_and_their_works_are_stored(on: Bench) -> None:
    """Pending, then complete with what ORCID says; the history tells of it."""
    await import_people(on.world.context(), [PETER])
    assert (await on.person(PETER))["sync_status"] == "pending"
    assert await on.runtime.jobs.run_due() == 1
    person, expected = await on.person(PETER), read_works(recorded(f"{PETER}/works.json"), PETER)
    assert (person["sync_status"], person["sync_error"], person["name"]) == ("complete", None, '"Peter Binfield"')
    assert person["publication_count"] == len(expected.publications) > 0
    assert len(await on.table("SELECT id FROM work WHERE tenant = {tenant}")) == len(expected.works)
    assert [job["status"] for job in await on.jobs()] == ["done"]
    assert await actions(on) == ["person.synced"]


async def test_a_second_sync_changes_nothing(on: Bench) -> None:
    """The same answers leave the same rows under the same ids, no more and no fewer."""
    await sync(on, PETER, STEPHEN, THOMAS)
    before = await everything(on)
    await sync(on, PETER, STEPHEN, THOMAS)
    assert await everything(on) == before


async def test_what_orcid_has_no_longer_goes_and_comes_back(on: Bench) -> None:
    """Unlinked or marked deleted, and there again under the same ids when ORCID has it again."""
    await sync(on, PETER)
    before = await everything(on)
    on.orcid.say(PETER, "works", NO_WORKS)
    await sync(on, PETER)
    assert (await on.person(PETER))["publication_count"] == 0
    assert await on.table("SELECT id FROM publication WHERE tenant = {tenant} AND listed") == []
    assert await on.table("SELECT id FROM work WHERE tenant = {tenant} AND (listed OR deleted_at IS NULL)") == []
    on.orcid.say(PETER, "works", body(f"{PETER}/works.json"))
    await sync(on, PETER)
    people, publications, _, made = await everything(on)
    assert [people, publications, made] == [before[0], before[1], before[3]]


async def test_an_unknown_id_fails_with_the_reason_and_stays(on: Bench) -> None:
    """ORCID's 404 deletes nobody, nor what was read of them before."""
    await sync(on, PETER, NOBODY)
    assert (await on.person(NOBODY))["sync_status"] == "failed"
    assert (await on.person(NOBODY))["sync_error"] == f"ORCID knows no record {NOBODY}."
    on.orcid.say(PETER, "person", body("not-found.404.json", 404))
    before = await on.person(PETER)
    await sync(on, PETER)
    after = await on.person(PETER)
    assert (after["sync_status"], after["name"], after["listed"]) == ("failed", before["name"], True)
    assert after["publication_count"] == before["publication_count"]
    assert sorted(map(str, await actions(on))) == ["person.sync_failed", "person.sync_failed", "person.synced"]
    assert {job["status"] for job in await on.jobs()} == {"done"}


async def test_it_rests_as_long_as_it_is_asked_to(on: Bench) -> None:
    on.orcid.say(PETER, "person", text(b"", 429, Retry_After="7"), body(f"{PETER}/person.json"))
    await sync(on, PETER)
    assert on.slept == [7.0] and (await on.person(PETER))["sync_status"] == "complete"


async def test_a_passing_failure_passes(on: Bench) -> None:
    on.orcid.say(PETER, "works", BUSY, body(f"{PETER}/works.json"))
    await sync(on, PETER)
    assert len(on.slept) == 1 and (await on.person(PETER))["publication_count"] > 0


async def test_a_lasting_failure_is_tried_again_later(on: Bench) -> None:
    """The person is failed with the reason meanwhile; the job waits, longer each time, and gives up in the end."""
    on.orcid.say(PETER, "person", BUSY)
    await sync(on, PETER)
    person, job = await on.person(PETER), (await on.jobs())[0]
    assert person["sync_error"] == "ORCID answered with status 500. Gave up after 4 tries."
    assert (job["status"], job["attempts"], job["run_at"] > on.clock.now_ms()) == ("queued", 1, True)
    assert await on.runtime.jobs.run_due() == 0
    on.clock.advance(MINUTE)
    on.orcid.say(PETER, "person", body(f"{PETER}/person.json"))
    assert await on.runtime.jobs.run_due() == 1
    assert (await on.person(PETER))["sync_error"] is None
    on.orcid.say(PETER, "person", BUSY)
    await sync(on, PETER)
    for _ in range(4):
        on.clock.advance(2 * HOUR)
        assert await on.runtime.jobs.run_due() == 1
    assert sorted(job["status"] for job in await on.jobs()) == ["done", "failed"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (text(b"<html>Down for maintenance</html>"), "ORCID's answer is not JSON."),
        (text(b"[" * 100_000), "ORCID's answer is not JSON."),
        (text(b'"hello"'), "This is no ORCID person"),
        (body(f"{STEPHEN}/person.json"), f"This is the record of {STEPHEN}, not of {PETER}."),
        (body("bad-request.400.json", 400), "ORCID answered with status 400"),
    ],
)
async def test_garbage_fails_with_the_reason(on: Bench, answer: object, reason: str) -> None:
    on.orcid.say(PETER, "person", answer)  # type: ignore[arg-type]
    await sync(on, PETER)
    person = await on.person(PETER)
    assert person["sync_status"] == "failed" and person["sync_error"].startswith(reason)


async def test_a_slow_answer_is_not_waited_for(on: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TIMEOUT_SECONDS", 0.1)

    async def slow() -> None:
        await asyncio.sleep(1)

    on.orcid.say(PETER, "person", slow)  # type: ignore[arg-type]
    await sync(on, PETER)
    assert "no full answer within 0.1 seconds" in (await on.person(PETER))["sync_error"]


async def test_what_cannot_be_stored_is_said(on: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of our own leaves nobody in `processing` for ever."""

    async def broken(*_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(syncing, "store_person", broken)
    await sync(on, PETER)
    assert (await on.person(PETER))["sync_error"] == "What ORCID answered could not be stored."
    assert [job["status"] for job in await on.jobs()] == ["failed"]


async def test_the_longest_that_orcid_may_say_is_stored(on: Bench) -> None:
    """Index entries and columns are bounded; names, types and DOIs of a strange record are not."""
    name = "".join(chr(0x20000 + number) for number in range(1_000))
    on.orcid.say(PETER, "person", text(f'{{"name": {{"credit-name": {{"value": "{name}"}}}}}}'.encode()))
    long_doi = "10.5555/" + "".join(chr(0x20000 + number) for number in range(2_000))
    entries = works(
        [summary(1, external_ids=ids(("doi", long_doi, "self")), type="x" * 64)],
        [summary(2, external_ids=ids(("doi", "10.5555/" + "y" * 2_040, "self")), type="z" * 61)],
    )
    on.orcid.say(PETER, "works", text(json.dumps(entries).encode()))
    await sync(on, PETER)
    person = await on.person(PETER)
    assert (person["sync_status"], person["sync_error"]) == ("complete", None)


async def test_the_same_id_imported_many_times_at_once_is_one_person(on: Bench) -> None:
    """One import makes the person, the others find them; one sync is queued."""

    async def one(orcid_ids: list[str]) -> list[bool]:
        return [each.created for each in await import_people(on.world.context(), orcid_ids)]

    made = await asyncio.gather(*(one([PETER, THOMAS] if number % 2 else [THOMAS, PETER]) for number in range(8)))
    assert sum(sum(each) for each in made) == 2
    assert len(await on.table("SELECT id FROM person WHERE tenant = {tenant}")) == 2
    assert len(await on.table("SELECT id FROM membership WHERE tenant = {tenant}")) == 2
    assert len(await on.jobs()) == 2


async def test_syncs_of_one_person_at_once_are_one_state(on: Bench) -> None:
    """A sync that is asked for while another runs runs after it, or beside it, to the same end."""
    await sync(on, STEPHEN)
    before = await everything(on)
    person = (await on.person(STEPHEN))["id"]
    for _ in range(3):
        await sync_person(on.world.context(), person)
        await asyncio.gather(on.runtime.jobs.run_due(), sync_person(on.world.context(), person))
        await on.runtime.jobs.run_due()
    assert await everything(on) == before


async def test_import_of_a_thousand(on: Bench) -> None:
    """The most that one import takes, in one transaction."""
    people = []
    for number in range(1_000):
        digits = f"{number + 10_000:015d}"
        people.append("-".join((digits + check_digit(digits))[start : start + 4] for start in (0, 4, 8, 12)))
    made = await import_people(on.world.context(), people)
    assert [each.orcid_id for each in made] == people
    assert len(await on.jobs()) == 1_000


async def test_the_whole_server_syncs_by_itself(url: str, tmp_path: Path) -> None:
    """Import over GraphQL wakes the runner; the person is complete a moment later, by way of the network."""
    async with serving({ROUTE: FakeOrcid()}) as base_url:
        given = {"orcid_base_url": base_url, "egress_allow": ["127.0.0.1"]}
        async with running(url, tmp_path / "home", **given) as (app, http):
            world = await World(app, http).open()
            query = f'mutation {{ importPeople(orcidIds: ["{PETER}", "{NOBODY}"]) {{ errors {{ code }} }} }}'
            answer = (await world.graphql(query, world.token("operator"))).json()
            assert answer["data"]["importPeople"]["errors"] == []
            async with asyncio.timeout(60):
                while True:
                    page = await list_people(world.context(), KeysetRequest(first=9, sort="orcid_id"))
                    statuses = [row["sync_status"] for row in page.rows]
                    if set(statuses) == {"complete", "failed"}:
                        break
                    await asyncio.sleep(0.02)
            assert statuses == ["failed", "complete"]
