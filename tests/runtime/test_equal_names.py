"""Names that Unicode holds to be equal are one name, as they look alike; each stays as it was written."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from models.integrations import IntegrationDefinition, IntegrationInstance
from tests.runtime.platform import DEFINITIONS, INSTANCES, Platform
from tests.services.integrations.samples import forge
from tests.world import World

pytestmark = pytest.mark.runtime
#: The same text composed, decomposed, and half of each.
NFC = unicodedata.normalize("NFC", "Café Zoë")
NFD = unicodedata.normalize("NFD", NFC)
MIXED = NFC[:4] + NFD[5:]
FORMS = (NFC, NFD, MIXED)


def test_the_forms_are_three() -> None:
    assert len(set(FORMS)) == 3 and len({unicodedata.normalize("NFC", form) for form in FORMS}) == 1


@pytest.mark.parametrize("first", FORMS)
async def test_instances(first: str, world: World) -> None:
    platform = Platform(world)
    made = await platform.instance(name=first)
    assert made["name"] == first
    body = {"integrationDefinitionId": made["integrationDefinitionId"], "config": {"organization": "a"}}
    for form in FORMS:
        error = await platform.refused(409, "CONFLICT", "POST", INSTANCES, body | {"name": form})
        assert error["details"] == {"name": first}
    # What only folds to the same text is another name.
    other = await platform.ok("POST", INSTANCES, body | {"name": "Cafe Zoe"}, 201)
    await platform.refused(409, "CONFLICT", "PUT", f"{INSTANCES}/{other['id']}", {"name": NFD})
    for form in FORMS:
        assert (await platform.ok("PUT", f"{INSTANCES}/{made['id']}", {"name": form}))["name"] == form


@pytest.mark.parametrize("first", FORMS)
async def test_definitions(first: str, world: World) -> None:
    """Another version has the name in the same form: in another it would be another type."""
    platform = Platform(world)
    made = await platform.definition(publish=False, name=first)
    for form in FORMS:
        for version in ("1.0.0", "2.0.0") if form != first else ("1.0.0",):
            given = forge(name=form, version=version)
            error = await platform.refused(409, "CONFLICT", "POST", DEFINITIONS, given)
            assert error["details"]["name"] == first
    await platform.definition(name=first, version="2.0.0")
    await platform.definition(name="Cafe Zoe")
    await platform.refused(409, "CONFLICT", "PUT", f"{DEFINITIONS}/{made['id']}", forge(name="Cafe Zoe"))
    again = forge(name=first, version="1.0.1")
    assert (await platform.ok("PUT", f"{DEFINITIONS}/{made['id']}", again))["name"] == first


async def test_rows_that_look_alike_already_stay_reachable(world: World) -> None:
    """As an earlier release let them be made; each can be read, changed and renamed."""
    platform = Platform(world)
    one = await platform.instance(name=NFC)
    two = await platform.instance(one["integrationDefinitionId"], name="Other")
    for table, row in ((IntegrationInstance, two["id"]), (IntegrationDefinition, two["integrationDefinitionId"])):
        await _named(world, table, row, NFD)
    for made in (one, two):
        path = f"{INSTANCES}/{made['id']}"
        await platform.ok("PUT", path, {"name": (await platform.ok("GET", path))["name"]})
        await platform.ok("PUT", path, {"config": {"organization": "b"}})
    found = await platform.ok("GET", f"{INSTANCES}?search=cafe")
    assert {row["id"] for row in found["items"]} >= {one["id"]}
    by_name = await platform.ok("POST", "/integrations", {"type": NFD, "name": "Third", "config": {"organization": "a"},
                                                          "credentials": {"token": "t"}}, 201)  # fmt: skip
    assert by_name["data"]["integrationTypeId"] == two["integrationDefinitionId"]
    await platform.ok("PUT", f"{INSTANCES}/{two['id']}", {"name": "Free again"})


async def _named(world: World, table: Any, row: str, name: str) -> None:
    from uuid import UUID

    await table.of(world.tenant).update({"name": name}).where(table.id == UUID(row))
