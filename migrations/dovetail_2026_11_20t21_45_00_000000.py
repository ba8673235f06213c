"""Rules that hold in the database itself: one row of a kind, one order of names, an audit history that only grows."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.database.dialects import append_only, run_sql

ID = "2026-11-20T21:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Unique rows, indexes of the lists, append-only audit history"

UNIQUE = [
    'CREATE UNIQUE INDEX "origin_once" ON "origin" ("installation", "origin")',
    'CREATE UNIQUE INDEX "person_once" ON "person" ("tenant", "orcid_id")',
    'CREATE UNIQUE INDEX "publication_once" ON "publication" ("tenant", "doi")',
    'CREATE UNIQUE INDEX "authorship_once" ON "authorship" ("person", "publication")',
    'CREATE UNIQUE INDEX "work_once" ON "work" ("person", "put_code")',
    'CREATE UNIQUE INDEX "tally_once" ON "tally" ("tenant", "kind")',
    'CREATE UNIQUE INDEX "usage_once" ON "usage_count" ("installation", "api", "operation", "day")',
    'CREATE UNIQUE INDEX "seal_once" ON "audit_seal" ("tenant", "seq")',
    'CREATE UNIQUE INDEX "job_queued_once" ON "job" ("tenant", "kind", "subject") WHERE status = \'queued\'',
    'CREATE UNIQUE INDEX "legacy_key_once" ON "credential" ("digest") WHERE hash_alg = \'sha256\'',
]
LISTS = [
    'CREATE INDEX "person_listed" ON "person" ("tenant", "sort_name", "orcid_id") WHERE listed',
    'CREATE INDEX "person_named" ON "person" ("tenant", "sort_name", "id")',
    'CREATE INDEX "publication_listed" ON "publication" ("tenant", "last_fetched_at", "id") WHERE listed',
    'CREATE INDEX "work_listed" ON "work" ("tenant", "created_at", "id") WHERE listed',
    'CREATE INDEX "project_titled" ON "project" ("tenant", "search_text", "id")',
    'CREATE INDEX "job_due" ON "job" ("run_at") WHERE status IN (\'queued\', \'running\')',
    'CREATE INDEX "audit_request" ON "audit_event" ("request_id")',
    'CREATE INDEX "audit_action" ON "audit_event" ("tenant", "action")',
    'CREATE INDEX "audit_installation" ON "audit_event" ("installation") WHERE installation IS NOT NULL',
    'CREATE INDEX "pending_tenant" ON "audit_pending" ("tenant", "event")',
]
# SQLite compares bytes; PostgreSQL would compare as its locale does, and the two would page differently.
BYTE_ORDER = [
    f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE text COLLATE "C"'
    for table, column in (("person", "sort_name"), ("person", "orcid_id"), ("project", "search_text"))
]


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="dovetail", description=DESCRIPTION)

    async def rules() -> None:
        await run_sql(postgres=BYTE_ORDER)
        await run_sql(sqlite=[*UNIQUE, *LISTS], postgres=[*UNIQUE, *LISTS])
        for table in ("audit_event", "audit_seal"):
            await append_only(table)

    manager.add_raw(rules)
    return manager
