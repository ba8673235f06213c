"""`dovetail consumers`: those who follow `/integrations/v2`."""

from typing import TYPE_CHECKING

import rich_click as click

from app.cli.options import tenant_option
from app.cli.output import emit
from app.cli.sessions import context_for, with_runtime

if TYPE_CHECKING:
    from services.runtime import Runtime


@click.group()
def consumers() -> None:
    """See to those who follow the lists of `/integrations/v2`."""


@consumers.command()
@tenant_option
@with_runtime
async def resync(runtime: "Runtime", tenant: str | None) -> None:
    """Have consumers begin anew: after pg_restore, or a copy of a file, put an earlier state back.

    Whoever asks for changes since before now is answered `full_sync_required`, of every tenant unless one is named.
    `dovetail backup restore` of a SQLite database does this by itself.
    """
    from services.feeds import resync_consumers
    from services.tenants import all_tenants, find_tenant

    chosen = await all_tenants() if tenant is None else [await find_tenant(runtime.database, tenant)]
    for each in chosen:
        await resync_consumers(context_for(runtime, each["id"]))
    slugs = [str(each["slug"]) for each in chosen]
    emit({"resynced": slugs}, f"The consumers of {', '.join(slugs) or 'no tenant'} begin anew.")
