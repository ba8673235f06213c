"""The disk gets full: writes are refused and say so, reads go on, nothing is half-written, and room is all it takes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.database import Statement
from app.errors import Unavailable
from app.keyfiles import read_or_create
from app.settings import load_settings
from models.operations import UsageCount
from services.chain.anchors import anchor_file, read_anchors, take_anchors
from services.chain.verifying import verify_chain
from tests.claims import free_port
from tests.resilience.disks import SmallDisk, small_disk
from tests.resilience.processes import Server
from tests.resilience.serving import alone
from tests.runtime.records import person
from tests.runtime.surface import Surface
from tests.world import World, running

pytestmark = pytest.mark.resilience
CREATE = "mutation($t: String!) { createProject(input: {title: $t}) { project { id } errors { code } } }"
NO_ROOM = "The database has no room on its disk, so nothing was written; try again when there is."
_TITLES = Statement("SELECT title, search_text FROM project WHERE tenant = {tenant}")
_TALLY = Statement("SELECT total FROM tally WHERE tenant = {tenant} AND kind = 'projects'")

#: A disk cannot be filled under the server that others use: it answers as it does when its own is full.
_DISK_FULL = (
    "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$",
    "CREATE TRIGGER full_disk AFTER INSERT ON project FOR EACH ROW EXECUTE FUNCTION no_room()",
)


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[tuple[World, SmallDisk]]:
    """An application whose database and home are on a small disk."""
    with small_disk(tmp_path / "disk") as disk:
        async with running(f"sqlite:///{disk.folder / 'test.sqlite'}", disk.folder / "home") as served:
            yield await World(*served).open(), disk


async def _create(world: World, title: str) -> httpx.Response:
    return await world.graphql(CREATE, world.token("admin"), t=title)


async def _readiness(world: World) -> tuple[int, str]:
    answer = await world.client.get("/health/ready")
    assert answer.json()["checks"]["database"] == "ok"
    return answer.status_code, answer.json()["checks"]["writes"]


async def _fill_by_writing(world: World, disk: SmallDisk) -> set[str]:
    """Fill what is left on the disk, then write until the database itself has no room; the titles it took."""
    disk.fill()
    taken: set[str] = set()
    for number in range(500):
        title = f"project {number} {'x' * 150}"
        answer = await _create(world, title)
        if answer.status_code != 200:
            return taken
        taken.add(title)
    raise AssertionError("the disk did not get full")


async def test_writes_are_refused_and_reads_go_on(full: tuple[World, SmallDisk]) -> None:
    """503 in each surface's form, lists are served, and the same request succeeds once there is room."""
    world, disk = full
    v1, key, low = Surface(world), await world.ready_key(), await world.ready_key(["works.read"])
    await world.people(*(person(n) for n in range(1, 6)))
    taken = await _fill_by_writing(world, disk)
    refused = await _create(world, "refused")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    error = refused.json()["errors"][0]
    assert (error["extensions"]["code"], error["message"]) == ("SERVICE_UNAVAILABLE", NO_ROOM)
    denied = await v1.get("/people", low)
    expected = {"error": NO_ROOM, "code": "service_unavailable", "details": None}
    assert (denied.status_code, denied.json()) == (503, expected), "a refusal that cannot be recorded is not given"
    assert len((await v1.ok("/people", key))["people"]) == 5
    listed = await world.graphql("{ people(first: 3) { nodes { orcidId } } }", world.token("admin"))
    assert len(listed.json()["data"]["people"]["nodes"]) == 3
    assert await _readiness(world) == (503, "no room")
    disk.make_room()
    assert (await _create(world, "afterwards")).status_code == 200
    async with asyncio.timeout(30):
        while await _readiness(world) != (200, "ok"):  # noqa: ASYNC110 - it is only seen by asking
            await asyncio.sleep(0.05)
    await v1.refused(403, "installation_scope_denied", "/people", low)
    rows = await world.runtime.database.fetch(_TITLES, tenant=world.tenant)
    assert {row["title"] for row in rows} == taken | {"afterwards"}
    assert all(row["search_text"] == row["title"] for row in rows)
    assert (await world.runtime.database.fetch(_TALLY, tenant=world.tenant))[0]["total"] == len(rows)


async def test_what_is_held_in_memory_stays_and_is_written_afterwards(full: tuple[World, SmallDisk]) -> None:
    """Counts of use and of refusals; the chain verifies, with every event in it once."""
    world, disk = full
    v1, key = Surface(world), await world.ready_key()
    await world.runtime.usage.flush()
    await _fill_by_writing(world, disk)
    for _ in range(3):
        await v1.ok("/people", key)
    with pytest.raises(Unavailable):
        await world.runtime.usage.flush()
    disk.make_room()
    await world.runtime.usage.flush()
    assert [row["count"] for row in await UsageCount.of(world.tenant).select(UsageCount.count)] == [3]
    await world.runtime.sealer.seal_all()
    report = await verify_chain(world.runtime.database, world.runtime.audit_key, world.tenant, [])
    assert report.faults == []
    assert report.events > 1


@pytest.mark.postgres
async def test_a_full_disk_of_postgresql(tmp_path: Path) -> None:
    """53100 of a write: 503 that says so, nothing of the change is there, and reads go on."""
    async with alone("postgres", tmp_path) as world:
        v1, key = Surface(world), await world.ready_key()
        await world.people(*(person(n) for n in range(1, 6)))
        for statement in _DISK_FULL:
            await world.runtime.database.engine.run_ddl(statement)
        refused = await _create(world, "refused")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        error = refused.json()["errors"][0]
        assert (error["extensions"]["code"], error["message"]) == ("SERVICE_UNAVAILABLE", NO_ROOM)
        assert len((await v1.ok("/people", key))["people"]) == 5
        await world.runtime.database.engine.run_ddl("DROP TRIGGER full_disk ON project")
        assert (await _create(world, "afterwards")).status_code == 200
        rows = await world.runtime.database.fetch(_TITLES, tenant=world.tenant)
        assert [row["title"] for row in rows] == ["afterwards"]
        await world.runtime.sealer.seal_all()
        report = await verify_chain(world.runtime.database, world.runtime.audit_key, world.tenant, [])
        assert report.faults == []


async def test_files_beside_the_database_are_whole_or_as_they_were(full: tuple[World, SmallDisk]) -> None:
    """No half anchor, no half key; what a killed process left of an anchor goes with the next one."""
    world, disk = full
    runtime, path = world.runtime, anchor_file(world.app.settings.home)
    await runtime.sealer.seal_all()
    before = await take_anchors(runtime.database, runtime.clock, path)
    await world.installation()
    await runtime.sealer.seal_all()
    disk.fill()
    # The file's last block has some room: a line begins to be written, and does not fit.
    path.write_bytes(path.read_bytes() + b"\n" * (4_096 - path.stat().st_size % 4_096 - 20))
    size = path.stat().st_size
    with pytest.raises(OSError, match="No space left"):
        await take_anchors(runtime.database, runtime.clock, path)
    assert path.stat().st_size == size
    with pytest.raises(OSError, match="No space left"):
        read_or_create(disk.folder / "keys" / "fresh", lambda: b"k" * 32)
    assert not (disk.folder / "keys" / "fresh").exists()
    disk.make_room()
    with path.open("ab") as file:
        file.write(b'{"tenant": "half a li')
    after = await take_anchors(runtime.database, runtime.clock, path)
    assert [anchor.seq > before[0].seq for anchor in after] == [True]
    assert read_anchors(path) == before + after
    assert read_or_create(disk.folder / "keys" / "fresh", lambda: b"k" * 32) == b"k" * 32


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
async def test_a_log_on_a_full_disk(tmp_path: Path, unbuffered: str) -> None:
    """A server whose log cannot be written serves on, and counts the lines that are missing."""
    settings = load_settings({}, home=tmp_path / "home", port=free_port())
    with small_disk(tmp_path / "disk", 1) as disk:
        log = disk.folder / "server.log"
        server = Server(settings, log=log, DOVETAIL_LOG_LEVEL="info", PYTHONUNBUFFERED=unbuffered)
        server.run("migrate")
        await server.start()
        try:
            async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
                disk.fill()
                for _ in range(200):
                    assert (await client.get("/health/ready")).status_code == 200
                disk.make_room()
                await client.get("/health/live")
                async with asyncio.timeout(20):
                    while '"/health/live"' not in log.read_text():  # noqa: ASYNC110 - the other is a process
                        await asyncio.sleep(0.01)
        finally:
            server.kill()
        lines = [_parsed(line) for line in log.read_text().splitlines() if line.startswith("{")]
    whole = [line for line in lines if line]
    assert len(lines) - len(whole) <= 1, "only the line that met the end of the disk is cut"
    assert whole[-1]["path"] == "/health/live"
    lost = [line["lines"] for line in whole if "could not be written" in line["event"]]
    assert len(lost) == 1
    assert lost[0] + len(whole) >= 200


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
