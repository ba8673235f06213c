"""`dovetail keys encryption`: the keys under which the secrets of integrations lie."""

from typing import TYPE_CHECKING, Any

import rich_click as click

from app.auth.encryption import keys_path, read_keys
from app.auth.peppers import LOOK_SECONDS
from app.auth.principal import NO_TENANT
from app.cli.failures import CommandFailed
from app.cli.output import emit, emit_rows
from app.cli.sessions import context_for, with_runtime

if TYPE_CHECKING:
    from services.runtime import Runtime

LISTED = ("key", "state", "table", "rows")


@click.group()
def encryption() -> None:
    """Maintain the keys under which secrets of integrations lie.

    A server that runs reads the ring again by itself.
    """


@encryption.command("list")
@with_runtime
async def list_(runtime: "Runtime") -> None:
    """List the keys, and how many rows of which table lie under each."""
    from services.keyring.sealed import key_uses

    file, uses = _ring(runtime), await key_uses(runtime.database)
    found = [
        {"key": use.key_id, "state": _state(file, use.key_id), "table": use.table, "rows": use.rows} for use in uses
    ]
    idle = set(file.ring) - {use.key_id for use in uses}
    found += [{"key": name, "state": _state(file, name), "table": None, "rows": 0} for name in sorted(idle)]
    emit_rows("encryption keys", found, LISTED)


def _state(file: Any, name: str) -> str:
    return "current" if name == file.current else ("kept" if name in file.ring else "missing")


@encryption.command()
@click.option("--dry-run", is_flag=True, help="Change nothing; say how many rows there would be to rewrite.")
@click.option("--resume", is_flag=True, help="Add no key; go on with a rotation that was begun.")
@with_runtime
async def rotate(runtime: "Runtime", dry_run: bool, resume: bool) -> None:
    """Add a key, and bring every secret under it, while servers run; a rotation that was killed is resumed."""
    from services.keyring.ring import add_encryption_key
    from services.keyring.sealed import key_uses, reseal

    file, uses = _ring(runtime), await key_uses(runtime.database)
    if dry_run:
        rows = sum(use.rows for use in uses if not resume or use.key_id != file.current)
        emit({"added": None, "current": file.current, "rows": rows}, f"{rows} rows would be rewritten.")
        return
    path = keys_path(runtime.settings)
    added = None if resume else add_encryption_key(path, [use.key_id for use in uses])
    runtime.encryption.refresh(at_once=True)
    rows = await reseal(runtime.database, runtime.encryption)
    current = runtime.encryption.current
    await _record(runtime, "encryption_key.rotated", current, {"added": added is not None, "rows": rows})
    text = f"{rows} rows lie under {current} now. Back up the folder keys; retire the old key when nothing needs it."
    emit({"added": added, "current": current, "rows": rows}, text)


@encryption.command()
@click.argument("key")
@with_runtime
async def retire(runtime: "Runtime", key: str) -> None:
    """Take a key out of the ring for good; refused while anything lies under it."""
    from services.keyring.ring import drop_encryption_key
    from services.keyring.sealed import key_uses

    file = _ring(runtime)
    rows = sum(use.rows for use in await key_uses(runtime.database) if use.key_id == key)
    if rows:
        text = f"{rows} rows lie under {key}, and could never be read again. "
        text += "`dovetail keys encryption rotate --resume` brings them under the current key."
        raise CommandFailed("key_in_use", text, rows=rows)
    _check_settled(runtime, file.current, key)
    drop_encryption_key(keys_path(runtime.settings), key)
    await _record(runtime, "encryption_key.retired", key, {"current": file.current})
    emit({"retired": key}, f"{key} is retired.")


def _check_settled(runtime: "Runtime", current: str, key: str) -> None:
    """A server looks at the ring once a second; until then it may still seal with the key before."""
    age = runtime.clock.now_ms() / 1_000 - keys_path(runtime.settings).stat().st_mtime
    if key != current and age < 5 * LOOK_SECONDS:
        text = "The ring has just been changed, and a server may still seal with its old key. Try again in seconds."
        raise CommandFailed("ring_just_changed", text)


def _ring(runtime: "Runtime") -> Any:
    """The file's ring; refused where the settings give the key."""
    if runtime.settings.encryption_key is not None:
        text = "DOVETAIL_ENCRYPTION_KEY gives this server its one key, so there is no ring to maintain. "
        text += "Everything that is sealed lies under it, and another value makes it unreadable."
        raise CommandFailed("key_given", text)
    return read_keys(keys_path(runtime.settings))


async def _record(runtime: "Runtime", action: str, name: str, after: dict[str, Any]) -> None:
    context = context_for(runtime, NO_TENANT)

    async def note() -> None:
        context.note("encryption_key", name, action=action, after=after)

    await context.write(note)
