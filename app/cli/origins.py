"""`dovetail origins`: the web origins of an installation, and their proofs."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

import rich_click as click

from app.cli.output import emit, emit_one, emit_rows, plain, shown
from app.cli.sessions import in_tenant
from app.errors import NotFound

if TYPE_CHECKING:
    from services.context import Context

COLUMNS = (
    "id", "installation", "origin", "method", "verification_status", "health", "verified_at", "last_checked_at",
    "last_reason", "next_check_at", "grace_until", "token_expires_at",
)  # fmt: skip
LISTED = ("id", "origin", "method", "verification_status", "health", "verified_at")
_METHODS = ("well_known_file", "dns_txt", "meta_tag", "callback")
_id = click.argument("origin", type=click.UUID)


@click.group()
def origins() -> None:
    """Register the origins of an installation and verify them."""


def _emit_challenge(row: dict[str, Any], command: str) -> None:
    from services.origins.registry import challenge

    found = challenge(row)
    text = f"{plain(row['origin'])} ({row['verification_status']}), origin id {row['id']}\n{plain(found['text'])}\n"
    emit({"origin": shown(row, COLUMNS), "challenge": found}, text + command)


@origins.command("list")
@click.argument("installation", type=click.UUID)
@in_tenant
async def list_(context: "Context", installation: UUID) -> None:
    """List the origins of an installation."""
    from services.installations import get_installation
    from services.installations.reading import list_origins

    await get_installation(context, installation)
    rows = await list_origins(context, [installation])
    emit_rows("origins", [shown(row, COLUMNS) for row in rows], LISTED)


@origins.command()
@click.argument("installation", type=click.UUID)
@click.argument("origin")
@click.option("--method", type=click.Choice(_METHODS), default=_METHODS[0], show_default=True)
@click.option("--callback-path", help="The path that answers the challenge, for --method callback.")
@in_tenant
async def register(context: "Context", installation: UUID, origin: str, method: str, callback_path: str | None) -> None:
    """Register ORIGIN (https://host) and print the challenge to publish there."""
    from services.origins.registry import register_origin

    made = await register_origin(context, installation, origin, method, callback_path)
    _emit_challenge(made, f"Then run: dovetail origins verify {made['id']}")


@origins.command("challenge")
@_id
@in_tenant
async def challenge_(context: "Context", origin: UUID) -> None:
    """Print what the owner of an origin has to publish."""
    from services.installations.reading import get_origins

    rows = await get_origins(context, [origin])
    if not rows:
        raise NotFound("There is no such origin.")
    _emit_challenge(rows[0], f"Then run: dovetail origins verify {origin}")


@origins.command()
@_id
@in_tenant
async def verify(context: "Context", origin: UUID) -> None:
    """Look for the proof of an origin now."""
    from services.origins.registry import verify_origin

    emit_one(shown(await verify_origin(context, origin), COLUMNS), "origin")


@origins.command()
@_id
@in_tenant
async def remove(context: "Context", origin: UUID) -> None:
    """Remove an origin; without a verified one the installation stops serving."""
    from services.origins.registry import remove_origin

    emit_one(shown(await remove_origin(context, origin), COLUMNS), "removed")
