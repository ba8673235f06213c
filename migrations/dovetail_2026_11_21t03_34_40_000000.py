"""A webhook is known by its sender's id as well as by its digest; the lists of deliveries are read from an index."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.database.dialects import run_sql

ID = "2026-11-21T03:34:40:000000"
VERSION = "1.38.0"
DESCRIPTION = "Unique rows and indexes of deliveries"

INDEXES = [
    'CREATE UNIQUE INDEX "delivery_named_once" ON "integration_delivery" ("instance", "delivery_id")',
    'CREATE INDEX "delivery_listed" ON "integration_delivery" ("instance", "received_at", "id")',
    'CREATE INDEX "delivery_latest" ON "integration_delivery" ("tenant", "received_at", "id")',
]


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="dovetail", description=DESCRIPTION)

    async def rules() -> None:
        await run_sql(sqlite=INDEXES, postgres=INDEXES)

    manager.add_raw(rules)
    return manager
