"""Migration files: loading them, and the tables as they stand after one of them."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from piccolo.apps.migrations.auto.diffable_table import DiffableTable
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.apps.migrations.auto.schema_snapshot import SchemaSnapshot
from piccolo.conf.apps import Finder
from piccolo.engine.base import Engine
from piccolo.table import Table, create_table_class


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Piccolo prints, and puts the migrations folder on `sys.path`; neither outlives this block."""
    path = list(sys.path)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        sys.path[:] = path


def migrations_folder(app: str) -> Path:
    return Path(Finder().get_app_config(app).resolved_migrations_folder_path)


def load_migrations(folder: Path) -> dict[str, ModuleType]:
    """The modules of the folder by migration id, in order of the ids.

    They are loaded anew each time: table classes inside keep the engine that they first met.
    """
    modules = [_load(path) for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
    return {module.ID: module for module in sorted(modules, key=lambda module: str(module.ID))}


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def tables_after(app: str, migration_id: str) -> dict[str, DiffableTable]:
    """Every table as the migrations up to and with this one leave it, by class name."""
    managers = []
    for found_id, module in load_migrations(migrations_folder(app)).items():
        manager = await module.forwards()
        if found_id <= migration_id and isinstance(manager, MigrationManager):
            managers.append(manager)
    return {table.class_name: table for table in SchemaSnapshot(managers).get_snapshot()}


def table_class(table: DiffableTable, engine: Engine[Any]) -> type[Table]:
    """A table class of a snapshot, whose DDL is for `engine`.

    Columns are made anew from their parameters: an alteration in the snapshot changes the parameters,
    but not what the column derived from them when it was made.
    """
    members: dict[str, Any] = {}
    for column in table.columns:
        fresh = type(column)(**column._meta.params)
        fresh._meta.name = column._meta.name
        if column._meta.db_column_name != column._meta.name:
            fresh._meta.db_column_name = column._meta.db_column_name
        members[column._meta.name] = fresh
    members |= {constraint._meta.name: constraint for constraint in table.constraints}
    return create_table_class(
        table.class_name, class_kwargs={"tablename": table.tablename, "db": engine}, class_members=members
    )
