"""`dovetail installations`: plugins on customers' sites."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

import rich_click as click

from app.cli.failures import CommandFailed
from app.cli.options import limit_option
from app.cli.output import emit_one, emit_rows, print_json, shown, wants_json
from app.cli.sessions import in_tenant

if TYPE_CHECKING:
    from services.context import Context

COLUMNS = (
    "id", "display_name", "platform", "status", "description", "rate_limit_per_minute", "rate_limit_burst",
    "created_at", "updated_at", "version",
)  # fmt: skip
_STATUSES = ("draft", "pending_verification", "active", "disabled", "revoked", "archived")
_PLATFORMS = ("wordpress", "drupal", "custom")
_per_minute = click.option("--rate-limit", "rate_limit_per_minute", type=int, help="Requests a minute.")
_burst = click.option("--burst", "rate_limit_burst", type=int, help="Requests at once.")
_id = click.argument("installation", type=click.UUID)


@click.group()
def installations() -> None:
    """Create installations and take them through their life."""


@installations.command("list")
@click.option("--status", type=click.Choice(_STATUSES))
@click.option("--platform", type=click.Choice(_PLATFORMS))
@limit_option(100)
@in_tenant
async def list_(context: "Context", limit: int, **filters: Any) -> None:
    """List the tenant's installations, the oldest first."""
    from app.cli.pages import rows_of
    from services.installations.reading import list_installations

    rows, more = await rows_of(list_installations, context, limit, filters=filters)
    columns = ("id", "display_name", "platform", "status", "created_at")
    emit_rows("installations", [shown(row, COLUMNS) for row in rows], columns, more=more)


@installations.command()
@_id
@in_tenant
async def show(context: "Context", installation: UUID) -> None:
    """Show an installation with its origins and credentials."""
    from app.cli import credentials, origins
    from services.installations import get_installation
    from services.installations.reading import list_credentials, list_origins

    found = shown(await get_installation(context, installation), COLUMNS)
    sites = [shown(row, origins.COLUMNS) for row in await list_origins(context, [installation])]
    keys = [credentials.shown_credential(row) for row in await list_credentials(context, [installation])]
    if wants_json():
        print_json({"installation": found, "origins": sites, "credentials": keys})
        return
    emit_one(found)
    click.echo()
    emit_rows("origins", sites, origins.LISTED)
    click.echo()
    emit_rows("credentials", keys, credentials.LISTED)


@installations.command()
@click.argument("display_name")
@click.option("--platform", type=click.Choice(_PLATFORMS), default="custom", show_default=True)
@click.option("--description")
@_per_minute
@_burst
@in_tenant
async def create(context: "Context", **given: Any) -> None:
    """Create an installation called DISPLAY_NAME, in draft until an origin is registered."""
    from services.installations import NewInstallation, create_installation

    made = await create_installation(context, NewInstallation(**given))
    emit_one(shown(made, COLUMNS), "installation")


@installations.command()
@_id
@click.option("--name", "display_name", help="A new name.")
@click.option("--description", help="A new description; empty for none.")
@_per_minute
@_burst
@click.option("--version", type=int, help="Change it only where it still has this version.")
@in_tenant
async def update(context: "Context", installation: UUID, **given: Any) -> None:
    """Change an installation's name, description or limits."""
    from services.installations import InstallationChange, update_installation

    changes = {name: value for name, value in given.items() if value is not None}
    if not set(changes) - {"version"}:
        text = "There is nothing to change: give --name, --description, --rate-limit or --burst."
        raise CommandFailed("nothing_to_change", text)
    changed = await update_installation(context, installation, InstallationChange(**changes))
    emit_one(shown(changed, COLUMNS), "installation")


def _step(name: str, text: str) -> None:
    @in_tenant
    async def run(context: "Context", installation: UUID) -> None:
        import services.installations as operations

        after = await getattr(operations, f"{name}_installation")(context, installation)
        emit_one(shown(after, COLUMNS), "installation")

    installations.command(name, help=text)(_id(run))


_step("disable", "Stop serving an installation; its keys answer 403 until it is enabled again.")
_step("enable", "Serve a disabled installation again.")
_step("revoke", "Revoke an installation for good.")
_step("archive", "Put a revoked installation out of the lists.")
