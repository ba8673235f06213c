"""A small Piccolo app in a folder, whose tables can be redefined and whose migrations are generated."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest
from piccolo.apps.migrations.commands.new import NoChanges, _create_new_migration
from piccolo.conf.apps import Finder

from app.database import Database, bind
from app.database.snapshots import quiet

CONF = """
from piccolo.conf.apps import AppRegistry
from app.database import open_database

DB = open_database("sqlite:////nowhere/at/all.sqlite").engine
APP_REGISTRY = AppRegistry(apps=["sample_piccolo_app"])
"""

APP = """
from pathlib import Path
from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="sample",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=table_finder(["sample_tables"], exclude_imported=True),
)
"""

HEADER = """
from piccolo.columns import *
from piccolo.columns.base import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table
from piccolo.columns.defaults.timestamptz import TimestamptzNow
"""

RAW = """
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from app.database.dialects import append_only, run_sql

ID = "{id}"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="sample", description="")

    async def step():
{body}

    manager.add_raw(step)
    return manager
"""

MODULES = ("sample_conf", "sample_piccolo_app", "sample_tables")


class SampleApp:
    """The app `sample`; environments that run in another process need `folder` on their path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "migrations").mkdir(parents=True)
        (folder / "sample_conf.py").write_text(CONF)
        (folder / "sample_piccolo_app.py").write_text(APP)

    def define(self, tables: str) -> ModuleType:
        """Replace the table classes; the module that holds them."""
        (self.folder / "sample_tables.py").write_text(HEADER + tables)
        for name in MODULES:
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return importlib.import_module("sample_tables")

    async def generate(self, renames: str = "n") -> str | None:
        """Write the migration for what changed; its id, or None. `renames` answers Piccolo's questions."""
        with quiet():
            try:
                meta = await _create_new_migration(Finder().get_app_config("sample"), auto=True, auto_input=renames)
            except NoChanges:
                return None
        return meta.migration_id

    async def redefine(self, tables: str, database: Database, renames: str = "n") -> ModuleType:
        """New table classes, bound to the database, and their migration."""
        module = self.define(tables)
        bind(database, Finder().get_app_config("sample").table_classes)
        await self.generate(renames)
        return module

    def write_raw(self, migration_id: str, body: str) -> None:
        lines = "\n".join(f"        {line}" for line in body.strip().splitlines())
        path = self.folder / "migrations" / f"raw_{migration_id.replace('-', '_').replace(':', '_')}.py"
        path.write_text(RAW.format(id=migration_id, body=lines))


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "sample"
    app = SampleApp(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PICCOLO_CONF", "sample_conf")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield app
    for name in MODULES:
        sys.modules.pop(name, None)
