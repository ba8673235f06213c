"""Secrets at rest: what is sealed opens in its place alone, under any key of the ring, and a rotation loses nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.auth.encryption import EncryptionKeys, Place, Sealed, Unreadable, load_encryption_keys
from app.clock import SettableClock
from app.database import Statement
from app.errors import Conflict, NotFound
from app.settings import SettingsError, load_settings
from models.integrations import IntegrationSecret
from services.integrations.instances.secrets import open_secrets
from services.keyring.resealing import reseal
from services.keyring.ring import add_encryption_key, drop_encryption_key
from services.keyring.sealed import SEALED, key_uses
from tests.runtime.platform import SECRETS, Platform
from tests.world import World

FORGE = "https://api.forge.example"
PLACE = Place("integration_secret", UUID(int=7), "value")
_EMPTY = Statement("UPDATE idempotency_record SET answer_body = NULL WHERE key = {key}")


def ring(**keys: bytes) -> EncryptionKeys:
    given_keys = keys or {"k1": b"\x01" * 32}
    return EncryptionKeys(sorted(given_keys)[-1], given_keys)


@given(st.text())
def test_what_is_sealed_opens_again(text: str) -> None:
    keys = ring()
    sealed = keys.seal(text, PLACE)
    assert keys.open(sealed, PLACE) == text
    assert keys.seal(text, PLACE).text != sealed.text


@pytest.mark.parametrize(
    "place",
    [PLACE._replace(table="integration_token"), PLACE._replace(row=UUID(int=8)), PLACE._replace(column="other")],
)
def test_a_value_that_was_moved_does_not_open(place: Place) -> None:
    sealed = ring().seal("secret", PLACE)
    with pytest.raises(Unreadable) as refused:
        ring().open(sealed, place)
    assert "secret" not in str(refused.value).replace("integration_secret", "")


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_value_that_was_changed_does_not_open(index: int, flip: int) -> None:
    import base64

    keys = ring()
    sealed = keys.seal("a secret", PLACE)
    raw = bytearray(base64.b64decode(sealed.text))
    raw[index % len(raw)] ^= flip
    with pytest.raises(Unreadable):
        keys.open(Sealed("k1", base64.b64encode(bytes(raw)).decode()), PLACE)


@pytest.mark.parametrize("text", ["", "no base64!", "QUJD"])
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    with pytest.raises(Unreadable):
        ring().open(Sealed("k1", text), PLACE)
    with pytest.raises(Unreadable, match="no key k9"):
        ring().open(Sealed("k9", text), PLACE)


def test_a_ring_that_changes_is_read_again(tmp_path: Path) -> None:
    """A key that another process added is known when it is met; the current one within a second."""
    clock = SettableClock()
    keys = load_encryption_keys(load_settings({}, home=tmp_path), clock)
    other = load_encryption_keys(load_settings({}, home=tmp_path), clock)
    assert keys.path is not None and keys.path.stat().st_mode & 0o777 == 0o600
    assert add_encryption_key(keys.path) == "k2"
    other.refresh(at_once=True)
    sealed = other.seal("secret", PLACE)
    assert sealed.key_id == "k2" and keys.open(sealed, PLACE) == "secret"
    with pytest.raises(Conflict):
        drop_encryption_key(keys.path, "k2")
    with pytest.raises(NotFound):
        drop_encryption_key(keys.path, "k7")
    old = ring(k1=b"\x01" * 32).seal("x", PLACE)
    drop_encryption_key(keys.path, "k1")
    clock.advance(2_000)
    with pytest.raises(Unreadable, match="no key k1"):
        (keys.refresh(), keys.open(old, PLACE))
    keys.path.write_text("{")
    clock.advance(2_000)
    assert keys.seal("still", PLACE).key_id == "k2"


def test_a_key_of_the_settings() -> None:
    with pytest.raises(SettingsError, match="DOVETAIL_ENCRYPTION_KEY"):
        load_encryption_keys(load_settings({}, encryption_key="c2hvcnQ="))


async def test_a_rotation_brings_everything_under_the_new_key(world: World) -> None:
    """Also what was half done before."""
    platform = Platform(world)
    made = await platform.instance(credentials=SECRETS)
    await platform.ask("POST", "/integrations/definitions", {"name": "x"}, Idempotency_Key="kept")
    runtime: Any = world.runtime
    # Of a row whose value is gone the key's name alone is left: it keeps no key in use.
    await platform.ask("POST", "/integrations/definitions", {"name": "y"}, Idempotency_Key="emptied")
    await runtime.database.execute(_EMPTY, key="emptied")
    old, path = runtime.encryption.current, runtime.encryption.path
    name = add_encryption_key(path, [use.key_id for use in await key_uses(runtime.database)])
    runtime.encryption.refresh(at_once=True)
    assert {use.key_id for use in await key_uses(runtime.database)} >= {old}
    assert (await reseal(runtime.database, runtime.encryption)).rows >= 2
    assert {use.key_id for use in await key_uses(runtime.database)} == {name}
    assert await reseal(runtime.database, runtime.encryption) == (0, [])
    assert await open_secrets(runtime.encryption, runtime.database, world.tenant, UUID(made["id"]), FORGE) == SECRETS
    again = await platform.ask("POST", "/integrations/definitions", {"name": "x"}, Idempotency_Key="kept")
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_a_secret_of_another_row_is_not_taken_for_ones_own(world: World) -> None:
    """Somebody who can write the database still cannot put one instance's secret into another."""
    platform = Platform(world)
    rich = await platform.instance(credentials={"token": "rich"}, name="Rich")
    poor = await platform.instance(rich["integrationDefinitionId"], credentials={"token": "poor"}, name="Poor")
    rows = {str(row["instance"]): row for row in await IntegrationSecret.of(world.tenant).select()}
    stolen = {"value": rows[rich["id"]]["value"]}
    await IntegrationSecret.of(world.tenant).update(stolen).where(IntegrationSecret.instance == UUID(poor["id"]))
    with pytest.raises(Unreadable):
        await open_secrets(world.runtime.encryption, world.runtime.database, world.tenant, UUID(poor["id"]), FORGE)
    await IntegrationSecret.of(world.tenant).delete().where(IntegrationSecret.instance == UUID(poor["id"]))


def test_every_table_with_a_key_is_rotated() -> None:
    """A table that names a key and is not in the list would be lost with the key."""
    from models.piccolo_app import TABLES

    keyed = {t._meta.tablename for t in TABLES if any(c._meta.name == "key_id" for c in t._meta.columns)}
    assert keyed == {table.name for table in SEALED}
