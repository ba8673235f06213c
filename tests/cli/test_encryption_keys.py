"""A rotation of encryption keys on the command line, where some of what is sealed does not open."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from app.database import Statement, open_database
from tests.cli.conftest import Cli

_ROWS = Statement("SELECT id, tenant FROM integration_delivery ORDER BY id LIMIT 1")
_LOSE = Statement("UPDATE integration_delivery SET key_id = 'k0' WHERE id = {id}")
_DAMAGE = Statement("UPDATE integration_secret SET value = 'QUJD' WHERE id = {id}")
_SECRET = Statement("SELECT id FROM integration_secret ORDER BY id LIMIT 1")
ENCRYPTION = ("keys", "encryption")


def test_what_does_not_open_is_named_and_given_up(either_cli: Cli) -> None:
    """The rest is rotated, the exit code tells it, a key in use stays, and rows that are named are given up."""
    either_cli.ok("demo")
    delivery, secret = asyncio.run(_damaged(either_cli))
    either_cli.ok("instances", "create", "generic.webhook", "Sound")
    tried = _rotated(either_cli, "--dry-run")
    found = _rotated(either_cli)
    assert found["added"] == "k2" and found["rows"] == tried["rows"] == 1
    assert found["unreadable"] == tried["unreadable"] == _rotated(either_cli, "--resume")["unreadable"]
    assert [(row["table"], row["key"], row["why"]) for row in found["unreadable"]] == [
        ("integration_secret", "k1", f"integration_secret.value of row {secret} was changed or moved"),
        ("integration_delivery", "k0", "the ring has no key k0"),
    ]
    shown = either_cli(*ENCRYPTION, "rotate", "--resume")
    assert (
        shown.exit_code == 1
        and f"integration_delivery/{delivery['id']} of tenant {delivery['tenant']}:" in shown.output
    )
    _settled(either_cli)
    refused = either_cli.error(*ENCRYPTION, "retire", "k1")
    assert refused["code"] == "key_in_use" and "give-up" in refused["message"]
    rows = [f"{row['table']}/{row['id']}" for row in found["unreadable"]]
    assert len(either_cli.ok(*ENCRYPTION, "give-up", "--dry-run", *rows)["given_up"]) == 2
    assert _rotated(either_cli, "--resume")["unreadable"] == found["unreadable"]
    assert either_cli.ok(*ENCRYPTION, "give-up", *rows)["given_up"] == found["unreadable"]
    assert either_cli.ok(*ENCRYPTION, "rotate", "--resume")["unreadable"] == []
    assert either_cli.ok(*ENCRYPTION, "retire", "k1")["retired"] == "k1"
    states = {row["key"]: row["state"] for row in either_cli.ok(*ENCRYPTION, "list")["encryption keys"]}
    assert states == {"k2": "current", "given-up": "given up"}


def test_all_rows_are_given_up_or_none(either_cli: Cli) -> None:
    either_cli.ok("demo")
    delivery, secret = asyncio.run(_damaged(either_cli))
    named = (f"integration_delivery/{delivery['id']}", f"integration_secret/{secret}")
    for other, code in (("integration_token/x", "validation_failed"), (f"integration_token/{secret}", "not_found")):
        assert either_cli.error(*ENCRYPTION, "give-up", *named, other)["code"] == code
    assert len(_rotated(either_cli, "--dry-run")["unreadable"]) == 2
    assert either_cli(*ENCRYPTION, "give-up").exit_code == 2
    assert either_cli.ok(*ENCRYPTION, "give-up", *named, named[0])["dry_run"] is False
    assert either_cli.error(*ENCRYPTION, "give-up", named[1])["code"] == "conflict"


def _rotated(cli: Cli, *options: str) -> Any:
    """The document of a rotation that met rows that do not open."""
    import msgspec

    result = cli(*ENCRYPTION, "rotate", *options, "--json")
    assert result.exit_code == 1, result.output
    return msgspec.json.decode(result.stdout)


async def _damaged(cli: Cli) -> tuple[Any, Any]:
    """The demo's webhook lies under a key that is gone, and its signing secret was changed."""
    database = open_database(cli.env["DOVETAIL_DATABASE_URL"])
    await database.start()
    try:
        [delivery] = await database.fetch(_ROWS)
        assert await database.execute(_LOSE, id=delivery["id"]) == 1
        [secret] = await database.fetch(_SECRET)
        assert await database.execute(_DAMAGE, id=secret["id"]) == 1
        return delivery, secret["id"]
    finally:
        await database.stop()


def _settled(cli: Cli) -> None:
    """As if the ring had been changed a minute ago."""
    path = cli.home / "keys" / "encryption.json"
    old = path.stat().st_mtime - 60
    os.utime(path, (old, old))
