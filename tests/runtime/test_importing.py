"""Import through the surfaces: object, text and bare documents, faults, tenants, the same answer on GraphQL."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.errors import ValidationFailed
from app.ids import new_id
from services.integrations.apart import running
from services.integrations.importing.drafting import Drafted
from services.integrations.importing.reading import ImportRequest
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
    for body in ({"document": "swagger: '1.2'"}, {"document": "[1"}, {"document": {"openapi": "4.0.0"}}):
        error = await platform.refused(400, "VALIDATION_ERROR", "POST", IMPORT, body)
        assert [each["path"] for each in error["details"]] == ["document"]
    error = await platform.refused(400, "VALIDATION_ERROR", "POST", IMPORT, {"document": SMALL, "tags": ["x"]})
    assert error["details"] == [{"path": "tags.x", "message": "is no tag of an operation"}]
    error = await platform.refused(400, "VALIDATION_ERROR", "POST", IMPORT, {"document": SMALL, "version": "one"})
    assert error["details"][0]["path"] == "version"
    await platform.ok("POST", IMPORT, {"document": SMALL}, 201)
    await platform.refused(409, "CONFLICT", "POST", IMPORT, {"document": SMALL})
    error = await platform.refused(415, "UNSUPPORTED_MEDIA_TYPE", "POST", IMPORT, b"x", Content_Type="text/plain")
    assert error["message"].startswith("This path takes application/json, application/yaml, ")


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


async def test_a_bare_document_of_json_and_swagger(world: World) -> None:
    platform = Platform(world)
    made = await platform.ok("POST", f"{IMPORT}?name=Bare", SMALL, 201)
    assert (made["definition"]["name"], made["report"]["typed"]) == ("Bare", 1)
    older = {"swagger": "2.0", "info": SMALL["info"], "host": "old.example", "paths": SMALL["paths"]}
    made = await platform.ok("POST", f"{IMPORT}?name=Older", older, 201)
    assert made["definition"]["allowedHosts"] == ["old.example"]


@pytest.mark.parametrize(
    "text",
    [
        '{"openapi": "3.1.0", "paths": {}, "paths": {}}',
        "[" * 200_000,
        "{" + '"a":{' * 100_000,
        "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in
                                                zip("abcdefghij", "bcdefghijk", strict=True)),
        "openapi: 3.1.0\nopenapi: 3.1.0",
        "\x00",
    ],
    ids=["duplicate", "lists", "objects", "aliases", "yaml-duplicate", "nul"],
)  # fmt: skip
async def test_hostile_documents_are_refused(world: World, text: str) -> None:
    platform = Platform(world)
    answer = await platform.ask("POST", IMPORT, text.encode(), Content_Type="application/yaml")
    assert answer.status_code == 400, answer.text
    answer = await platform.ask("POST", IMPORT, {"document": text})
    assert (answer.status_code, answer.json()["error"]["details"][0]["path"]) == (400, "document")
    raw = b'{"document": ' + text.encode() + b"}"
    assert (await platform.ask("POST", IMPORT, raw)).status_code == 400


async def test_a_large_document_is_taken_and_a_larger_one_is_not(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    platform = Platform(world)
    large = SMALL | {"x-filler": "x" * world.app.settings.max_body_bytes}
    key = {"Idempotency_Key": "once"}
    made = await platform.ok("POST", IMPORT, {"document": large}, 201, **key)
    assert await platform.ok("POST", IMPORT, {"document": large}, 201, **key) == made
    settings = msgspec.structs.replace(world.runtime.settings, import_max_bytes=100_000)
    monkeypatch.setattr(world.runtime, "settings", settings)
    sent: list[int] = []
    answer = await platform.ask("POST", IMPORT, _pieces(sent), Content_Type="application/yaml")
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert len(sent) < 20, "what is too large is not read to its end"


async def _pieces(sent: list[int]) -> AsyncIterator[bytes]:
    for number in range(1_000):
        sent.append(number)
        yield b"#" * 9_999 + b"\n"


async def test_who_may_not_import_is_not_read(world: World) -> None:
    sent: list[int] = []
    answer = await Platform(world, "viewer").ask("POST", IMPORT, _pieces(sent), Content_Type="application/yaml")
    assert answer.status_code == 403
    answer = await Platform(world).ask("POST", IMPORT, _pieces(sent), Content_Type="text/plain")
    assert answer.status_code == 415
    assert sent == []


async def test_imports_are_bounded_for_each_tenant_and_process(world: World) -> None:
    platform, imports = Platform(world), world.runtime.imports
    sent: list[int] = []
    with imports.held(world.context()):
        answer = await platform.ask("POST", IMPORT, _pieces(sent), Content_Type="application/yaml")
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
        mutation = (
            "mutation ($document: String!) { importIntegrationDefinition(document: $document) { errors { code } } }"
        )
        payload = (await world.graphql(mutation, world.token("admin"), document=TEXT)).json()
        assert payload["errors"][0]["extensions"]["code"] == "RATE_LIMIT_EXCEEDED"
    with imports.held(world.context(new_id())), imports.held(world.context(new_id())):
        answer = await platform.ask("POST", IMPORT, _pieces(sent), Content_Type="application/yaml")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert sent == [], "a place is taken before the document is read"
    await platform.ok("POST", IMPORT, {"document": SMALL}, 201)


async def test_an_import_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_MOST_SECONDS", 0.0)
    with pytest.raises(ValidationFailed) as caught:
        await running.run_apart("import", ImportRequest(document=b"{}"), Drafted)
    assert "takes more than" in str(caught.value.details)
