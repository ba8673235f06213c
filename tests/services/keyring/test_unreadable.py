"""Rows that no key opens: a rotation goes round them and names them, and an operator may give them up."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from app.auth.encryption import GIVEN_UP, EncryptionKeys, Place, Sealed, Unreadable, UnreadableRow
from app.database import Statement
from app.errors import Conflict, NotFound, ValidationFailed
from models.audit import AuditEvent
from models.integrations import IntegrationInstance, IntegrationSecret
from services.integrations.instances.configs import seal_configs, unreadable_configs
from services.integrations.instances.secrets import open_secrets
from services.keyring.giving_up import RowName, give_up_row, read_row_name, unreadable_rows
from services.keyring.resealing import Resealed, reseal, sealed_under_one, try_reseal
from services.keyring.ring import add_encryption_key
from services.keyring.sealed import SEALED, key_uses
from tests.runtime.platform import Platform
from tests.world import World

FORGE = "https://api.forge.example"
NAMES = ("changed", "lost", "token")
_TABLES = {table.name: table for table in SEALED}


async def _put(world: World, row: UUID, **columns: Any) -> None:
    table: Any = IntegrationSecret
    await table.of(world.tenant).update(columns).where(table.id == row)


async def _secrets(world: World) -> dict[str, dict[str, Any]]:
    return {row["name"]: dict(row) for row in await IntegrationSecret.of(world.tenant).select()}


async def _damaged(world: World) -> dict[str, UUID]:
    """An instance with three secrets, of which one was changed and one lies under a key that is gone; their ids."""
    platform = Platform(world)
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in NAMES}}
    made = await platform.definition(secretsSchema=schema)
    await platform.instance(made["id"], credentials={name: f"hide {name}" for name in NAMES})
    rows = await _secrets(world)
    value = rows["changed"]["value"]
    await _put(world, rows["changed"]["id"], value=("B" if value[0] == "A" else "A") + value[1:])
    await _put(world, rows["lost"]["id"], key_id="k999")
    return {name: row["id"] for name, row in rows.items()}


async def _cleared(world: World) -> None:
    """Tests of one engine share a database, and another's rotation is not to meet these rows."""
    for table in (IntegrationSecret, IntegrationInstance):
        await table.of(world.tenant).delete().where(table.id != UUID(int=0))


def _own(world: World, found: Resealed) -> dict[UUID, UnreadableRow]:
    return {row.id: row for row in found.unreadable if row.tenant == world.tenant}


async def _rotated(world: World) -> EncryptionKeys:
    keys: EncryptionKeys = world.runtime.encryption
    assert keys.path is not None
    add_encryption_key(keys.path, [use.key_id for use in await key_uses(world.runtime.database)])
    keys.refresh(at_once=True)
    return keys


def _place(row: UUID, column: str = "value") -> Place:
    return Place("integration_secret", row, column)


async def test_a_rotation_goes_round_what_does_not_open(world: World) -> None:
    """A try tells the same; all others are brought under the new key, and a second time there is nothing to do."""
    database, old = world.runtime.database, world.runtime.encryption.current
    ids = await _damaged(world)
    tried = await try_reseal(database, world.runtime.encryption, current_too=True)
    keys = await _rotated(world)
    found = await reseal(database, keys)
    assert tried == found and found.rows >= 1
    table = "integration_secret"
    assert _own(world, found) == {
        ids["changed"]: UnreadableRow(
            table, ids["changed"], world.tenant, old, f"{table}.value of row {ids['changed']} was changed or moved"
        ),
        ids["lost"]: UnreadableRow(table, ids["lost"], world.tenant, "k999", "the ring has no key k999"),
    }
    assert "hide" not in str(found)
    lie = {name: row["key_id"] for name, row in (await _secrets(world)).items()}
    assert lie == {"changed": old, "lost": "k999", "token": keys.current}
    assert {old, "k999"} <= {use.key_id for use in await key_uses(database)}
    assert await reseal(database, keys) == (0, found.unreadable)
    assert await try_reseal(database, keys, current_too=False) == (0, found.unreadable)
    await _cleared(world)


async def test_what_is_given_up_keeps_no_key_in_use(world: World) -> None:
    """It is told by no rotation, refuses its use as before, can be given anew, and stands in its tenant's history."""
    database, ids = world.runtime.database, await _damaged(world)
    old, keys = world.runtime.encryption.current, await _rotated(world)
    await reseal(database, keys)
    names = [RowName(_TABLES["integration_secret"], ids[name]) for name in ("changed", "lost")]
    for name in names:
        await give_up_row(world.context(), name)
    assert not _own(world, await reseal(database, keys))
    assert {old, "k999"}.isdisjoint(use.key_id for use in await key_uses(database))
    [instance] = {row["instance"] for row in (await _secrets(world)).values()}
    with pytest.raises(Unreadable):
        await open_secrets(keys, database, world.tenant, instance, FORGE)
    told = (AuditEvent.tenant == world.tenant) & (AuditEvent.action == "encryption_key.row_given_up")
    events = await AuditEvent.select().where(told)
    assert {event["resource_id"] for event in events} == {str(ids["changed"]), str(ids["lost"])}
    assert '"k999"' in str([event["before"] for event in events]) and "hide" not in str(events)
    with pytest.raises(Conflict, match="given up before"):
        await unreadable_rows(database, keys, names)
    body = {"credentials": dict.fromkeys(NAMES, "new")}
    await Platform(world).ok("PUT", f"/integrations/instances/{instance}", body)
    assert await open_secrets(keys, database, world.tenant, instance, FORGE) == body["credentials"]


async def test_only_what_does_not_open_is_given_up(world: World) -> None:
    database, ids = world.runtime.database, await _damaged(world)
    keys, table = world.runtime.encryption, _TABLES["integration_secret"]
    with pytest.raises(Conflict, match="opens under"):
        await unreadable_rows(database, keys, [RowName(table, ids["lost"]), RowName(table, ids["token"])])
    with pytest.raises(NotFound):
        await unreadable_rows(database, keys, [RowName(_TABLES["integration_token"], ids["lost"])])
    with pytest.raises(Conflict, match="changed meanwhile"):
        # As an operator's command would of another tenant: a row is given up in its own tenant's history alone.
        await give_up_row(world.context(UUID(int=9)), RowName(table, ids["lost"]))
    sealed = keys.seal("found again", _place(ids["lost"]))
    await _put(world, ids["lost"], value=sealed.text, key_id=sealed.key_id)
    with pytest.raises(Conflict, match="opens under"):
        await give_up_row(world.context(), RowName(table, ids["lost"]))
    await _cleared(world)
    for text in ("integration_secret", "integration_secret/7", f"tenant/{UUID(int=7)}"):
        with pytest.raises(ValidationFailed, match="TABLE/ID"):
            read_row_name(text)


async def test_a_configuration_partly_in_the_clear_is_told_too(world: World) -> None:
    """Also one under the current key, which a rotation that is resumed does not look at."""
    database, keys = world.runtime.database, world.runtime.encryption
    await Platform(world).instance(config={"organization": "a", "token": "hide it"})
    [row] = await IntegrationInstance.of(world.tenant).select()
    update: Any = Statement(
        "UPDATE integration_instance SET config = {config}, sealed_config = {sealed} WHERE id = {id}"
    )
    await database.execute(update, config='{"organization":"a","token":"clear"}', sealed="QUJD", id=row["id"])
    assert await seal_configs(database, keys) == 0
    [found] = [each for each in await unreadable_configs(database, keys) if each.tenant == world.tenant]
    assert (found.table, found.id, found.key) == ("integration_instance", row["id"], keys.current)
    await give_up_row(world.context(), RowName(_TABLES["integration_instance"], row["id"]))
    assert not [each for each in await unreadable_configs(database, keys) if each.tenant == world.tenant]
    [after] = await IntegrationInstance.of(world.tenant).select()
    assert after == row | {"config": after["config"], "sealed_config": "QUJD", "key_id": GIVEN_UP}
    await _cleared(world)


async def test_a_row_names_one_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current key may change between two columns of a row."""
    keys = EncryptionKeys("k1", {"k1": b"\x01" * 32})
    opened = [(_place(UUID(int=3)), "a"), (_place(UUID(int=3), "other"), "b")]
    names = iter(("k1", "k2", "k2", "k2"))

    def seal(text: str, place: Any) -> Sealed:
        return Sealed(next(names), text)

    monkeypatch.setattr(keys, "seal", seal)
    assert {each.key_id for each in sealed_under_one(keys, opened).values()} == {"k2"}
