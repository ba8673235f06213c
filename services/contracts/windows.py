"""The days that a question about use looks at, and why uses in them may be missing."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from app.clock import iso, utc_date
from app.database import Database, Statement
from app.errors import ValidationFailed
from services.usage.recording import SILENT_MS, gaps, recorded_from, spans_since

MOST_DAYS = 3_650
_BORN = Statement("SELECT MIN(created_at) AS born FROM tenant WHERE id = {tenant}")
_FIRST_BORN = Statement("SELECT MIN(created_at) AS born FROM tenant")


class Window(NamedTuple):
    """Days (UTC) from `since` to `until`, both included; `missing` says what of them was not recorded."""

    since: str
    until: str
    missing: tuple[str, ...]


async def open_window(database: Database, now: int, days: int, tenant: UUID | None) -> Window:
    """The last `days` days and today, as far as they concern a tenant (None: all). Raises ValidationFailed."""
    if not 1 <= days <= MOST_DAYS:
        raise ValidationFailed({"days": f"must be between 1 and {MOST_DAYS}"})
    until = utc_date(now)
    since = until - timedelta(days=days)
    started = int(datetime(since.year, since.month, since.day, tzinfo=UTC).timestamp() * 1_000)
    given = {} if tenant is None else {"tenant": tenant}
    [row] = await database.fetch(_FIRST_BORN if tenant is None else _BORN, **given)
    # Before there was a tenant, nobody could call.
    started = max(started, row["born"] or now)
    missing = await _missing(database, started, now)
    return Window(since.isoformat(), until.isoformat(), tuple(missing))


async def _missing(database: Database, started: int, now: int) -> list[str]:
    first = await recorded_from(database)
    if first is None:
        return ["Uses have never been recorded: no server of this version has run."]
    found = gaps(await spans_since(database, started - SILENT_MS), started, now)
    return [f"Uses before {iso(first)} were not recorded.", *found] if first > started else found
