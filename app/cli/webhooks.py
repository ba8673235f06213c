"""`dovetail instances deliveries|rotate-secret|rotate-url`: webhooks that come in, and where."""

import sys
from typing import TYPE_CHECKING, Any
from uuid import UUID

import rich_click as click

from app.cli.options import limit_option
from app.cli.output import emit_one, emit_rows, shown
from app.cli.sessions import in_tenant

if TYPE_CHECKING:
    from services.context import Context
    from services.integrations.instances.endpoints import IssuedWebhook

DELIVERY = ("received_at", "event_type", "status", "delivery_id", "size_bytes", "id")


@click.command()
@click.argument("instance", type=click.UUID)
@limit_option(100)
@in_tenant
async def deliveries(context: "Context", instance: UUID, limit: int) -> None:
    """List the webhooks that came in at an instance, the latest first."""
    from app.cli.pages import rows_of
    from services.integrations.webhooks.reading import list_integration_deliveries

    of_it = {"instance": instance}
    rows, more = await rows_of(list_integration_deliveries, context, limit, filters=of_it, descending=True)
    emit_rows("deliveries", [shown(row, DELIVERY) for row in rows], DELIVERY, more=more)


@click.command("rotate-secret")
@click.argument("instance", type=click.UUID)
@click.option("--given", is_flag=True, help="Read the secret from standard input; else one is made.")
@click.option(
    "--overlap-seconds", type=click.IntRange(0, 604_800), default=86_400, show_default=True,
    help="For how long the one before holds too.",
)  # fmt: skip
@in_tenant
async def rotate_secret(context: "Context", instance: UUID, given: bool, overlap_seconds: int) -> None:
    """Have webhooks signed with a new secret, which is shown this once where it is made here."""
    from services.integrations.webhooks.endpoints import SecretRotation, rotate_integration_webhook_secret

    # Not an option: what stands on a command line is seen by everybody on the machine.
    secret = sys.stdin.read().strip() if given else None
    rotation = SecretRotation(secret=secret, overlap_seconds=overlap_seconds)
    made = await rotate_integration_webhook_secret(context, instance, rotation)
    emit_one(shown(made.instance, ("name", "status")) | issued(made), "webhook")


@click.command("rotate-url")
@click.argument("instance", type=click.UUID)
@in_tenant
async def rotate_url(context: "Context", instance: UUID) -> None:
    """Receive webhooks at a new URL, which is shown this once; the one before ends at once."""
    from services.integrations.webhooks.endpoints import rotate_integration_webhook_url

    made = await rotate_integration_webhook_url(context, instance)
    emit_one(shown(made.instance, ("name", "status")) | issued(made), "webhook")


def issued(made: "IssuedWebhook") -> dict[str, Any]:
    """What was made anew, for the one who asked."""
    found = {
        "webhook_url": made.url, "signing_secret": made.signing_secret, "previous_secret_until": made.previous_until,
    }  # fmt: skip
    return shown(found, [name for name, value in found.items() if value is not None])
