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
from app.cli.webhooks import deliveries, issued, rotate_secret, rotate_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.context import Context

LISTED = ("name", "status", "enabled", "health_status", "id")
COLUMNS = (*LISTED, "definition", "error", "credential_ref", "last_used_at", "last_connected_at", "created_at",
           "updated_at", "version")  # fmt: skip


_credential_ref = click.option(
    "--credential-ref", metavar="REFERENCE", help="Where its secrets lie: vault://VAULT/PATH#FIELD."
)


@click.group()
def instances() -> None:
    """List and connect integrations, and set their credentials."""


@instances.command("list")
@limit_option(100)
@in_tenant
async def list_(context: "Context", limit: int) -> None:
    """List what the tenant has connected."""
    from app.cli.pages import rows_of
    from services.integrations.instances.reading import list_integration_instances

    rows, more = await rows_of(list_integration_instances, context, limit, filters={})
    emit_rows("instances", [shown(row, LISTED) for row in rows], LISTED, more=more)


@instances.command()
@click.argument("instance", type=click.UUID)
@in_tenant
async def show(context: "Context", instance: UUID) -> None:
    """Show one instance; never its secrets."""
    from services.integrations.instances.reading import get_integration_instance

    emit_one(await _shown(context, await get_integration_instance(context, instance)), "instance")


@instances.command()
@click.argument("type_name", metavar="TYPE")
@click.argument("name")
@click.option("--config", help="The configuration, a JSON object.")
@_credential_ref
@in_tenant
async def create(context: "Context", type_name: str, name: str, config: str | None, credential_ref: str | None) -> None:
    """Connect the published definition TYPE under a NAME; where webhooks come in, their URL is shown this once."""
    from services.integrations.instances.registry import NewInstance, create_integration_instance

    given = None if config is None else _object("--config", config)
    asked = NewInstance(type=type_name, name=name, config=given, credential_ref=credential_ref)
    made = await create_integration_instance(context, asked)
    emit_one(await _shown(context, made) | (issued(made["issued"]) if "issued" in made else {}), "instance")


@instances.command("set-credentials")
@click.argument("instance", type=click.UUID)
@_credential_ref
@in_tenant
async def set_credentials(context: "Context", instance: UUID, credential_ref: str | None) -> None:
    """Set the secrets of an instance: a JSON object of texts, read from standard input.

    With --credential-ref, standard input is not read, and the secrets that the instance had are taken away.
    """
    from services.integrations.instances.credentials import set_integration_credentials

    given = _secrets() if credential_ref is None else None
    emit_one(await _shown(context, await set_integration_credentials(context, instance, given, credential_ref)),
             "instance")  # fmt: skip


@instances.command()
@click.argument("instance", type=click.UUID)
@in_tenant
async def delete(context: "Context", instance: UUID) -> None:
    """Delete an instance with its secrets and the record of its calls."""
    from services.integrations.instances.registry import delete_integration_instance

    emit_one(shown(await delete_integration_instance(context, instance), COLUMNS), "deleted instance")


for _command in (deliveries, rotate_secret, rotate_url):
    instances.add_command(_command)


async def _shown(context: "Context", row: "Mapping[str, Any]") -> dict[str, Any]:
    from services.integrations.instances.references import references_of

    return shown(row, COLUMNS) | {"credential_ref": (await references_of(context, [row["id"]]))[row["id"]]}


def _secrets() -> dict[str, str]:
    # Not an option: what stands on a command line is seen by everybody on the machine.
    given = _object("standard input", sys.stdin.read())
    if not all(isinstance(value, str) for value in given.values()):
        raise CommandFailed("credentials_unreadable", "Each secret must be a text.")
    return given


def _object(where: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise CommandFailed("json_unreadable", f"{where} must be a JSON object.")
    return found
