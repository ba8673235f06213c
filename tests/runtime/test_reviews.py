"""Lint, test and diff of stored definitions: the same on REST and GraphQL, for those who may see them."""

from __future__ import annotations

from typing import Any

import pytest

from app.ids import new_id
from graph.relay import to_global_id
from services.integrations.reviewing import registry
from tests.runtime.platform import DEFINITIONS, Platform
from tests.services.integrations.samples import forge
from tests.world import World

pytestmark = pytest.mark.runtime
LINT = "integrationDefinitionLint(id: $id) { errors warnings items { severity rule path message } }"
TEST = "integrationDefinitionTest(id: $id) { held failed items { method example request code fault } }"
DIFF = """integrationDefinitionDiff(id: $id, against: $against) {
    total needed made honest items { verdict rule method where message } }"""


def stricter() -> dict[str, Any]:
    made = forge(version="1.0.1")
    made["methods"][0]["paramSchema"]["properties"]["ref"] = {"type": "string"}
    made["methods"][0]["paramSchema"]["required"] = ["owner", "repo", "ref"]
    made["methods"][0].pop("examples", None)
    made.pop("verification")
    return made


async def test_both_surfaces_say_the_same(world: World) -> None:
    platform = Platform(world)
    one = await platform.definition()
    two = await platform.ok("POST", DEFINITIONS, stricter(), 201)
    lint = await platform.ok("POST", f"{DEFINITIONS}/{two['id']}/lint")
    played = await platform.ok("POST", f"{DEFINITIONS}/{one['id']}/test")
    compared = await platform.ok("GET", f"{DEFINITIONS}/{two['id']}/diff?against={one['id']}")
    assert lint["errors"] == 0
    assert "methods.0.examples" in {each["path"] for each in lint["items"]}
    assert (played["failed"], played["held"]) == (0, len(played["items"]))
    assert (compared["needed"], compared["made"], compared["honest"]) == ("major", "patch", False)
    assert compared["items"][0]["verdict"] == "breaking"
    ids = {name: to_global_id("IntegrationDefinition", each["id"]) for name, each in (("one", one), ("two", two))}
    text = f"query ($id: ID!, $against: ID!) {{ {LINT} {DIFF} }}"
    answer = (await world.graphql(text, world.token("viewer"), id=ids["two"], against=ids["one"])).json()
    assert _upper(lint, "severity") == answer["data"]["integrationDefinitionLint"]
    told = _upper(compared, "verdict") | {"needed": "MAJOR", "made": "PATCH"}
    assert told == answer["data"]["integrationDefinitionDiff"]
    answer = (await world.graphql(f"query ($id: ID!) {{ {TEST} }}", world.token("viewer"), id=ids["one"])).json()
    assert answer["data"]["integrationDefinitionTest"] == played


def _upper(found: dict[str, Any], name: str) -> dict[str, Any]:
    return found | {"items": [each | {name: each[name].upper()} for each in found["items"]]}


async def test_what_is_not_there_and_what_is_no_id(world: World) -> None:
    platform = Platform(world)
    one = await platform.definition()
    strange = new_id()
    await platform.refused(404, "INTEGRATION_NOT_FOUND", "POST", f"{DEFINITIONS}/{strange}/lint")
    await platform.refused(404, "INTEGRATION_NOT_FOUND", "GET", f"{DEFINITIONS}/{one['id']}/diff?against={strange}")
    for query in ("", "?against=it"):
        error = await platform.refused(400, "VALIDATION_ERROR", "GET", f"{DEFINITIONS}/{one['id']}/diff{query}")
        assert [each["path"] for each in error["details"]] == ["against"]


async def test_a_review_waits_for_its_turn_and_not_for_long(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    platform = Platform(world)
    one = await platform.definition()
    monkeypatch.setattr(registry, "_WAITED", 0.01)
    for _ in range(world.app.settings.imports_at_once):
        await world.runtime.reviews.acquire()
    try:
        answer = await platform.ask("POST", f"{DEFINITIONS}/{one['id']}/lint")
    finally:
        for _ in range(world.app.settings.imports_at_once):
            world.runtime.reviews.release()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    await platform.ok("POST", f"{DEFINITIONS}/{one['id']}/lint")
