"""Import through the surfaces: object, text and bare documents, faults, tenants, the same answer on GraphQL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.platform import DEFINITIONS, Platform
from tests.world import World

pytestmark = pytest.mark.runtime
IMPORT = f"{DEFINITIONS}/import"
TEXT = (Path(__file__).parents[1] / "services" / "integrations" / "descriptions" / "cluster.yaml").read_text()
SMALL: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Small", "version": "1.2.3"},
    "servers": [{"url": "https://small.example"}],
    "paths": {"/a": {"get": {"operationId": "getA", "responses": {"204": {"description": "none"}}}}},
}


async def test_object_text_and_bare_document(world: World) -> None:
    platform = Platform(world)
    made = await platform.ok("POST", IMPORT, {"document": SMALL}, 201)
    assert made["definition"]["status"] == "DRAFT"
    assert made["report"]["operations"] == made["report"]["typed"] == 1
    assert await platform.ok("GET", f"{DEFINITIONS}/{made['definition']['id']}") == made["definition"]
    chosen = {"document": TEXT, "operations": ["readCoreV1NamespacedPod"], "name": "Pods", "version": "2.0.0"}
    made = await platform.ok("POST", IMPORT, chosen, 201)
    assert [each["name"] for each in made["definition"]["methods"]] == ["readCoreV1NamespacedPod"]
    bare = await platform.ok(
        "POST", f"{IMPORT}?tag=core_v1&name=Tagged", TEXT.encode(), 201, Content_Type="application/yaml"
    )
    assert bare["definition"]["name"] == "Tagged"
    assert (bare["report"]["operations"], bare["report"]["typed"]) == (2, 2)
    published = await platform.ok("POST", f"{DEFINITIONS}/{made['definition']['id']}/publish")
    assert published["status"] == "PUBLISHED"


async def test_what_cannot_be_imported_is_told(world: World) -> None:
    platform = Platform(world)
    for body in ({"document": "swagger: '2.0'"}, {"document": "[1"}, {"document": {"openapi": "4.0.0"}}):
        error = await platform.refused(400, "VALIDATION_ERROR", "POST", IMPORT, body)
        assert [each["path"] for each in error["details"]] == ["document"]
    error = await platform.refused(400, "VALIDATION_ERROR", "POST", IMPORT, {"document": SMALL, "tags": ["x"]})
    assert error["details"] == [{"path": "tags.x", "message": "is no tag of an operation"}]
    error = await platform.refused(400, "VALIDATION_ERROR", "POST", IMPORT, {"document": SMALL, "version": "one"})
    assert error["details"][0]["path"] == "version"
    await platform.ok("POST", IMPORT, {"document": SMALL}, 201)
    await platform.refused(409, "CONFLICT", "POST", IMPORT, {"document": SMALL})
    assert (await platform.ask("POST", IMPORT, b"x", Content_Type="text/plain")).status_code == 415


async def test_graphql_answers_the_same(world: World) -> None:
    text = """mutation ($document: String!) { importIntegrationDefinition(document: $document) {
        definition { name version status }
        report { operations typed partial leftOut findings { effect operation method where reason } }
        errors { code } } }"""
    answer = await world.graphql(text, world.token("admin"), document=TEXT)
    payload = answer.json()["data"]["importIntegrationDefinition"]
    assert payload["errors"] == []
    assert payload["definition"] == {"name": "Cluster", "version": "1.29.0", "status": "DRAFT"}
    made = await Platform(world).ok("POST", IMPORT, {"document": TEXT, "name": "Again"}, 201)
    upper = [each | {"effect": each["effect"].upper()} for each in made["report"]["findings"]]
    assert json.dumps(payload["report"]["findings"]) == json.dumps(upper)
