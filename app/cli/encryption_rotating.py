"""`dovetail keys encryption rotate`, and what becomes of the rows that no key opens."""

from typing import TYPE_CHECKING, Any

import rich_click as click
from click.exceptions import Exit

from app.auth.encryption import UnreadableRow, keys_path, read_keys
from app.auth.principal import NO_TENANT
from app.cli.failures import CommandFailed
from app.cli.output import emit
from app.cli.sessions import context_for, with_runtime

if TYPE_CHECKING:
    from services.keyring.resealing import Resealed
    from services.runtime import Runtime


@click.command()
@click.option("--dry-run", is_flag=True, help="Change nothing; say how many rows there would be to rewrite.")
@click.option("--resume", is_flag=True, help="Add no key; go on with a rotation that was begun.")
@with_runtime
async def rotate(runtime: "Runtime", dry_run: bool, resume: bool) -> None:
    """Add a key, and bring every secret under it, while servers run; a rotation that was killed is resumed.

    A row that does not open is named, and left as it is; the exit code is 1 then.
    """
    file = ring_of(runtime)
    if dry_run:
        found, added = await _tried(runtime, current_too=not resume), None
        text = f"{found.rows} rows would be rewritten."
    else:
        added = None if resume else await _add_key(runtime)
        found = await _resealed(runtime)
        file = ring_of(runtime)
        after = {"added": added is not None, "rows": found.rows, "unreadable": len(found.unreadable)}
        await record(runtime, "encryption_key.rotated", file.current, after)
        text = (
            f"{found.rows} rows lie under {file.current} now. Back up the folder keys; retire the old key when nothing "
        )
        text += "needs it."
    _tell({"added": added, "current": file.current, "rows": found.rows}, text, found.unreadable)


async def _add_key(runtime: "Runtime") -> str:
    from services.keyring.ring import add_encryption_key
    from services.keyring.sealed import key_uses

    return add_encryption_key(keys_path(runtime.settings), [use.key_id for use in await key_uses(runtime.database)])


async def _resealed(runtime: "Runtime") -> "Resealed":
    from services.integrations.instances.configs import seal_configs, unreadable_configs
    from services.keyring.resealing import Resealed, reseal

    database, keys = runtime.database, runtime.encryption
    keys.refresh(at_once=True)
    rows = await seal_configs(database, keys)
    found = await reseal(database, keys)
    return Resealed(rows + found.rows, _each_once(found.unreadable, await unreadable_configs(database, keys)))


async def _tried(runtime: "Runtime", *, current_too: bool) -> "Resealed":
    from services.integrations.instances.configs import plain_configs, unreadable_configs
    from services.keyring.resealing import Resealed, try_reseal

    database, keys = runtime.database, runtime.encryption
    plain = len([row async for row in plain_configs(database) if row["key_id"] is None])
    found = await try_reseal(database, keys, current_too=current_too)
    return Resealed(plain + found.rows, _each_once(found.unreadable, await unreadable_configs(database, keys)))


def _each_once(*found: list[UnreadableRow]) -> list[UnreadableRow]:
    return list({(row.table, row.id): row for rows in found for row in rows}.values())


def _tell(document: dict[str, Any], text: str, unreadable: list[UnreadableRow]) -> None:
    """What was done, and what does not open; with exit code 1 where there is any."""
    lines = [f"{row.table}/{row.id} of tenant {row.tenant}: {row.why}." for row in unreadable]
    if unreadable:
        lines.append(f"{len(unreadable)} rows do not open and stay as they are; each keeps its key in use.")
    emit(document | {"unreadable": [row._asdict() for row in unreadable]}, "\n".join([*lines, text]))
    if unreadable:
        raise Exit(1)


@click.command("give-up")
@click.argument("rows", metavar="TABLE/ID...", nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Change nothing; say of each row why it does not open.")
@with_runtime
async def give_up(runtime: "Runtime", rows: tuple[str, ...], dry_run: bool) -> None:
    """Let rows that do not open keep no key in use, and be told by no rotation any more; all of them or none.

    Nothing is deleted: whoever needs such a value is refused as before, until it is given anew.
    """
    from services.keyring.giving_up import give_up_row, read_row_name, unreadable_rows

    ring_of(runtime)
    names = [read_row_name(text) for text in dict.fromkeys(rows)]
    found = await unreadable_rows(runtime.database, runtime.encryption, names)
    if not dry_run:
        for name, row in zip(names, found, strict=True):
            await give_up_row(context_for(runtime, row.tenant), name)
    lines = [f"{row.table}/{row.id} of tenant {row.tenant}: {row.why}." for row in found]
    lines.append(f"{len(found)} rows {'would be' if dry_run else 'are'} given up.")
    emit({"dry_run": dry_run, "given_up": [row._asdict() for row in found]}, "\n".join(lines))


def ring_of(runtime: "Runtime") -> Any:
    """The file's ring; refused where the settings give the key."""
    if runtime.settings.encryption_key is not None:
        text = "DOVETAIL_ENCRYPTION_KEY gives this server its one key, so there is no ring to maintain. "
        text += "Everything that is sealed lies under it, and another value makes it unreadable."
        raise CommandFailed("key_given", text)
    return read_keys(keys_path(runtime.settings))


async def record(runtime: "Runtime", action: str, name: str, after: dict[str, Any]) -> None:
    context = context_for(runtime, NO_TENANT)

    async def note() -> None:
        context.note("encryption_key", name, action=action, after=after)

    await context.write(note)
