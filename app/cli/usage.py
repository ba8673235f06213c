"""`dovetail usage`: how often installations asked what."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import rich_click as click

from app.cli.output import emit_rows, shown
from app.cli.sessions import in_tenant

if TYPE_CHECKING:
    from services.context import Context

COLUMNS = ("day", "installation", "api", "operation", "count")
_DAYS = 30


@click.command()
@click.option("--since", help=f"First day, YYYY-MM-DD; default {_DAYS} days ago.")
@click.option("--until", help="Last day, YYYY-MM-DD; default today (UTC).")
@click.option("--installation", type=click.UUID)
@in_tenant
async def usage(context: "Context", since: str | None, until: str | None, installation: UUID | None) -> None:
    """Show the use of each operation by each installation on each day."""
    from services.usage_reports import list_usage

    today = datetime.fromtimestamp(context.now / 1_000, UTC).date()
    first, last = since or (today - timedelta(days=_DAYS)).isoformat(), until or today.isoformat()
    rows = await list_usage(context, first, last, installation)
    emit_rows("usage", [shown(row, COLUMNS) for row in rows], COLUMNS)
