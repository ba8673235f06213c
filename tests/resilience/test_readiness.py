"""`/health/ready` tries what serving needs: a database that only reads, or has no room, is not ready for it."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg  # type: ignore[import-untyped]
import pytest

from app.database import Database, Statement
from app.database.write_probe import WriteProbe, Writes
from app.errors import Unavailable
from app.ids import new_id
from tests.database.counters import with_counters
from tests.databases import database, database_url, fresh_url, run_on  # noqa: F401 - fixtures
from tests.resilience.disks import SmallDisk, small_disk
from tests.resilience.serving import alone
from tests.runtime.surface import Surface
from tests.world import World, running

pytestmark = pytest.mark.resilience
READS_ONLY = "The database takes no writes now, so nothing was written; try again later."
_END_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
CREATE = "mutation($t: String!) { createProject(input: {title: $t}) { project { id } errors { code } } }"


async def readiness(world: World) -> tuple[int, str]:
    answer = await world.client.get("/health/ready")
    return answer.status_code, answer.json()["checks"]["writes"]


async def becomes(world: World, status: int, writes: str) -> None:
    """A probe is kept for a second, and connections that were ended are found to be."""
    async with asyncio.timeout(60):
        while await readiness(world) != (status, writes):  # noqa: ASYNC110 - it is only seen by asking
            await asyncio.sleep(0.05)


@asynccontextmanager
async def reads_only(world: World) -> AsyncIterator[None]:
    """PostgreSQL refuses writes of every connection made from now on, as a standby does."""
    database = world.runtime.database  # noqa: F811
    name = urlsplit(database.url).path.lstrip("/")
    await run_on(database.url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await run_on(database.url, _END_ALL)
    yield
    server = database.url.replace(name, "postgres")
    await run_on(server, f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    await run_on(database.url, _END_ALL)


@pytest.mark.postgres
async def test_a_database_that_only_reads(tmp_path: Path) -> None:
    """Not ready, and says why; a write is 503 with words of its own; lists go on; then all is well again."""
    async with alone("postgres", tmp_path) as world:
        v1, key = Surface(world), await world.ready_key()
        assert await readiness(world) == (200, "ok")
        async with reads_only(world):
            await becomes(world, 503, "read-only")
            refused = await world.graphql(CREATE, world.token("admin"), t="refused")
            assert (refused.status_code, refused.json()["errors"][0]["message"]) == (503, READS_ONLY)
            await v1.ok("/people", key)
        await becomes(world, 200, "ok")
        assert (await world.graphql(CREATE, world.token("admin"), t="afterwards")).status_code == 200


@contextmanager
def mounted_read_only(folder: Path) -> Iterator[None]:
    """What is open stays open for writing; nothing is made in the folder any more."""
    for options in (["--bind"], ["-o", "remount,ro,bind"]):
        subprocess.run(["mount", *options, str(folder), str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


async def test_a_folder_that_only_reads(tmp_path: Path) -> None:
    """SQLite beside a file system that turned read-only."""
    with small_disk(tmp_path / "disk") as disk:
        async with running(f"sqlite:///{disk.folder / 'test.sqlite'}", tmp_path / "home") as served:
            world = await World(*served).open()
            with mounted_read_only(disk.folder):
                await becomes(world, 503, "read-only")
            await becomes(world, 200, "ok")


@pytest.fixture
def own_disk(tmp_path: Path) -> Iterator[tuple[str, SmallDisk]]:
    """A PostgreSQL database on a small disk; skips where the server does not see the mounts of this process."""
    with fresh_url("postgres", tmp_path) as url, small_disk(tmp_path / "disk", 64) as disk:
        name = urlsplit(url).path.lstrip("/")
        server, space = url.replace(name, "postgres"), f"small_{new_id().hex}"
        place = disk.folder / "space"
        place.mkdir(mode=0o700)
        shutil.chown(place, "postgres", "postgres")
        # The server's user must be able to go there.
        for folder in (disk.folder, tmp_path, *tmp_path.parents):
            if not folder.stat().st_mode & 0o001:
                folder.chmod(0o755)
        try:
            asyncio.run(run_on(server, f"CREATE TABLESPACE {space} LOCATION '{place}'"))
        except asyncpg.PostgresError as error:
            pytest.skip(f"the server cannot use a disk of this process: {error}")
        asyncio.run(run_on(server, f'ALTER DATABASE "{name}" SET TABLESPACE {space}'))
        yield url, disk
        asyncio.run(run_on(server, f'DROP DATABASE "{name}" WITH (FORCE)', f"DROP TABLESPACE {space}"))


@pytest.mark.postgres
def test_a_full_disk_of_postgresql(own_disk: tuple[str, SmallDisk], tmp_path: Path) -> None:
    """The real thing: not ready when it cannot write a file, ready when there is room."""
    url, disk = own_disk

    async def run() -> None:
        async with running(url, tmp_path / "home") as served:
            world = await World(*served).open()
            assert await readiness(world) == (200, "ok")
            disk.fill()
            await becomes(world, 503, "no room")
            disk.make_room()
            await becomes(world, 200, "ok")

    asyncio.run(run())


async def test_a_probe_is_made_once_a_second(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask, and whether they wait for its end or not."""
    probe, made = WriteProbe(world.runtime.database), []
    really = probe._try

    async def counted() -> Writes:
        made.append(1)
        return await really()

    monkeypatch.setattr(probe, "_try", counted)
    asked = [asyncio.ensure_future(probe.writes()) for _ in range(20)]
    await asyncio.sleep(0)
    asked[0].cancel()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert found[1:] == ["ok"] * 19
    assert await probe.writes() == "ok"
    assert len(made) == 1
    probe._until = 0.0
    assert await probe.writes() == "ok"
    assert len(made) == 2


async def test_a_failed_probe_is_made_again_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that was away is not taken for away a second longer."""
    probe = WriteProbe(world.runtime.database)

    async def away(*_: Any) -> None:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr(world.runtime.database.engine, "checkout", away)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await probe.writes()
    assert await probe.writes() == "ok"


async def test_nothing_stays_behind(database: Database) -> None:  # noqa: F811
    """No row, no file, and no page of the write-ahead log; no application writes beside it."""
    await with_counters(database)
    if database.dialect == "postgres":
        told = Statement("SELECT pg_current_xact_id_if_assigned() AS number")
        probe, rows = WriteProbe(database), []
        async with database.transaction():
            assert await probe._try() == "ok"
            rows = await database.fetch(told)
        assert rows[0]["number"] is None, "it takes no transaction number, so it wrote no row"
    else:
        folder = Path(database.engine.path).parent
        before = {path.name: path.stat().st_size for path in folder.iterdir()}
        assert await WriteProbe(database).writes() == "ok"
        assert {path.name: path.stat().st_size for path in folder.iterdir()} == before
