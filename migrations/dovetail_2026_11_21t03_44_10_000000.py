"""Those that are still running are few: the index holds them alone."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.database.dialects import run_sql

ID = "2026-11-21T03:44:10:000000"
VERSION = "1.38.0"
DESCRIPTION = "Index of executions that are still running"

INDEX = (
    'CREATE INDEX "integration_execution_running" ON "integration_execution" ("running_until") '
    'WHERE "running_until" IS NOT NULL'
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="dovetail", description=DESCRIPTION)

    async def index() -> None:
        await run_sql(sqlite=INDEX, postgres=INDEX)

    manager.add_raw(index)
    return manager
