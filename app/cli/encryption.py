"""`dovetail keys encryption`: the keys under which the secrets of integrations lie."""

from typing import TYPE_CHECKING, Any

import rich_click as click

from app.auth.encryption import GIVEN_UP, keys_path
from app.auth.peppers import LOOK_SECONDS
from app.cli.encryption_rotating import give_up, record, ring_of, rotate
from app.cli.failures import CommandFailed
from app.cli.output import emit, emit_rows
from app.cli.sessions import with_runtime

if TYPE_CHECKING:
    from services.runtime import Runtime

LISTED = ("key", "state", "table", "rows")


@click.group()
def encryption() -> None:
    """Maintain the keys under which secrets of integrations lie.

    A server that runs reads the ring again by itself.
    """


encryption.add_command(rotate)
encryption.add_command(give_up)


@encryption.command("list")
@with_runtime
async def list_(runtime: "Runtime") -> None:
    """List the keys, and how many rows of which table lie under each."""
    from services.keyring.sealed import key_uses

    file, uses = ring_of(runtime), await key_uses(runtime.database)
    found = [
        {"key": use.key_id, "state": _state(file, use.key_id), "table": use.table, "rows": use.rows} for use in uses
    ]
    idle = set(file.ring) - {use.key_id for use in uses}
    found += [{"key": name, "state": _state(file, name), "table": None, "rows": 0} for name in sorted(idle)]
    emit_rows("encryption keys", found, LISTED)


def _state(file: Any, name: str) -> str:
    if name == GIVEN_UP:
        return "given up"
    return "current" if name == file.current else ("kept" if name in file.ring else "missing")


@encryption.command()
@click.argument("key")
@with_runtime
async def retire(runtime: "Runtime", key: str) -> None:
    """Take a key out of the ring for good; refused while anything lies under it."""
    from services.keyring.ring import drop_encryption_key
    from services.keyring.sealed import key_uses

    file = ring_of(runtime)
    rows = sum(use.rows for use in await key_uses(runtime.database) if use.key_id == key and key in file.ring)
    if rows:
        text = f"{rows} rows lie under {key}, and could never be read again. "
        text += "`dovetail keys encryption rotate --resume` brings them under the current key, and names those that do "
        text += "not open; `dovetail keys encryption give-up` gives such up."
        raise CommandFailed("key_in_use", text, rows=rows)
    _check_settled(runtime, file.current, key)
    drop_encryption_key(keys_path(runtime.settings), key)
    await record(runtime, "encryption_key.retired", key, {"current": file.current})
    emit({"retired": key}, f"{key} is retired.")


def _check_settled(runtime: "Runtime", current: str, key: str) -> None:
    """A server looks at the ring once a second; until then it may still seal with the key before."""
    age = runtime.clock.now_ms() / 1_000 - keys_path(runtime.settings).stat().st_mtime
    if key != current and age < 5 * LOOK_SECONDS:
        text = "The ring has just been changed, and a server may still seal with its old key. Try again in seconds."
        raise CommandFailed("ring_just_changed", text)
