"""Definitions that instances are read with: a compiled one is not read from the database again while it is the same."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from app.errors import NotFound
from services.inputs import read_input
from services.integrations.definitions.model import Definition
from services.integrations.definitions.registry import create_integration_definition, update_integration_definition
from services.integrations.instances import rows
from services.integrations.instances.rows import compiled_of
from tests.services.integrations.samples import forge
from tests.world import World

pytestmark = pytest.mark.runtime


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The definitions that were read whole."""
    found: list[UUID] = []
    whole = rows.find_definition

    async def counted(tenant: UUID, definition_id: UUID) -> dict[str, Any]:
        found.append(definition_id)
        return await whole(tenant, definition_id)

    monkeypatch.setattr(rows, "find_definition", counted)
    return found


async def test_a_known_definition_is_not_read_whole(world: World, reads: list[UUID]) -> None:
    made = await create_integration_definition(world.context(), read_input(Definition, forge()))
    first = await compiled_of(world.context(), made["id"])
    assert await compiled_of(world.context(), made["id"]) is first
    assert await compiled_of(world.context(), made["id"], made["version"]) is first
    assert reads == [made["id"]]


async def test_a_changed_definition_is_read_again(world: World, reads: list[UUID]) -> None:
    made = await create_integration_definition(world.context(), read_input(Definition, forge()))
    await compiled_of(world.context(), made["id"])
    changed = read_input(Definition, forge(description="Another forge"))
    await update_integration_definition(world.context(), made["id"], changed, made["version"])
    assert (await compiled_of(world.context(), made["id"])).definition.description == "Another forge"
    assert reads == [made["id"]] * 2


async def test_a_known_definition_is_nobody_elses(world: World) -> None:
    made = await create_integration_definition(world.context(), read_input(Definition, forge()))
    await compiled_of(world.context(), made["id"])
    with pytest.raises(NotFound):
        await compiled_of(world.context(UUID(int=1)), made["id"])
