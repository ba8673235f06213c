"""Rules of the integration tables that hold in the database: one row of a kind, one order of names, quick look-ups."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.database.dialects import run_sql

ID = "2026-11-21T00:27:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Unique rows and indexes of integration definitions, instances and what belongs to them"

UNIQUE = [
    'CREATE UNIQUE INDEX "definition_once" ON "integration_definition" ("tenant", "name", "semver")',
    'CREATE UNIQUE INDEX "built_in_once" ON "integration_definition" ("name", "semver") WHERE tenant IS NULL',
    'CREATE UNIQUE INDEX "instance_once" ON "integration_instance" ("tenant", "name")',
    'CREATE UNIQUE INDEX "secret_once" ON "integration_secret" ("instance", "name")',
    'CREATE UNIQUE INDEX "redirect_once" ON "integration_redirect" ("tenant", "uri")',
    'CREATE UNIQUE INDEX "circuit_once" ON "integration_circuit" ("instance", "host")',
    'CREATE UNIQUE INDEX "delivery_once" ON "integration_delivery" ("instance", "digest")',
    'CREATE UNIQUE INDEX "idempotency_once" ON "idempotency_record" ("tenant", "caller", "method", "path", "key")',
]
LISTS = [
    'CREATE INDEX "definition_updated" ON "integration_definition" ("tenant", "updated_at", "id")',
    'CREATE INDEX "instance_updated" ON "integration_instance" ("tenant", "updated_at", "id")',
    'CREATE INDEX "instance_check" ON "integration_instance" ("next_check_at") WHERE next_check_at IS NOT NULL',
    'CREATE INDEX "execution_listed" ON "integration_execution" ("instance", "at", "id")',
]
# SQLite compares bytes; PostgreSQL would compare as its locale does, and the two would page differently.
BYTE_ORDER = [
    f'ALTER TABLE "{table}" ALTER COLUMN "name" TYPE text COLLATE "C"'
    for table in ("integration_definition", "integration_instance")
]


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="dovetail", description=DESCRIPTION)

    async def rules() -> None:
        await run_sql(postgres=BYTE_ORDER)
        await run_sql(sqlite=[*UNIQUE, *LISTS], postgres=[*UNIQUE, *LISTS])

    manager.add_raw(rules)
    return manager
