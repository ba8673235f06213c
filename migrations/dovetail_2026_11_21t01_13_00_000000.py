"""In a database that has no tenant yet, recording reaches back to its beginning: nobody could call before."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.clock import SYSTEM_CLOCK
from app.database.dialects import run_sql

ID = "2026-11-21T01:13:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Where the recording of uses begins in a new database"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="dovetail", description=DESCRIPTION)

    async def begin() -> None:
        now = SYSTEM_CLOCK.now_ms()
        span = (
            "INSERT INTO recording_span (id, started_at, reached_at, closed, complete) "  # noqa: S608 - own words
            f"SELECT '00000000-0000-7000-8000-000000000001', {now}, {now}, true, true "
            "WHERE NOT EXISTS (SELECT 1 FROM tenant)"
        )
        await run_sql(sqlite=[span], postgres=[span.replace("000001'", "000001'::uuid")])

    manager.add_raw(begin)
    return manager
