"""The platform's document: refusals by name in the right dialect, and nothing where nothing comes."""

import json
from collections import Counter
from typing import Any

import jsonschema_rs
import pytest

from app.errors import REGISTRY
from rest.contracts.documents import snapshot
from rest.platform_v1.errors import is_service
from rest.platform_v1.routes import ROUTES
from services.integrations.connectors.loading import load_built_ins
from services.operations import declared
from tests.runtime.platform import Platform
from tests.runtime.webhooks import sender
from tests.world import World

DOCUMENT = json.loads(snapshot("platform", "v1"))
OPERATIONS = {
    said["operationId"]: (path, said) for path, methods in DOCUMENT["paths"].items() for said in methods.values()
}


def refusals(said: Any) -> dict[str, Any]:
    """Example by code."""
    return {
        code: (int(status), example["value"])
        for status, answer in said["responses"].items()
        for content in answer.get("content", {}).values()
        for code, example in content.get("examples", {}).items()
    }


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: str(route.operation_id))
def test_each_operation_names_what_it_refuses(route: Any) -> None:
    """All that it declares and what the way in refuses; each example has the status and form of its place."""
    path, said = OPERATIONS[route.operation_id]
    found = refusals(said)
    operation = declared(route.opt["operation"])
    way_in = {"internal_error"} if route.opt.get("open") else {"internal_error", "unauthenticated"}
    assert {kind.code for kind in operation.raises} | way_in <= found.keys()
    assert route.opt.get("open") is None or "unauthenticated" not in found
    schema = "ServiceError" if is_service(path) else "EnvelopeError"
    judge = jsonschema_rs.validator_for(
        {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    )
    for code, (status, example) in found.items():
        judge.validate(example)
        assert code in REGISTRY
        assert f"`{example['error']['code']}`" in said["responses"][str(status)]["description"]


def test_what_has_no_body_has_no_content() -> None:
    deleted = [said["responses"]["204"] for _, said in OPERATIONS.values() if "204" in said["responses"]]
    assert deleted and all("content" not in answer for answer in deleted)


def test_names_are_unique() -> None:
    """Of operations; and no schema is called like another of its title."""
    assert len(OPERATIONS) == len(ROUTES)
    titles = Counter(schema.get("title", name) for name, schema in DOCUMENT["components"]["schemas"].items())
    assert [name for name, count in titles.items() if count > 1] == []


SHOWN = {
    name: (path, said["requestBody"]["content"]["application/json"]["example"])
    for name, (path, said) in OPERATIONS.items()
    if "requestBody" in said
}
#: Nothing listens there, so that no test calls what the examples name.
NOBODY = {"config": {"baseUrl": "http://127.0.0.1:9"}}
#: What was not begun before, what this integration is not, and nobody to answer.
REFUSED = {
    "complete_authorization": "state: is not that of an authorization which you have begun",
    "start_authorization": "not authorized by OAuth2",
    "discover_resources": "cannot list resources of this type",
    "execute_method": "no connection could be made",
}


async def path_of(name: str, platform: Platform) -> str:
    """The address of an operation, with the ids of what is made from the other examples."""
    path: str = SHOWN[name][0]
    definition = (await platform.ok("POST", "/integrations/definitions", SHOWN["create_definition"][1], 201))["id"]
    if "/definitions/{id}" in path:
        return path.replace("{id}", definition)
    await platform.ok("POST", f"/integrations/definitions/{definition}/publish")
    if name == "rotate_webhook_secret":
        return path.replace("{id}", (await sender(platform)).made["id"])
    if name == "set_credentials":
        given = {"integrationDefinitionId": definition, "name": "Weather"}
        made = await platform.ok("POST", "/integrations/instances", given, 201)
    else:
        made = await platform.ok("POST", "/integrations", SHOWN["create_integration"][1] | NOBODY, 201)
    return path.replace("{id}", made.get("id") or made["data"]["id"]).replace("{name}", "get")


async def test_the_webhook_that_is_shown_is_taken(world: World) -> None:
    """Signed, at an endpoint of a definition that receives."""
    body = json.dumps(SHOWN["receive_webhook"][1]).encode()
    assert (await (await sender(Platform(world))).taken(body))[0] == "ACCEPTED"


@pytest.mark.parametrize("name", [name for name in SHOWN if name != "receive_webhook"])
async def test_each_body_that_is_shown_can_be_sent(name: str, world: World) -> None:
    """As the reference pages have it; where it is refused, then not for what it says."""
    await load_built_ins(world.runtime.database, world.runtime.clock)
    platform, body = Platform(world), SHOWN[name][1]
    path = await path_of(name, platform)
    if name == "create_instance":
        found = (await platform.ok("GET", "/integrations/definitions?search=Weather%20API"))["items"]
        body = body | {"integrationDefinitionId": found[0]["id"], "name": "Another"}
    elif name in ("create_definition", "import_definition", "create_integration"):
        body = body | {"name": "Another"}
    method = next(kind for kind, said in DOCUMENT["paths"][OPERATIONS[name][0]].items() if said["operationId"] == name)
    answer = await platform.ask(method.upper(), path, body)
    if name in REFUSED:
        assert REFUSED[name] in answer.json()["error"]["message"]
    else:
        assert answer.is_success, answer.text
