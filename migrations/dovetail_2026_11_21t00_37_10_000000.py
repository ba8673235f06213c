"""One row for each client, element and day; the report of all tenants reads by element."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.database.dialects import run_sql

ID = "2026-11-21T00:37:10:000000"
VERSION = "1.38.0"
DESCRIPTION = "Unique rows and the index of the ledger of contract elements"

INDEXES = [
    'CREATE UNIQUE INDEX "contract_use_once" ON "contract_use" '
    '("tenant", "api", "version", "operation", "element", "client", "kind", "day")',
    'CREATE INDEX "contract_use_of" ON "contract_use" ("api", "version", "operation", "element", "day")',
    'CREATE INDEX "contract_use_old" ON "contract_use" ("day")',
    'CREATE INDEX "recording_span_reached" ON "recording_span" ("reached_at")',
]


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="dovetail", description=DESCRIPTION)

    async def rules() -> None:
        await run_sql(sqlite=INDEXES, postgres=INDEXES)

    manager.add_raw(rules)
    return manager
