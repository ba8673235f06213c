"""Warm keys: kept for a second, forgotten at once where something changes, and never the key itself."""

from pathlib import Path

import pytest

from app.clock import SECOND
from models.installations import Credential
from services.access.keys import Opened, Unknown
from tests.resilience.serving import timed
from tests.runtime import keys


async def test_a_key_is_warm_for_a_second(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process changed is seen after a second at the latest."""
    async with timed(engine, tmp_path, monkeypatch) as (world, clock):
        issued = await world.key((await world.installation())["id"])
        known = world.runtime.keys
        assert known.warm(issued.secret) is None
        assert isinstance(await known.open(issued.secret), Opened)
        await Credential.of(world.tenant).update({"status": "revoked"}).where(Credential.id == issued.credential["id"])
        clock.advance(SECOND - 1)
        assert known.warm(issued.secret).status == "active"
        clock.advance(1)
        assert known.warm(issued.secret) is None and known.was_warm(issued.secret)
        assert (await known.open(issued.secret)).status == "revoked"


async def test_forgetting_is_for_one_installation(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of one installation makes no other's key cold."""
    async with timed(engine, tmp_path, monkeypatch) as (world, _):
        first, second = await world.installation(), await world.installation()
        a, b = str((await world.key(first["id"])).secret), str((await world.key(second["id"])).secret)
        known = world.runtime.keys
        for key in (a, b):
            await known.open(key)
        known.forget(first["id"])
        assert known.warm(a) is None and known.warm(b) is not None


async def test_unknown_keys_are_not_kept(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of made-up keys fills no memory; a wrong secret names whose key it claims to be."""
    async with timed(engine, tmp_path, monkeypatch) as (world, _):
        issued = await world.key((await world.installation())["id"])
        known = world.runtime.keys
        before = len(known._warm)
        assert await known.open("nonsense") == Unknown(None)
        stranger = keys.unknown_kid()
        assert await known.open(stranger) == Unknown(stranger[9:17])
        claimed = await known.open(keys.wrong_secret(issued.secret))
        assert claimed == Unknown(issued.credential["kid"], world.tenant, issued.credential["installation"])
        assert len(known._warm) == before


async def test_no_key_is_kept_in_memory(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the key nor its secret part is in what is kept, nor in the database."""
    async with timed(engine, tmp_path, monkeypatch) as (world, _):
        issued = await world.key((await world.installation())["id"])
        await world.runtime.keys.open(issued.secret)
        assert issued.secret[18:] not in repr(list(world.runtime.keys._warm.items()))
        rows = await Credential.of(world.tenant).select()
        assert issued.secret[18:] not in repr(rows)
