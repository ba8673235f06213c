"""`dovetail instances`: what is connected."""

import json
import sys
from typing import TYPE_CHECKING, Any
from uuid import UUID

import rich_click as click

from app.cli.failures import CommandFailed
from app.cli.options import limit_option
from app.cli.output import emit_one, emit_rows, shown
from app.cli.sessions import in_tenant

if TYPE_CHECKING:
    from services.context import Context

LISTED = ("name", "status", "enabled", "health_status", "id")
COLUMNS = (*LISTED, "definition", "error", "last_used_at", "last_connected_at", "created_at", "updated_at", "version")


@click.group()
def instances() -> None:
    """List and connect integrations, and set their credentials."""


@instances.command("list")
@limit_option(100)
@in_tenant
async def list_(context: "Context", limit: int) -> None:
    """List what the tenant has connected."""
    from services.integrations.instances.reading import list_integration_instances
    from services.paging import OffsetRequest

    page = await list_integration_instances(context, OffsetRequest(per_page=limit, descending=False))
    emit_rows("instances", [shown(row, LISTED) for row in page.rows], LISTED)


@instances.command()
@click.argument("instance", type=click.UUID)
@in_tenant
async def show(context: "Context", instance: UUID) -> None:
    """Show one instance; never its secrets."""
    from services.integrations.instances.reading import get_integration_instance

    emit_one(shown(await get_integration_instance(context, instance), COLUMNS), "instance")


@instances.command()
@click.argument("type_name", metavar="TYPE")
@click.argument("name")
@click.option("--config", help="The configuration, a JSON object.")
@in_tenant
async def create(context: "Context", type_name: str, name: str, config: str | None) -> None:
    """Connect the published definition TYPE under a NAME."""
    from services.integrations.instances import NewInstance, create_integration_instance

    given = None if config is None else _object("--config", config)
    made = await create_integration_instance(context, NewInstance(type=type_name, name=name, config=given))
    emit_one(shown(made, COLUMNS), "instance")


@instances.command("set-credentials")
@click.argument("instance", type=click.UUID)
@in_tenant
async def set_credentials(context: "Context", instance: UUID) -> None:
    """Set the secrets of an instance: a JSON object of texts, read from standard input."""
    from services.integrations.instances import set_integration_credentials

    # Not an option: what stands on a command line is seen by everybody on the machine.
    given = _object("standard input", sys.stdin.read())
    if not all(isinstance(value, str) for value in given.values()):
        raise CommandFailed("credentials_unreadable", "Each secret must be a text.")
    emit_one(shown(await set_integration_credentials(context, instance, given), COLUMNS), "instance")


@instances.command()
@click.argument("instance", type=click.UUID)
@in_tenant
async def delete(context: "Context", instance: UUID) -> None:
    """Delete an instance with its secrets and the record of its calls."""
    from services.integrations.instances import delete_integration_instance

    emit_one(shown(await delete_integration_instance(context, instance), COLUMNS), "deleted instance")


def _object(where: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise CommandFailed("json_unreadable", f"{where} must be a JSON object.")
    return found
