"""Every kind of alteration on SQLite keeps the rows and ends where PostgreSQL and a fresh table end."""

import contextlib
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.database import Database, Statement, open_database
from app.database.migrating import MigrationFailed, drift, migrate, pending
from app.database.rebuild import MigrationRefused
from tests.database.sample_app import SampleApp, sample  # noqa: F401
from tests.databases import fresh_url


class Case(NamedTuple):
    before: str
    after: str


BAND = "class Band(Table):\n    name = Varchar()\n"
CASES = {
    "not null to null": Case("x = Integer(null=False)", "x = Integer(null=True, default=None)"),
    "null to not null": Case("x = Integer(null=True)", "x = Integer(null=False)"),
    "default": Case("x = Integer(default=1)", "x = Integer(default=2)"),
    "text default": Case("x = Varchar(default='a')", "x = Varchar(default='b')"),
    "length": Case("x = Varchar(length=10)", "x = Varchar(length=50)"),
    "type to text": Case("x = Integer(default=5)", "x = Text(default='5')"),
    "type to big": Case("x = Integer()", "x = BigInt()"),
    "digits": Case("x = Numeric(digits=(5, 2))", "x = Numeric(digits=(9, 2))"),
    "set unique": Case("x = Varchar(default='a')", "x = Varchar(default='a', unique=True)"),
    "unset unique": Case("x = Varchar(default='a', unique=True)", "x = Varchar(default='a')"),
    "set index": Case("x = Integer()", "x = Integer(index=True)"),
    "unset index": Case("x = Integer(index=True)", "x = Integer()"),
    "add null column": Case("", "x = Varchar(null=True, default=None)"),
    "add constant column": Case("", "x = Integer(default=3)"),
    "add unique column": Case("", "x = Varchar(default='u', unique=True)"),
    "add unique uuid": Case("", "x = UUID(unique=True)"),
    "add indexed column": Case("", "x = Integer(index=True)"),
    "add instant": Case("", "x = Timestamptz()"),
    "add boolean": Case("", "x = Boolean(default=True)"),
    "add json": Case("", "x = JSON(default='{}')"),
    "add foreign key": Case("", "x = ForeignKey(Band, null=True)"),
    "drop column": Case("x = Integer()", ""),
    "drop indexed column": Case("x = Integer(index=True)", ""),
    "drop unique column": Case("x = Varchar(unique=True)", ""),
    "drop foreign key": Case("x = ForeignKey(Band, null=True)", ""),
    "rename column": Case("x = Integer(default=7)", "y = Integer(default=7)"),
    "on delete": Case(
        "x = ForeignKey(Band, null=True, on_delete=OnDelete.cascade)",
        "x = ForeignKey(Band, null=True, on_delete=OnDelete.restrict)",
    ),
    "add composite unique": Case("x = Integer()", "x = Integer()\n    label_and_x = Unique(['label', 'x'])"),
    "drop composite unique": Case("x = Integer()\n    label_and_x = Unique(['label', 'x'])", "x = Integer()"),
    "add check": Case("x = Integer(default=1)", "x = Integer(default=1)\n    sane = Check('x > 0')"),
    "several": Case(
        "x = Integer(index=True)\n    gone = Boolean()",
        "x = Integer(null=True, default=4)\n    fresh = Varchar(unique=True, default='f')",
    ),
}
VOLATILE = {"add instant", "add unique uuid"}


def tables(fields: str) -> str:
    return f"{BAND}\nclass Album(Table):\n    label = Varchar(index=True)\n    {fields}\n"


SQLITE_FACTS = {
    "columns": "SELECT name, 1 - \"notnull\" AS nullable FROM pragma_table_info('album') WHERE pk = 0 ORDER BY name",
    "indexes": 'SELECT l."unique" AS is_unique, group_concat(i.name) AS names '
    "FROM pragma_index_list('album') l, pragma_index_info(l.name) i GROUP BY l.name ORDER BY 1, 2",
    "foreign": 'SELECT "from" AS col, "table" AS other, on_delete FROM pragma_foreign_key_list(\'album\') ORDER BY 1',
}
POSTGRES_FACTS = {
    "columns": "SELECT column_name AS name, (is_nullable = 'YES')::int AS nullable FROM information_schema.columns "
    "WHERE table_name = 'album' AND column_name <> 'id' ORDER BY 1",
    "indexes": "SELECT indisunique::int AS is_unique, string_agg(a.attname, ',' ORDER BY k.n) AS names FROM pg_index i "
    "CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k(att, n) "
    "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.att "
    "WHERE indrelid = 'album'::regclass AND NOT indisprimary GROUP BY i.indexrelid, indisunique ORDER BY 1, 2",
    "foreign": "SELECT a.attname AS col, c.confrelid::regclass::text AS other, "
    "CASE confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'r' THEN 'RESTRICT' ELSE confdeltype::text END AS on_delete "
    "FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] "
    "WHERE contype = 'f' AND conrelid = 'album'::regclass ORDER BY 1",
}


async def facts(database: Database) -> dict[str, Any]:
    """Columns, indexes and foreign keys of `album`, in the same words for both engines."""
    queries = SQLITE_FACTS if database.dialect == "sqlite" else POSTGRES_FACTS
    return {what: [tuple(row) for row in await database.fetch(Statement(sql))] for what, sql in queries.items()}


@contextlib.asynccontextmanager
async def opened(engine: str, folder: Path):
    folder.mkdir(exist_ok=True)
    with fresh_url(engine, folder) as url:
        database = open_database(url)
        await database.start()
        try:
            yield database
        finally:
            await database.stop()


@pytest.mark.postgres
@pytest.mark.parametrize("name", CASES)
async def test_each_alteration_ends_alike(name: str, sample: SampleApp, tmp_path: Path) -> None:  # noqa: F811
    """The row survives; columns, indexes, foreign keys and rows equal PostgreSQL's; SQLite's DDL, a fresh table's."""
    case, results = CASES[name], []
    async with opened("postgres", tmp_path) as postgres, opened("sqlite", tmp_path) as sqlite:
        module = await sample.redefine(tables(case.before), sqlite)
        for database in (postgres, sqlite):
            assert len(await migrate(database, "sample")) == 1
            await database.execute(Statement("INSERT INTO album (label) VALUES ('kept')"))
        module = await sample.redefine(tables(case.after), sqlite, "y" if name == "rename column" else "n")
        for database in (postgres, sqlite):
            assert len(await migrate(database, "sample")) == 1
            assert await pending(database, "sample") == []
            for table in (module.Album, module.Band):
                table._meta.db = database.engine
            rows = await module.Album.select().run()
            assert [row["label"] for row in rows] == ["kept"]
            results.append((await facts(database), None if name in VOLATILE else rows))
        assert results[0] == results[1]
        assert await drift("sample") == []
        await same_as_fresh(sqlite, sample, tmp_path)


async def same_as_fresh(migrated: Database, sample: SampleApp, folder: Path) -> None:  # noqa: F811
    """The schema text is what one migration on an empty file makes."""
    for old in (sample.folder / "migrations").glob("*.py"):
        old.unlink()
    async with opened("sqlite", folder / "fresh") as fresh:
        await sample.generate()
        await migrate(fresh, "sample")
        assert await ddl(migrated) == await ddl(fresh)


async def ddl(database: Database) -> list[str]:
    rows = await database.fetch(Statement("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
    return sorted(sorted_columns(row["sql"].replace('"', "")) for row in rows)


def sorted_columns(sql: str) -> str:
    """A column added later stands last; its place has no meaning."""
    head, bracket, body = sql.partition("(")
    return f"{head.strip()}{bracket}{', '.join(sorted(part.strip() for part in body.removesuffix(')').split(', ')))}"


async def test_what_is_written_by_hand_survives(sample: SampleApp, tmp_path: Path) -> None:  # noqa: F811
    """Composite, partial and expression indexes, triggers, referring rows and rowids outlive a rebuild."""
    async with opened("sqlite", tmp_path) as database:
        more = "\nclass Song(Table):\n    album = ForeignKey(Album)\n"
        await sample.redefine(tables("x = Integer()") + more, database)
        await migrate(database, "sample")
        for text in (
            "CREATE INDEX by_hand ON album (label, x)",
            "CREATE UNIQUE INDEX partly ON album (x) WHERE x > 10",
            "CREATE INDEX folded ON album (lower(label))",
            "CREATE INDEX on_gone ON album (label DESC)",
            "CREATE TRIGGER noted AFTER UPDATE ON album BEGIN UPDATE band SET name = NEW.label; END",
            "CREATE TRIGGER elsewhere AFTER DELETE ON band BEGIN UPDATE album SET x = x + 1; END",
            "INSERT INTO album (id, label, x) VALUES (3, 'a', 1), (9, 'b', 2)",
            "INSERT INTO song (album) VALUES (9)",
            "INSERT INTO band (name) VALUES ('n')",
        ):
            await database.execute(Statement(text))
        for fields in ("y = Integer()", "y = BigInt(null=True, default=0)"):
            await sample.redefine(tables(fields) + more, database, "y")
            assert len(await migrate(database, "sample")) == 1
        names = {row[0] for row in await database.fetch(Statement("SELECT name FROM sqlite_master"))}
        assert {"by_hand", "partly", "folded", "on_gone", "noted", "elsewhere"} <= names
        await database.execute(Statement("UPDATE album SET y = 5 WHERE id = 9"))
        assert (await database.fetch(Statement("SELECT name FROM band")))[0]["name"] == "b"
        assert [row["album"] for row in await database.fetch(Statement("SELECT album FROM song"))] == [9]
        with pytest.raises(Exception, match="FOREIGN KEY"):
            await database.execute(Statement("INSERT INTO song (album) VALUES (77)"))
        await sample.redefine(tables("") + more, database)
        await migrate(database, "sample")
        left = {row[0] for row in await database.fetch(Statement("SELECT name FROM sqlite_master"))}
        assert names - left == {"by_hand", "partly"}, "indexes on the dropped column, and nothing else"


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
@pytest.mark.parametrize(
    ("before", "after", "row"),
    [
        ("x = Integer(null=True)", "x = Integer(null=False)", "NULL"),
        ("x = Varchar()", "x = Integer()", "'many'"),
        ("x = Integer(default=1)", "x = Integer(default=1, unique=True)", "1), ('b', 1"),
    ],
)
async def test_rows_that_do_not_fit_stop_the_migration(
    engine: str,
    before: str,
    after: str,
    row: str,
    sample: SampleApp,  # noqa: F811
    tmp_path: Path,
) -> None:
    """It fails on both engines, names the migration, changes nothing, and runs once the rows are right."""
    async with opened(engine, tmp_path) as database:
        await sample.redefine(tables(before), database)
        await migrate(database, "sample")
        await database.execute(Statement(f"INSERT INTO album (label, x) VALUES ('a', {row})"))
        start = await facts(database)
        await sample.redefine(tables(after), database)
        (waiting,) = await pending(database, "sample")
        with pytest.raises(MigrationFailed, match=waiting):
            await migrate(database, "sample")
        assert await facts(database) == start
        assert await pending(database, "sample") == [waiting]
        await database.execute(Statement("DELETE FROM album"))
        if "Varchar" not in before:
            assert await migrate(database, "sample") == [waiting]


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def test_tables_are_renamed_and_dropped(engine: str, sample: SampleApp, tmp_path: Path) -> None:  # noqa: F811
    """Rows move with a renamed table, references follow, and a dropped table is gone."""
    first = f"{BAND}\nclass Song(Table):\n    band = ForeignKey(Band)\n\nclass Old(Table):\n    n = Integer()\n"
    async with opened(engine, tmp_path) as database:
        await sample.redefine(first, database)
        await migrate(database, "sample")
        await database.execute(Statement("INSERT INTO band (name) VALUES ('kept')"))
        await database.execute(Statement("INSERT INTO song (band) VALUES (1)"))
        await sample.redefine(first.partition("\nclass Old")[0], database)
        await migrate(database, "sample")
        with pytest.raises(Exception, match="old"):
            await database.fetch(Statement("SELECT * FROM old"))
        renamed = (
            first.partition("\nclass Old")[0].replace("class Band", "class Group").replace("Key(Band", "Key(Group")
        )
        await sample.redefine(
            renamed.replace("class Group(Table)", "class Group(Table, tablename='crew')"), database, "y"
        )
        await migrate(database, "sample")
        assert [row["name"] for row in await database.fetch(Statement("SELECT name FROM crew"))] == ["kept"]
        with pytest.raises(Exception, match=r"(?i)foreign key"):
            await database.execute(Statement("INSERT INTO song (band) VALUES (5)"))
        assert (await database.fetch(Statement("SELECT band FROM song")))[0][0] == 1


async def test_there_is_no_way_back_but_the_copy(sample: SampleApp, tmp_path: Path) -> None:  # noqa: F811
    """Backwards on SQLite is refused with a sentence that names the copy."""
    from app.database.migrating import _piccolo_on
    from app.database.snapshots import load_migrations

    async with opened("sqlite", tmp_path) as database:
        await sample.redefine(tables("x = Integer()"), database)
        await migrate(database, "sample")
        await sample.redefine(tables("x = BigInt()"), database)
        (last,) = await migrate(database, "sample")
        manager = await load_migrations(sample.folder / "migrations")[last].forwards()
        with _piccolo_on(database), pytest.raises(MigrationRefused, match="before-" + last.replace(":", "-")):
            await manager.run(backwards=True)
