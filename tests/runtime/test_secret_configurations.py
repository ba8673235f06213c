"""What a schema marks as secret in a configuration lies sealed, and a call is made with it all the same."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest

from models.integrations import IntegrationInstance
from services.integrations.definitions.masking import MASK
from services.integrations.instances.configs import open_config, plain_configs, seal_configs
from services.keyring.resealing import reseal
from services.keyring.ring import add_encryption_key
from services.keyring.sealed import key_uses
from tests.runtime.platform import Platform
from tests.runtime.upstreams import connected, json, method, upstream
from tests.world import World

pytestmark = pytest.mark.runtime

KEY = "hide-me-please"
SCHEMA = {
    "type": "object",
    "properties": {"realm": {}, "key": {"type": "string", "x-secret": True}},
}
CALL = method(request={"method": "GET", "path": "/", "headers": {"X-Key": "{_config.key}"}})


async def _row(world: World) -> dict[str, Any]:
    [row] = await IntegrationInstance.of(world.tenant).select()
    return dict(row)


async def _put(world: World, **columns: Any) -> None:
    table: Any = IntegrationInstance
    await table.of(world.tenant).update(columns).where(table.status != "")


async def test_a_call_is_made_with_what_lies_sealed(world: World) -> None:
    """Also after the key was rotated; the same configuration changes nothing, and one without secrets seals nothing."""
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json({}))
        one = await connected(platform, far.base, CALL, configSchema=SCHEMA)
        await platform.ok("PUT", one, {"config": {"realm": "a", "key": KEY}})
        row = await _row(world)
        assert msgspec.json.decode(row["config"]) == {"realm": "a", "key": MASK}
        assert KEY not in str(row) and row["key_id"] == world.runtime.encryption.current
        await platform.ok("PUT", one, {"config": {"realm": "a", "key": MASK}})
        assert await _row(world) == row
        await platform.ok("PUT", one, {"name": "Renamed"})
        ring = world.runtime.encryption
        assert ring.path is not None
        name = add_encryption_key(ring.path, [use.key_id for use in await key_uses(world.runtime.database)])
        ring.refresh(at_once=True)
        assert (await reseal(world.runtime.database, ring)).rows >= 1
        assert (await _row(world))["key_id"] == name
        await platform.ok("POST", f"{one}/methods/call/execute", {})
        assert far.seen[-1].headers["X-Key"] == KEY
        await platform.ok("PUT", one, {"config": {"realm": "a"}})
        row = await _row(world)
        assert (row["sealed_config"], row["key_id"]) == (None, None)


async def test_rows_of_an_earlier_release_are_sealed(world: World) -> None:
    """Those that lie in the clear, and those that such a server wrote beside this one; read rightly before too."""
    platform, ring, database = Platform(world), world.runtime.encryption, world.runtime.database
    made = await platform.instance()
    plain = {"organization": "a", "token": KEY}
    await _put(world, config=msgspec.json.encode(plain).decode())
    path = f"/integrations/instances/{made['id']}"
    assert (await platform.ok("GET", path))["config"] == {"organization": "a", "token": MASK}
    assert len([row async for row in plain_configs(database)]) == 1
    before = await _row(world)
    assert await seal_configs(database, ring) == 1
    row = await _row(world)
    assert KEY not in str(row) and open_config(ring, row) == plain and row["version"] == before["version"]
    assert await seal_configs(database, ring) == 0
    newer = plain | {"token": "newer"}
    await _put(world, config=msgspec.json.encode(newer).decode())
    assert open_config(ring, await _row(world)) == newer
    assert await seal_configs(database, ring) == 1 and open_config(ring, await _row(world)) == newer
    await _put(world, config=msgspec.json.encode({"organization": "b", "token": MASK}).decode())
    assert open_config(ring, await _row(world)) == newer | {"organization": "b"}


async def test_what_does_not_open_is_told_and_can_be_given_anew(world: World) -> None:
    """A key that is gone, or a value that was changed: no call is made, and no mask taken for a secret."""
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json({}))
        one = await connected(platform, far.base, CALL, configSchema=SCHEMA)
        config = {"realm": "a", "key": KEY}
        await platform.ok("PUT", one, {"config": config})
        sealed = (await _row(world))["sealed_config"]
        for number, columns in enumerate(({"key_id": "k99"}, {"sealed_config": sealed[:-8] + "AAAAAAA="})):
            await _put(world, **columns)
            calls = len(far.seen)
            refused = await platform.refused(500, "EXECUTION_ERROR", "POST", f"{one}/methods/call/execute", {})
            assert "cannot be opened" in refused["message"] and len(far.seen) == calls
            shown = (await platform.ok("GET", one))["config"]
            error = await platform.refused(400, "VALIDATION_ERROR", "PUT", one, {"config": shown})
            assert error["details"][0]["path"] == "config"
            await platform.ok("PUT", one, {"name": f"Still {number}"})
            await platform.ok("PUT", one, {"config": config})
            await platform.ok("POST", f"{one}/methods/call/execute", {})


async def test_a_sealed_configuration_is_good_in_its_own_row_alone(world: World) -> None:
    platform = Platform(world)
    plain = {"organization": "a", "token": KEY}
    rich = await platform.instance(config=plain, name="Rich")
    poor = await platform.instance(rich["integrationDefinitionId"], config=plain | {"token": "own"}, name="Poor")
    rows = {row["name"]: row for row in await IntegrationInstance.of(world.tenant).select()}
    table, stolen = IntegrationInstance, {"sealed_config": rows["Rich"]["sealed_config"]}
    await table.of(world.tenant).update(stolen).where(table.id == UUID(poor["id"]))
    one = f"/integrations/instances/{poor['id']}"
    error = await platform.refused(400, "VALIDATION_ERROR", "PUT", one, {"config": poor["config"]})
    assert "cannot be opened" in error["details"][0]["message"]
    await platform.ok("PUT", one, {"config": plain})
