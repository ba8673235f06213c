"""A stored definition is made ready in slices, so that a large one does not hold whoever calls something else."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.database import Statement
from services.inputs import read_input
from services.integrations.connectors.files import built_in_definitions
from services.integrations.definitions import slicing, warm
from services.integrations.definitions.columns import stored
from services.integrations.definitions.compiling import compile_definition, compile_stored
from services.integrations.definitions.model import Definition
from services.integrations.definitions.registry import create_integration_definition
from services.integrations.definitions.warm import WarmDefinitions
from services.integrations.instances.rows import compiled_of
from tests.services.integrations.samples import forge
from tests.world import World

BUILT_IN = {definition.name: definition for definition in built_in_definitions()}
_JSON = st.recursive(st.none() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists, max_leaves=5)


def row_of(definition: Definition, version: int = 1) -> dict[str, Any]:
    return stored(definition) | {"id": UUID(int=7), "version": version}


def large(methods: int = 400) -> Definition:
    """Some megabytes of methods."""
    texts = {f"field{n}": {"type": "string", "description": "of a thing " * 12} for n in range(60)}
    (method,) = forge()["methods"]
    given = [
        method | {"name": f"call{n}", "resultSchema": {"type": "object", "properties": texts}, "examples": []}
        for n in range(methods)
    ]
    return msgspec.convert(forge(methods=given), Definition)


class Turns:
    """How often somebody else has a turn within."""

    count = 0

    async def __aenter__(self) -> Turns:
        self._task = asyncio.create_task(self._run())
        await asyncio.sleep(0)
        self.count = 0
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)


async def test_others_have_turns_while_a_large_one_is_made() -> None:
    """One for each slice at least; no method is read before it is called."""
    row = row_of(large())
    slices = len(row["methods"]) // slicing.SLICE
    assert slices > 10
    async with Turns() as turns:
        compiled = await compile_stored(row)
        assert turns.count >= slices - 1
    assert list(compiled.methods) == [f"call{n}" for n in range(400)]
    assert compiled.methods["call7"].method == large(8).methods[7]


@pytest.mark.parametrize("name", sorted(BUILT_IN))
async def test_methods_are_those_of_the_definition(name: str) -> None:
    definition = BUILT_IN[name]
    found, whole = await compile_stored(row_of(definition)), compile_definition(definition)
    assert {n: m.method for n, m in found.methods.items()} == {n: m.method for n, m in whole.methods.items()}
    assert list(found.methods) == list(whole.methods) and found.definition.name == name
    assert found.definition.config_schema == definition.config_schema


@given(st.dictionaries(st.text(), _JSON, max_size=5), st.booleans())
def test_every_text_is_parted_as_it_is(methods: dict[str, Any], spaced: bool) -> None:
    """Also with white space, and whatever stands in a method."""
    given_ones = [{"name": name, "more": [value, {"name": "]},{"}]} for name, value in methods.items()]
    text = json.dumps(given_ones, indent=2 if spaced else None)
    found = asyncio.run(slicing.texts_by_name(text))
    assert [json.loads(each) for each in found.values()] == given_ones and list(found) == list(methods)


async def test_who_asks_meanwhile_waits_for_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the first goes away before it is made."""
    made: list[int] = []

    async def counted(row: Any) -> Any:
        made.append(row["version"])
        return await compile_stored(row)

    monkeypatch.setattr(warm, "compile_stored", counted)
    definitions, row = WarmDefinitions(), row_of(large(60))
    first, second, third = (asyncio.ensure_future(definitions.compiled(row)) for _ in range(3))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is await third is definitions.known(row["id"], 1)
    assert first.cancelled() and made == [1, 1]
    other = await definitions.compiled(row | {"version": 2})
    assert other is not await second and made == [1, 1, 2]


@pytest.mark.runtime
async def test_from_the_database(world: World) -> None:
    """A definition as it lies in a table, on either engine."""
    made = await create_integration_definition(world.context(), read_input(Definition, forge()))
    methods = stored(large())["methods"]
    put: Any = Statement("UPDATE integration_definition SET methods = {methods} WHERE id = {id}")
    await world.runtime.database.execute(put, methods=methods, id=made["id"])
    compiled = await compiled_of(world.context(), made["id"])
    assert len(compiled.methods) == 400 and compiled.methods["call399"].method == large().methods[-1]
    assert await compiled_of(world.context(), made["id"]) is compiled
