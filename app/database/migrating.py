"""Migrations, run in the process that needs them: quietly, one process at a time, each in one transaction."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.apps.migrations.tables import Migration
from piccolo.conf.apps import Finder

from app.database.access import Database
from app.database.copies import take_copy
from app.database.migration_locks import migration_lock
from app.database.outages import translated
from app.database.rebuild import install, needs_rebuild
from app.database.schema_transactions import schema_transaction
from app.database.snapshots import load_migrations, migrations_folder, quiet
from app.database.sqlite_engine import SqliteEngine
from app.errors import Unavailable

APP = "dovetail"


class MigrationFailed(Exception):
    """A migration did not succeed; the message names it, and the cause is its `__cause__`."""


async def pending(database: Database, app: str = APP) -> list[str]:
    """Ids of the migrations that have not run here, oldest first; changes nothing."""
    with _piccolo_on(database):
        done = await _done(app)
        return [found for found in load_migrations(migrations_folder(app)) if found not in done]


async def migrate(database: Database, app: str = APP) -> list[str]:
    """Run what is pending and return its ids; the database may be started or not.

    A SQLite file with tables is copied first, to `<file>.before-<id>`. Raises MigrationFailed, with the
    database as the last good migration left it, and Unavailable when the database is away.
    """
    if not await pending(database, app):
        return []
    async with migration_lock(database):
        ids = await pending(database, app)
        if ids and isinstance(database.engine, SqliteEngine):
            with translated:
                await asyncio.to_thread(take_copy, database.engine.path, ids[0])
        with _piccolo_on(database):
            await Migration.create_table(if_not_exists=True).run()  # type: ignore[no-untyped-call]
            modules = load_migrations(migrations_folder(app))
            for migration_id in ids:
                await _migrate_one(database, app, migration_id, modules[migration_id])
    return ids


async def drift(app: str = APP) -> list[str]:
    """The statements a new migration would hold: [] where the table classes equal the migrations."""
    from piccolo.apps.migrations.commands.new import AutoMigrationManager

    with quiet():
        config = Finder().get_app_config(app)
        changes = await AutoMigrationManager(auto_input="n").get_alter_statements(app_config=config)
    return [statement for change in changes for statement in change.statements]


async def _migrate_one(database: Database, app: str, migration_id: str, module: ModuleType) -> None:
    try:
        manager = await module.forwards()
        if isinstance(manager, MigrationManager) and not manager.fake:
            await _run(database, app, migration_id, manager)
        else:
            await _record(app, migration_id)
    except Unavailable:
        raise
    except Exception as error:
        raise MigrationFailed(f"migration {migration_id} failed and was undone: {error}") from error


async def _run(database: Database, app: str, migration_id: str, manager: MigrationManager) -> None:
    """The change and the note that it was made, in one transaction: a crash cannot part them."""
    if database.dialect == "postgres" and not manager.wrap_in_transaction:
        await manager.run()
        await _record(app, migration_id)
        return
    async with schema_transaction(database.engine, foreign_keys=not needs_rebuild(manager)):
        await manager.run()
        await _record(app, migration_id)


async def _record(app: str, migration_id: str) -> None:
    await Migration.insert(Migration(name=migration_id, app_name=app)).run()


async def _done(app: str) -> set[str]:
    if not await Migration.table_exists().run():
        return set()
    return set(await Migration.get_migrations_which_ran(app))


@contextlib.contextmanager
def _piccolo_on(database: Database) -> Iterator[None]:
    """Piccolo finds its engine in a module and in table classes; for this block both name this database."""
    conf: Any = Finder().get_piccolo_conf_module()
    before, table_before = conf.DB, Migration._meta._db
    conf.DB = Migration._meta.db = database.engine
    if isinstance(database.engine, SqliteEngine):
        install()
    try:
        with quiet():
            yield
    finally:
        conf.DB, Migration._meta._db = before, table_before
