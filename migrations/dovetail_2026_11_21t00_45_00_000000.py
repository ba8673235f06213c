"""Moves are found by tenant and change, and the deep parts of lists by their own order."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.database.dialects import run_sql

ID = "2026-11-21T00:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of moves and of sorted lists"

# As the order that they tell of: bytes, on both engines.
BYTE_ORDER = ['ALTER TABLE "person_move" ALTER COLUMN "sort_name" TYPE text COLLATE "C"']
INDEXES = ['CREATE INDEX "person_move_since" ON "person_move" ("tenant", "changed_at")']


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="dovetail", description=DESCRIPTION)

    async def rules() -> None:
        await run_sql(postgres=BYTE_ORDER)
        await run_sql(sqlite=INDEXES, postgres=INDEXES)

    manager.add_raw(rules)
    return manager
