"""`dovetail redirects`: where OAuth2 authorizations may come back to."""

from typing import TYPE_CHECKING
from uuid import UUID

import rich_click as click

from app.cli.output import emit_one, emit_rows, shown
from app.cli.sessions import in_tenant

if TYPE_CHECKING:
    from services.context import Context

COLUMNS = ("id", "uri", "created_at")


@click.group()
def redirects() -> None:
    """Keep the tenant's list of OAuth2 redirect URIs."""


@redirects.command("list")
@in_tenant
async def list_(context: "Context") -> None:
    """List the redirect URIs of the tenant."""
    from services.integrations.oauth2.redirects import list_integration_redirects

    emit_rows("redirects", [shown(row, COLUMNS) for row in await list_integration_redirects(context)], COLUMNS)


@redirects.command()
@click.argument("uri")
@in_tenant
async def add(context: "Context", uri: str) -> None:
    """Let authorizations come back to URI: https, or http on a loopback host."""
    from services.integrations.oauth2.redirects import add_integration_redirect

    emit_one(shown(await add_integration_redirect(context, uri), COLUMNS), "redirect")


@redirects.command()
@click.argument("redirect", type=click.UUID)
@in_tenant
async def remove(context: "Context", redirect: UUID) -> None:
    """Take a redirect URI off the list."""
    from services.integrations.oauth2.redirects import remove_integration_redirect

    emit_one(shown(await remove_integration_redirect(context, redirect), COLUMNS), "removed redirect")
