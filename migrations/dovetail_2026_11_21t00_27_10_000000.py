"""Indexes of walks and of changes; every tenant gets its head, and what changed before is not known."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.clock import SYSTEM_CLOCK
from app.database.dialects import run_sql

ID = "2026-11-21T00:27:10:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of walks and of changes, a change head for each tenant"

INDEXES = [
    *(
        f'CREATE INDEX "{table}_changed" ON "{table}" ("tenant", "changed_at", "id") WHERE changed_at IS NOT NULL'
        for table in ("person", "publication", "work", "project")
    ),
    'CREATE INDEX "tombstone_changed" ON "tombstone" ("tenant", "kind", "changed_at", "id")',
    *(
        f'CREATE INDEX "{table}_walked" ON "{table}" ("tenant", "id") WHERE listed'
        for table in ("person", "publication", "work")
    ),
    'CREATE INDEX "project_walked" ON "project" ("tenant", "id")',
]


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="dovetail", description=DESCRIPTION)

    async def rules() -> None:
        now = SYSTEM_CLOCK.now_ms()
        heads = (
            "INSERT INTO change_head (tenant, changed_at, forgotten_at) "  # noqa: S608 - a number of our own
            f"SELECT id, {now}, {now} FROM tenant"
        )
        await run_sql(sqlite=[*INDEXES, heads], postgres=[*INDEXES, heads])

    manager.add_raw(rules)
    return manager
