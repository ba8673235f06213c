"""`dovetail credentials`: the keys of an installation."""

import sys
from typing import TYPE_CHECKING, Any
from uuid import UUID

import rich_click as click

from app.cli.failures import CommandFailed
from app.cli.options import DURATION, INSTANT
from app.cli.output import emit, emit_one, emit_rows, plain, shown
from app.cli.sessions import in_tenant

if TYPE_CHECKING:
    from services.context import Context
    from services.credentials import IssuedCredential

COLUMNS = (
    "id", "installation", "label", "kid", "mode", "status", "hash_alg", "created_at", "last_used_at", "expires_at",
    "rotated_at", "replaced_by", "revoked_at",
)  # fmt: skip
LISTED = ("id", "label", "kid", "mode", "status", "scopes", "expires_at", "last_used_at")
_installation = click.argument("installation", type=click.UUID)
_id = click.argument("credential", type=click.UUID)
_scopes = click.option(
    "--scope", "scopes", multiple=True, required=True,
    type=click.Choice(["people.read", "publications.read", "works.read", "projects.read"]),
    help="What the key may read; may be given several times.",
)  # fmt: skip


@click.group()
def credentials() -> None:
    """Issue, rotate, revoke and take over the keys of installations."""


def shown_credential(row: Any) -> dict[str, Any]:
    """A credential without its digest."""
    from services.credentials import scopes_held

    return shown(row, COLUMNS) | {"scopes": scopes_held(row)}


def _emit_issued(issued: "IssuedCredential") -> None:
    row = shown_credential(issued.credential)
    emit({"credential": row, "api_key": issued.secret}, issued.secret)
    click.echo(f"Credential {row['id']} ({plain(row['label'])}). The key is shown this once; keep it now.", err=True)


@credentials.command("list")
@_installation
@in_tenant
async def list_(context: "Context", installation: UUID) -> None:
    """List the credentials of an installation."""
    from services.installations import get_installation
    from services.installations.reading import list_credentials

    await get_installation(context, installation)
    rows = await list_credentials(context, [installation])
    emit_rows("credentials", [shown_credential(row) for row in rows], LISTED)


@credentials.command()
@_installation
@click.option("--label", required=True, help="A name to know it by.")
@_scopes
@click.option("--mode", type=click.Choice(["live", "test"]), default="live", show_default=True)
@click.option("--expires", type=INSTANT, help="When it ends, like 2027-01-31; default never.")
@in_tenant
async def issue(
    context: "Context", installation: UUID, label: str, scopes: tuple[str, ...], mode: Any, expires: int | None
) -> None:
    """Issue a key; it is printed alone on standard output, and never again."""
    from services.credentials import NewCredential, issue_credential

    request = NewCredential(label=label, scopes=list(scopes), mode=mode, expires_at=expires)
    _emit_issued(await issue_credential(context, installation, request))


@credentials.command()
@_id
@click.option("--grace", type=DURATION, default="24h", show_default=True, help="How long the old key works on.")
@in_tenant
async def rotate(context: "Context", credential: UUID, grace: int) -> None:
    """Issue a successor; the old key works on for the grace."""
    from services.credentials import rotate_credential

    _emit_issued(await rotate_credential(context, credential, grace))


@credentials.command()
@_id
@in_tenant
async def revoke(context: "Context", credential: UUID) -> None:
    """Revoke a key at once."""
    from services.credentials import revoke_credential

    emit_one(shown_credential(await revoke_credential(context, credential)), "credential")


@credentials.command("import")
@_installation
@click.option("--label", required=True, help="A name to know it by.")
@_scopes
@click.option("--digest", help="The SHA-256 of the key, 64 hex digits; without it the key is read from stdin.")
@in_tenant
async def import_(
    context: "Context", installation: UUID, label: str, scopes: tuple[str, ...], digest: str | None
) -> None:
    """Take over a key of the former system. The key itself is hashed here and neither stored nor sent."""
    from services.credentials import import_credential

    # An argument would stand in the shell's history and in the list of processes.
    found = digest if digest is not None else _digest_of_stdin()
    made = await import_credential(context, installation, label, found, list(scopes))
    emit_one(shown_credential(made), "credential")


def _digest_of_stdin() -> str:
    from app.auth.credentials import LONGEST, legacy_digest

    key = click.prompt("Key", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.read(LONGEST + 3)
    key = key.strip()
    if not key or len(key) > LONGEST or "\n" in key:
        raise CommandFailed(
            "no_key", f"Standard input must hold one key of 1 to {LONGEST} characters, or use --digest."
        )
    return legacy_digest(key)
