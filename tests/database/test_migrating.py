"""Migrations in process: once, quietly, by one process at a time, with a copy of a SQLite file before."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from app.database import Database, Statement, open_database
from app.database.copies import copies_of
from app.database.migrating import MigrationFailed, drift, migrate, pending
from tests.database.sample_app import SampleApp, sample  # noqa: F401
from tests.databases import database, database_url  # noqa: F401
from tests.endings import SECONDS, killed, next_line

TABLES = "class Event(Table):\n    n = Integer()\n"
LATE = "9999-01-01T00:00:00:000000"


def on_both(sql: str) -> str:
    return f"await run_sql(sqlite={sql!r}, postgres={sql!r})"


async def test_runs_what_is_pending_quietly(
    sample: SampleApp,  # noqa: F811
    database: Database,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The ids come back in order, a second run does nothing, and nothing is printed or left on the path."""
    path = list(sys.path)
    await sample.redefine(TABLES, database)
    sample.write_raw(LATE, "await run_sql(sqlite='SELECT 1', postgres=['SELECT 1', 'SELECT 2'])")
    waiting = await pending(database, "sample")
    assert len(waiting) == 2
    assert waiting == sorted(waiting)
    assert await migrate(database, "sample") == waiting
    assert await migrate(database, "sample") == []
    assert capsys.readouterr().out == ""
    assert sys.path == path
    assert database.engine.live_transaction() is None


async def test_works_before_start(sample: SampleApp, database_url: str) -> None:  # noqa: F811
    database = open_database(database_url)  # noqa: F811
    await sample.redefine(TABLES, database)
    assert len(await migrate(database, "sample")) == 1
    assert await database.fetch(Statement("SELECT n FROM event")) == []


async def test_drift_is_found_without_a_database(sample: SampleApp) -> None:  # noqa: F811
    """The statements of the missing migration; none once it is written."""
    sample.define(TABLES)
    assert any("Event" in statement for statement in await drift("sample"))
    await sample.generate()
    assert await drift("sample") == []


async def test_a_failed_migration_is_undone_with_its_note(sample: SampleApp, database: Database) -> None:  # noqa: F811
    """Its DDL is gone, it stays pending, earlier ones stay, and the message names it."""
    await sample.redefine(TABLES, database)
    bad = "9999-01-01T00:00:00:000000"
    sample.write_raw(
        bad, "await run_sql(sqlite='CREATE TABLE half (n INT)', postgres='CREATE TABLE half (n INT)')\n1 / 0"
    )
    with pytest.raises(MigrationFailed, match=LATE) as failed:
        await migrate(database, "sample")
    assert isinstance(failed.value.__cause__, ZeroDivisionError)
    assert await pending(database, "sample") == [LATE]
    with pytest.raises(Exception, match="half"):
        await database.fetch(Statement("SELECT * FROM half"))
    assert await database.fetch(Statement("SELECT * FROM event")) == []


async def test_append_only_tables_refuse(sample: SampleApp, database: Database) -> None:  # noqa: F811
    """UPDATE, DELETE, REPLACE and TRUNCATE say `event is append-only`; INSERT works."""
    await sample.redefine(TABLES, database)
    sample.write_raw("9999-01-01T00:00:00:000000", "await append_only('event')")
    await migrate(database, "sample")
    await database.execute(Statement("INSERT INTO event (id, n) VALUES (1, 1)"))
    attempts = ["UPDATE event SET n = 2", "DELETE FROM event"]
    attempts += (
        ["INSERT OR REPLACE INTO event (id, n) VALUES (1, 5)"] if database.dialect == "sqlite" else ["TRUNCATE event"]
    )
    for attempt in attempts:
        with pytest.raises(Exception, match="event is append-only"):
            await database.execute(Statement(attempt))
    assert [row["n"] for row in await database.fetch(Statement("SELECT n FROM event"))] == [1]


async def test_append_only_outlives_a_rebuild(sample: SampleApp, database: Database) -> None:  # noqa: F811
    await sample.redefine(TABLES, database)
    await migrate(database, "sample")
    sample.write_raw("2026-12-31T00:00:00:000000", "await append_only('event')")
    await migrate(database, "sample")
    await database.execute(Statement("INSERT INTO event (n) VALUES (1)"))
    await sample.redefine(TABLES.replace("Integer()", "BigInt()"), database)
    await migrate(database, "sample")
    with pytest.raises(Exception, match="event is append-only"):
        await database.execute(Statement("DELETE FROM event"))


STARTER = """
import asyncio, sys
from app.database import open_database
from app.database.copies import copies_of
from app.database.migrating import migrate

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    database = open_database(sys.argv[1])
    print(len(await migrate(database, "sample")), flush=True)

asyncio.run(main())
"""


def start_migrating(url: str, environ: dict[str, str]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", STARTER, url], stdin=pipe, stdout=pipe, stderr=pipe, env=environ)


async def test_processes_that_start_together(sample: SampleApp, database_url: str) -> None:  # noqa: F811
    """All succeed, one of them having run everything; five more steps keep the lock busy."""
    database = open_database(database_url)  # noqa: F811
    await sample.redefine(TABLES, database)
    for day in range(1, 6):
        sample.write_raw(
            f"9999-01-0{day}T00:00:00:000000",
            on_both(f"CREATE TABLE t{day} (n INT)"),
        )
    environ = os.environ | {"PYTHONPATH": f"{Path.cwd()}{os.pathsep}{sample.folder}", "PICCOLO_CONF": "sample_conf"}
    pipe = subprocess.PIPE
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", STARTER, database_url], stdin=pipe, stdout=pipe, stderr=pipe, env=environ
        )
        for _ in range(3)
    ]
    try:
        for starter in starters:
            assert await asyncio.to_thread(next_line, starter) == b"ready\n"
        for starter in starters:
            starter.stdin.write(b"go\n")
            starter.stdin.flush()
        ends = [await asyncio.to_thread(starter.communicate, timeout=2 * SECONDS) for starter in starters]
    finally:
        for starter in starters:
            killed(starter)
    assert [error.decode() for _, error in ends] == [""] * 3
    assert sorted(int(out) for out, _ in ends) == [0, 0, 6]
    assert await pending(database, "sample") == []


async def test_a_copy_is_taken_before(sample: SampleApp, tmp_path: Path) -> None:  # noqa: F811
    """None for an empty file; then one for each run, with the rows as they were; the last three stay."""
    file = tmp_path / "copied.sqlite"
    database = open_database(f"sqlite:///{file}")  # noqa: F811
    await sample.redefine(TABLES, database)
    await migrate(database, "sample")
    assert copies_of(str(file)) == []
    await database.execute(Statement("INSERT INTO event (n) VALUES (7)"))
    for day in range(1, 6):
        sample.write_raw(f"9999-01-0{day}T00:00:00:000000", "await run_sql(sqlite='UPDATE event SET n = n + 1')")
        await migrate(database, "sample")
    copies = copies_of(str(file))
    assert [copy.name for copy in copies] == [
        f"copied.sqlite.before-9999-01-0{day}T00-00-00-000000" for day in (3, 4, 5)
    ]
    assert [sqlite3.connect(copy).execute("SELECT n FROM event").fetchone() for copy in copies] == [(9,), (10,), (11,)]


async def test_foreign_keys_hold_in_raw_steps(sample: SampleApp, database: Database) -> None:  # noqa: F811
    """A step that deletes a parent deletes the children, also on SQLite."""
    tables = "class Band(Table):\n    n = Integer()\n\nclass Song(Table):\n    band = ForeignKey(Band)\n"
    await sample.redefine(tables, database)
    await migrate(database, "sample")
    await database.execute(Statement("INSERT INTO band (id, n) VALUES (1, 1)"))
    await database.execute(Statement("INSERT INTO song (band) VALUES (1)"))
    sample.write_raw(LATE, on_both("DELETE FROM band"))
    await migrate(database, "sample")
    assert await database.fetch(Statement("SELECT * FROM song")) == []


async def test_broken_references_stop_a_rebuild(sample: SampleApp, tmp_path: Path) -> None:  # noqa: F811
    """Foreign keys are off while tables are rebuilt, so they are checked before COMMIT."""
    tables = "class Band(Table):\n    n = Integer()\n\nclass Song(Table):\n    band = ForeignKey(Band)\n"
    database = open_database(f"sqlite:///{tmp_path / 'broken.sqlite'}")  # noqa: F811
    await sample.redefine(tables, database)
    await migrate(database, "sample")
    await database.execute(Statement("INSERT INTO band (id, n) VALUES (1, 1)"))
    await database.execute(Statement("INSERT INTO song (band) VALUES (1)"))
    await sample.redefine(tables.replace("Integer()", "BigInt()"), database)
    (path,) = (sample.folder / "migrations").glob(f"*{max(await pending(database, 'sample'))[-6:]}.py")
    step = "    async def lose():\n        await run_sql(sqlite='DELETE FROM band')\n    manager.add_raw(lose)\n"
    text = path.read_text().replace("    return manager", f"{step}    return manager")
    path.write_text(f"from app.database.dialects import run_sql\n{text}")
    with pytest.raises(MigrationFailed, match="song → band"):
        await migrate(database, "sample")
    assert len(await database.fetch(Statement("SELECT * FROM band"))) == 1


def test_the_command_line_migrates_too(sample: SampleApp) -> None:  # noqa: F811
    """`piccolo migrations forwards` uses the same rebuild, through `install()` in its configuration."""
    asyncio.run(_two_migrations(sample))
    conf = sample.folder / "sample_conf.py"
    file = sample.folder / "cli.sqlite"
    conf.write_text(conf.read_text().replace("/nowhere/at/all.sqlite", str(file)) + INSTALL)
    environ = os.environ | {"PYTHONPATH": f"{Path.cwd()}{os.pathsep}{sample.folder}", "PICCOLO_CONF": "sample_conf"}
    command = [str(Path(sys.executable).parent / "piccolo"), "migrations", "forwards", "sample"]
    done = subprocess.run(command, env=environ, cwd=sample.folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "by rebuilding tables" in done.stdout
    (sql,) = sqlite3.connect(file).execute("SELECT sql FROM sqlite_master WHERE name = 'event'").fetchone()
    assert "UNIQUE" in sql


INSTALL = "\nfrom app.database.rebuild import install\ninstall()\n"


async def _two_migrations(sample: SampleApp) -> None:  # noqa: F811
    sample.define(TABLES)
    await sample.generate()
    sample.define(TABLES.replace("Integer()", "Integer(unique=True)"))
    await sample.generate()
