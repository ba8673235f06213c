"""Each sort of publications and works is an index range; SQLite counts the listed order from its index alone."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.database.dialects import run_sql

ID = "2026-11-21T01:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of the sorts of publications and works"

SORTS = [
    'CREATE INDEX "publication_listed_by_date" ON "publication" ("tenant", coalesce(publication_date, \'\'), "id") '
    "WHERE listed",
    'CREATE INDEX "publication_listed_by_citations" ON "publication" ("tenant", "cited_by_count", "id") WHERE listed',
    'CREATE INDEX "work_listed_by_date" ON "work" ("tenant", coalesce(publication_date, \'\'), "id") WHERE listed',
    'CREATE INDEX "work_listed_by_year" ON "work" ("tenant", coalesce(publication_year, 0), "id") WHERE listed',
    'CREATE INDEX "publication_fetched" ON "publication" ("tenant", "last_fetched_at", "id")',
    'CREATE INDEX "work_created" ON "work" ("tenant", "created_at", "id")',
]
# SQLite reads the row for a column that the index only has in its condition.
WITH_LISTED = [
    'DROP INDEX "person_listed"',
    'CREATE INDEX "person_listed" ON "person" ("tenant", "sort_name", "orcid_id", "listed") WHERE listed',
]


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="dovetail", description=DESCRIPTION)

    async def rules() -> None:
        await run_sql(sqlite=[*SORTS, *WITH_LISTED], postgres=SORTS)

    manager.add_raw(rules)
    return manager
