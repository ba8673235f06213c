"""`dovetail keys`: the peppers that installation keys are hashed with; below it, the encryption keys."""

from typing import TYPE_CHECKING, Any

import rich_click as click

from app.cli.encryption import encryption
from app.cli.failures import CommandFailed
from app.cli.output import emit, emit_rows, print_json, shown, wants_json
from app.cli.sessions import with_runtime

if TYPE_CHECKING:
    from services.runtime import Runtime

LISTED = ("pepper", "state", "active", "credentials")
HANGING = ("pepper_id", "tenant_slug", "display_name", "label", "kid", "id", "last_used_at", "to_do")
_WHY = (
    "A digest cannot be made anew without its key, and no key is kept. A credential leaves its pepper by being "
    "re-issued: `dovetail credentials rotate ID` makes a successor, and the old key works on for the grace."
)


@click.group()
def keys() -> None:
    """Maintain the peppers that installation keys are hashed with, and the encryption keys.

    A server that runs reads the ring again by itself.
    """


keys.add_command(encryption)


@keys.command("list")
@with_runtime
async def list_(runtime: "Runtime") -> None:
    """List the peppers, and how many credentials hang on each."""
    from services.keyring.uses import pepper_uses

    ring = _ring(runtime)
    uses = await pepper_uses(runtime.database, ring.ring, ring.current, runtime.clock.now_ms())
    states = {(True, True): "current", (True, False): "kept", (False, False): "missing"}
    rows = [
        {
            "pepper": use.pepper,
            "state": "none needed" if use.pepper is None else states[use.held, use.current],
            "active": use.active,
            "credentials": use.credentials,
        }
        for use in uses
    ]
    emit_rows("peppers", rows if wants_json() else [_named(row) for row in rows], LISTED)


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return row if row["pepper"] else row | {"pepper": "(imported)"}


@keys.command("add-pepper")
@with_runtime
async def add_pepper(runtime: "Runtime") -> None:
    """Make a new current pepper: keys that are issued from now on hang on it."""
    from app.cli.keys_changing import add

    _ring(runtime)
    name = await add(runtime)
    emit({"pepper": name, "current": True}, f"{name} is the current pepper. Back up the folder keys.")


@keys.command()
@click.option("--dry-run", is_flag=True, help="Add nothing; say what there would be to do.")
@click.option("--resume", is_flag=True, help="Add nothing; say what is left of a rotation that was begun.")
@with_runtime
async def rotate(runtime: "Runtime", dry_run: bool, resume: bool) -> None:
    """Begin to leave the current pepper: add its successor, and list the credentials to re-issue.

    A digest cannot be made anew without its key, and no key is kept: each credential is re-issued with
    `dovetail credentials rotate`. When --resume finds none left, retire the old pepper.
    """
    from app.cli.keys_changing import add
    from services.keyring.uses import credentials_off

    ring, now = _ring(runtime), runtime.clock.now_ms()
    left = await credentials_off(runtime.database, ring.current, now)
    if left and not resume:
        text = f"A rotation is under way: {len(left)} credentials hang on an older pepper. Use --resume to list them."
        raise CommandFailed("rotation_under_way", text, current=ring.current, credentials=len(left))
    added = None if resume or dry_run else await add(runtime)
    # A dry run tells of the state that the rotation would make, where nothing hangs on the new pepper yet.
    current = added or (ring.current if resume else "")
    _emit_left(await credentials_off(runtime.database, current, now), ring.ring, current, added)


def _emit_left(rows: list[dict[str, Any]], ring: Any, current: str, added: str | None) -> None:
    told = [_hanging(row) for row in rows]
    retirable = sorted(set(ring) - {row["pepper_id"] for row in rows} - {current}) if current else []
    if wants_json():
        print_json({"added": added, "current": current or None, "credentials": told, "retirable": retirable})
        return
    if added:
        click.echo(f"{added} is the current pepper now. Back up the folder keys.")
    if told:
        click.echo(_WHY + "\n")
    emit_rows("credentials left to re-issue", told, HANGING)
    for name in retirable:
        click.echo(f"Nothing that works hangs on {name}: `dovetail keys retire {name}`.")


def _hanging(row: dict[str, Any]) -> dict[str, Any]:
    """A credential that hangs on an older pepper, and what is to be done about it."""
    columns = (
        "id", "tenant", "tenant_slug", "installation", "display_name", "label", "kid", "pepper_id",
        "last_used_at", "expires_at", "rotated_at", "replaced_by",
    )  # fmt: skip
    found = shown(row, columns)
    ending = row["rotated_at"] is not None
    return found | {"to_do": f"none, ends {found['expires_at']}" if ending else "re-issue"}


@keys.command()
@click.argument("pepper")
@click.option("--force", is_flag=True, help="Also where keys that work hang on it; they stop at once and for good.")
@with_runtime
async def retire(runtime: "Runtime", pepper: str, force: bool) -> None:
    """Take a pepper out of the ring for good; refused while a key that works hangs on it."""
    from app.cli.keys_changing import drop
    from services.keyring.ring import check_droppable
    from services.keyring.uses import credentials_off

    ring = _ring(runtime)
    check_droppable(ring.ring, ring.current, pepper)
    rows = await credentials_off(runtime.database, ring.current, runtime.clock.now_ms())
    stopped = [row for row in rows if row["pepper_id"] == pepper]
    if stopped and not force:
        text = f"{len(stopped)} credentials that work hang on {pepper}, and would be refused from then on. "
        text += "`dovetail keys rotate --resume` lists them; re-issue them first, or use --force to stop them."
        raise CommandFailed("pepper_in_use", text, credentials=len(stopped))
    await drop(runtime, pepper, stopped)
    lines = [f"{row['tenant_slug']}: {row['display_name']}: {row['label']} ({row['kid']}) stops." for row in stopped]
    text = "\n".join([*lines, f"{pepper} is retired; {len(stopped)} credentials stop working."])
    emit({"retired": pepper, "stopped": [_hanging(row) | {"to_do": "re-issue"} for row in stopped]}, text)


def _ring(runtime: "Runtime") -> Any:
    """The file's ring; refused where the settings give the pepper."""
    from app.auth.peppers import read_ring, ring_path

    if runtime.settings.pepper is not None:
        text = "DOVETAIL_PEPPER gives this server its one pepper, so there is no ring to maintain. "
        text += "Change it where it is set; every key hangs on it, and another value stops them all."
        raise CommandFailed("pepper_given", text)
    return read_ring(ring_path(runtime.settings))
