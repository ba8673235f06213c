"""SQL that differs by engine, for the raw steps of migrations; it runs on the engine Piccolo migrates."""

from collections.abc import Sequence

from piccolo.engine.finder import engine_finder

from app.database.engines import DatabaseEngine
from app.database.postgres_engine import PostgresEngine
from app.database.sqlite_engine import SqliteEngine
from app.database.statements import Dialect

Sql = str | Sequence[str]


def migrating_engine() -> DatabaseEngine:
    """The engine that `piccolo_conf.DB` names; raises TypeError where it is not one of ours."""
    engine = engine_finder()
    if not isinstance(engine, PostgresEngine | SqliteEngine):
        raise TypeError("piccolo_conf.DB is not an engine of app.database")
    return engine


async def run_sql(*, sqlite: Sql = (), postgres: Sql = ()) -> None:
    """Run one statement, or several in order, on the engine at hand; an engine without any is left alone."""
    sql = sqlite if migrating_engine().engine_type == "sqlite" else postgres
    for text in [sql] if isinstance(sql, str) else sql:
        await migrating_engine().run_ddl(text)


def append_only_sql(dialect: Dialect, table: str) -> list[str]:
    """Triggers that refuse to change or delete a row of `table`: `<table> is append-only`."""
    if dialect == "sqlite":
        return [
            f'CREATE TRIGGER "{table}_refuse_{verb}" BEFORE {verb.upper()} ON "{table}" '
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for verb in ("update", "delete")
        ]
    return [
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
        f'CREATE TRIGGER "{table}_refuse_change" BEFORE UPDATE OR DELETE ON "{table}" '
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        f'CREATE TRIGGER "{table}_refuse_truncate" BEFORE TRUNCATE ON "{table}" '
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ]


async def append_only(table: str) -> None:
    """Install the triggers of `append_only_sql`; for use in a migration after the one that makes the table."""
    await run_sql(sqlite=append_only_sql("sqlite", table), postgres=append_only_sql("postgres", table))
