"""Migrations that take something away must say why: found in real files, both generated and written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.failures import CommandFailed
from app.cli.migrate import refuse_unmarked
from app.database import Database
from app.database.destructive import unmarked
from app.database.waiting import FOLDER
from tests.database.sample_app import RAW, SampleApp, sample  # noqa: F401
from tests.databases import database, database_url  # noqa: F401

TABLE = "class Event(Table):\n    n = Integer()\n    name = Varchar(length=100, null=True)\n"
MARK = 'DESTRUCTIVE = {"reason": "Nobody reads it.", "unused_since": "1.4.0"}\n'


def _written(folder: Path, sql: str, mark: str = "") -> Path:
    body = f"        await run_sql(sqlite={sql!r}, postgres={sql!r})"
    path = folder / "raw.py"
    path.write_text(mark + RAW.format(id="9999-01-01T00:00:00:000000", body=body))
    return path


def test_the_own_migrations_are_in_order() -> None:
    assert unmarked(FOLDER) == []


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE event",
        "drop table if exists event",
        "ALTER TABLE event DROP COLUMN n",
        "ALTER TABLE event DROP n",
        'ALTER TABLE "event" RENAME TO happening',
        "ALTER TABLE event RENAME COLUMN n TO m",
        "ALTER TABLE event RENAME n TO m",
        "ALTER TABLE event ALTER COLUMN n TYPE smallint",
        "ALTER TABLE event ALTER n SET DATA TYPE smallint",
        "ALTER TABLE event ALTER COLUMN n SET NOT NULL",
        "ALTER TABLE event ADD COLUMN m integer NOT NULL",
        "DELETE FROM event WHERE n = 1",
        "-- tidy up\nDELETE FROM event",
        "TRUNCATE event",
        "CREATE TABLE a (n integer); DROP TABLE event",
    ],
)
def test_sql_that_takes_something_away(tmp_path: Path, sql: str) -> None:
    """Refused with file and statement; accepted with reason and release."""
    path = _written(tmp_path, sql)
    with pytest.raises(CommandFailed) as refused:
        refuse_unmarked(tmp_path)
    assert refused.value.code == "migration_destructive"
    assert path.name in refused.value.message
    last = " ".join(sql.split(";")[-1].split())
    assert last in refused.value.message
    _written(tmp_path, sql, MARK)
    refuse_unmarked(tmp_path)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE event (n integer NOT NULL)",
        "ALTER TABLE event ADD COLUMN m integer NOT NULL DEFAULT 0",
        "ALTER TABLE event ADD COLUMN m integer",
        "DROP INDEX event_n",
        'ALTER TABLE "person" ALTER COLUMN "name" TYPE text COLLATE "C"',
        "ALTER TABLE event DROP CONSTRAINT event_n",
        "ALTER TABLE event ALTER COLUMN n DROP NOT NULL",
        "UPDATE event SET name = 'drop table event'",
        "CREATE TRIGGER t BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'no'); END",
        "CREATE TABLE a (e integer REFERENCES event ON DELETE CASCADE)",
    ],
)
def test_sql_that_only_adds(tmp_path: Path, sql: str) -> None:
    _written(tmp_path, sql)
    assert unmarked(tmp_path) == []


@pytest.mark.parametrize(
    ("mark", "lacks"),
    [
        ("", "no DESTRUCTIVE mark"),
        ('DESTRUCTIVE = {"reason": "Because."}\n', "no 'unused_since'"),
        ('DESTRUCTIVE = {"reason": " ", "unused_since": "1.4.0"}\n', "no 'reason'"),
        ('DESTRUCTIVE = {"reason": "Because.", "unused_since": "soon"}\n', "is a release"),
        ("DESTRUCTIVE = True\n", "not a plain dict"),
        ("DESTRUCTIVE = dict(a=1)\n", "not a plain dict"),
    ],
)
def test_a_mark_that_is_not_complete(tmp_path: Path, mark: str, lacks: str) -> None:
    _written(tmp_path, "DROP TABLE event", mark)
    (found,) = unmarked(tmp_path)
    assert lacks in found.problem


@pytest.mark.parametrize(
    ("after", "what"),
    [
        ("class Event(Table):\n    n = Integer()\n", "drops a column"),
        ("class Other(Table):\n    n = Integer()\n", "drops a table"),
        (TABLE.replace("Integer()", "SmallInt()"), "narrows a type"),
        (TABLE.replace("length=100", "length=50"), "narrows a type"),
        (TABLE.replace("null=True", "null=False"), "forbids null"),
        (TABLE + "    m = Integer(null=False, default=None)\n", "forbids null without a default"),
    ],
)
async def test_a_generated_migration_that_takes_something_away(
    sample: SampleApp,  # noqa: F811
    database: Database,  # noqa: F811
    after: str,
    what: str,
) -> None:
    await sample.redefine(TABLE, database)
    folder = sample.folder / "migrations"
    assert unmarked(folder) == []
    await sample.redefine(after, database)
    found = {finding.what for one in unmarked(folder) for finding in one.findings}
    assert what in found


async def test_generated_migrations_that_rename(sample: SampleApp, database: Database) -> None:  # noqa: F811
    await sample.redefine(TABLE, database)
    await sample.redefine(TABLE.replace("    n =", "    m ="), database, renames="y")
    (found,) = unmarked(sample.folder / "migrations")
    assert {finding.what for finding in found.findings} == {"renames a column"}


async def test_a_generated_migration_that_only_adds(sample: SampleApp, database: Database) -> None:  # noqa: F811
    """A table, a column with a default, a wider type, null allowed, a longer text."""
    await sample.redefine(TABLE, database)
    wider = TABLE.replace("Integer()", "BigInt()").replace("length=100", "length=200")
    await sample.redefine(wider + "    m = Integer(default=0)\n\nclass Other(Table):\n    n = Integer()\n", database)
    assert unmarked(sample.folder / "migrations") == []
