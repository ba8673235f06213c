"""Piccolo's migrations on SQLite, which cannot alter a column: touched tables are built anew.

The twelve steps of https://www.sqlite.org/lang_altertable.html#otheralter, in the transaction of the
migration. A value that PostgreSQL would refuse is refused here too.
"""

from __future__ import annotations

import inspect
import sys
from itertools import chain
from typing import Any

from piccolo.apps.migrations.auto.diffable_table import DiffableTable
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder
from piccolo.table import sort_table_classes

from app.database.copies import copies_of, copy_path
from app.database.rebuilt_tables import Rebuild
from app.database.schema_transactions import schema_transaction
from app.database.snapshots import table_class, tables_after
from app.database.sqlite_ddl import create_table, rows_of
from app.database.sqlite_engine import SqliteEngine

_upstream = MigrationManager.run


class MigrationRefused(Exception):
    """A migration cannot be done here; the message says what to do instead."""


def touched_classes(manager: MigrationManager) -> set[str]:
    """Names of the table classes that exist already and whose table changes."""
    collections: tuple[Any, ...] = (
        manager.add_columns.add_columns,
        manager.drop_columns.drop_columns,
        manager.rename_columns.rename_columns,
        manager.alter_columns.alter_columns,
        manager.add_constraints.add_constraints,
        manager.drop_constraints.drop_constraints,
    )
    touched = {change.table_class_name for change in chain.from_iterable(collections)}
    touched |= {rename.new_class_name for rename in manager.rename_tables}
    return touched - {table.class_name for table in manager.add_tables}


def needs_rebuild(manager: MigrationManager) -> bool:
    """Whether foreign keys must be off while it runs."""
    return bool(manager.drop_tables or touched_classes(manager))


async def run(self: MigrationManager, backwards: bool = False) -> None:
    """In place of MigrationManager.run; other engines than ours for SQLite get the original."""
    engine = engine_finder()
    if not isinstance(engine, SqliteEngine):
        await _upstream(self, backwards=backwards)
    elif backwards:
        raise MigrationRefused(_no_way_back(engine.path, self.migration_id))
    elif self.preview:
        names = ", ".join(sorted(touched_classes(self))) or "no table"
        sys.stdout.write(f"  - {self.migration_id} [preview]... rebuilds {names}\n")
    elif engine.live_transaction() is not None:
        await _apply(self, engine)
    else:
        sys.stdout.write(f"  - {self.migration_id} [forwards, by rebuilding tables]... ")
        async with schema_transaction(engine, foreign_keys=not needs_rebuild(self)):
            await _apply(self, engine)


def install() -> None:
    """Make Piccolo's migrations run on SQLite; to call it again changes nothing."""
    MigrationManager.run = run  # type: ignore[method-assign]


def _no_way_back(path: str, migration_id: str) -> str:
    own, copies = copy_path(path, migration_id), copies_of(path)
    copy = own if own in copies else copies[-1] if copies else None
    what = f"stop the server and put {copy} in the place of {path}" if copy else "there is no copy to restore"
    return f"Migrations do not run backwards on SQLite; {what}."


async def _apply(manager: MigrationManager, engine: SqliteEngine) -> None:
    for step in manager.raw:
        result = step()
        if inspect.isawaitable(result):
            await result
    touched = touched_classes(manager)
    if manager.add_tables or touched:
        final = await tables_after(manager.app_name, manager.migration_id)
    if manager.add_tables:
        await _add_tables(manager, final, engine)
    if needs_rebuild(manager):
        await _refuse_foreign_keys(engine)
        await _rename_and_drop(manager, engine)
        for name in sorted(touched & set(final) if touched else ()):
            await Rebuild(manager, table_class(final[name], engine), engine).run()
        await _check_foreign_keys(engine)


async def _add_tables(manager: MigrationManager, final: dict[str, DiffableTable], engine: SqliteEngine) -> None:
    names = [table.class_name for table in manager.add_tables if table.class_name in final]
    for table in sort_table_classes([table_class(final[name], engine) for name in names]):
        await create_table(table, table._meta.tablename, engine)


async def _rename_and_drop(manager: MigrationManager, engine: SqliteEngine) -> None:
    for rename in manager.rename_tables:
        if rename.old_tablename != rename.new_tablename:
            await engine.run_ddl(f'ALTER TABLE "{rename.old_tablename}" RENAME TO "{rename.new_tablename}"')
    for table in manager.drop_tables:
        await engine.run_ddl(f'DROP TABLE "{table.tablename}"')


async def _refuse_foreign_keys(engine: SqliteEngine) -> None:
    if (await rows_of(engine, "PRAGMA foreign_keys"))[0]["foreign_keys"]:
        raise MigrationRefused("A table cannot be rebuilt in a transaction that enforces foreign keys.")


async def _check_foreign_keys(engine: SqliteEngine) -> None:
    broken = await rows_of(engine, "PRAGMA foreign_key_check")
    if broken:
        tables = ", ".join(sorted({f"{row['table']} → {row['parent']}" for row in broken}))
        raise MigrationRefused(f"{len(broken)} rows would refer to rows that are not there: {tables}.")
