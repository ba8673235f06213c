"""`dovetail tenants`: the workspaces of this server."""

from typing import TYPE_CHECKING

import rich_click as click

from app.cli.output import emit_one, emit_rows, shown
from app.cli.sessions import context_for, with_runtime

if TYPE_CHECKING:
    from services.runtime import Runtime

COLUMNS = ("slug", "name", "id", "created_at")


@click.group()
def tenants() -> None:
    """List and create tenants."""


@tenants.command("list")
@with_runtime
async def list_(runtime: "Runtime") -> None:
    """List every tenant of this server."""
    from services.tenants import all_tenants

    emit_rows("tenants", [shown(row, COLUMNS) for row in await all_tenants()], COLUMNS)


@tenants.command()
@click.argument("slug")
@click.option("--name", help="Its name for people; default the slug.")
@with_runtime
async def create(runtime: "Runtime", slug: str, name: str | None) -> None:
    """Create a tenant: SLUG is 1 to 63 of a-z, 0-9 and -."""
    from app.ids import new_id
    from services.tenants import create_tenant

    made = await create_tenant(context_for(runtime, new_id()), slug, name or slug)
    emit_one(shown(made, COLUMNS), "tenant")
