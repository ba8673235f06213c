"""Creating tables of SQLite from table classes."""

from __future__ import annotations

from typing import Any

from piccolo.query.methods.create_index import CreateIndex
from piccolo.table import Table

from app.database.sqlite_engine import SqliteEngine


async def rows_of(engine: SqliteEngine, sql: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = await engine.run_ddl(sql)
    return rows


async def create_table(table: type[Table], name: str, engine: SqliteEngine, *, indexes: bool = True) -> None:
    """Create `table` under `name`, its constraints inside: SQLite cannot add them later."""
    parts = [column.ddl for column in table._meta.columns]
    parts += [f'CONSTRAINT "{item._meta.name}" {item.ddl}' for item in table._meta.constraints]
    if any("NULLS NOT DISTINCT" in part for part in parts):
        raise ValueError(f"{table._meta.tablename}: SQLite has no NULLS NOT DISTINCT")
    await engine.run_ddl(f'CREATE TABLE "{name}" ({", ".join(parts)})')
    if indexes:
        await create_indexes(table, engine)


async def create_indexes(table: type[Table], engine: SqliteEngine) -> None:
    for column in table._meta.columns:
        if column._meta.index:
            for sql in CreateIndex(table, [column], method=column._meta.index_method).ddl:
                await engine.run_ddl(sql)
