"""Every route of `/api/v1` × (no credential, missing scope, wrong tenant): each refusal in the form of its dialect."""

from __future__ import annotations

from typing import Any

import pytest

from app.auth.scopes import Scope
from rest.platform_v1.errors import is_service
from rest.platform_v1.routes import ROUTES
from services.operations import declared
from tests.runtime.platform import Platform
from tests.services.integrations.samples import forge
from tests.world import World

pytestmark = pytest.mark.parity
CODES = {
    True: {"no credential": "UNAUTHORIZED", "missing scope": "FORBIDDEN", "foreign id": "INTEGRATION_NOT_FOUND"},
    False: {"no credential": "AUTH_TOKEN_MISSING", "missing scope": "PERM_DENIED", "foreign id": "RES_NOT_FOUND"},
}
#: What each route is sent, by its operation id, so that nothing but the row is wrong.
BODIES: dict[str, Any] = {
    "create_definition": forge(),
    "replace_definition": forge(),
    "add_redirect": {"uri": "https://new.example.org/"},
    "complete_authorization": {"state": "x", "code": "y"},
    "start_authorization": {"redirectUri": "https://a.example/"},
    "discover_resources": {"resourceType": "repositories"},
    "rotate_webhook_secret": {},
    "set_credentials": {"credentials": {"token": "t"}},
    "update_instance": {"name": "x"},
    "update_integration": {"name": "x"},
}
#: The query that a route must have; {} is the definition.
QUERIES = {"diff_definition": "?against={}"}


#: Asked by who holds no token: what they refuse is in tests/runtime/test_webhooks.py and test_webhook_challenges.py.
OPEN = {"receive_webhook", "answer_webhook_challenge"}


GUARDED = [route for route in ROUTES if route.operation_id not in OPEN]


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: str(route.operation_id))
async def test_a_route_refuses_as_its_operation_says(route: Any, world: World) -> None:
    """Without a token 401; with every scope but its own 403; a stranger finds no row."""
    platform = Platform(world)
    instance = await platform.instance()
    [path], [method] = route.paths, route.http_methods
    own = instance["id"] if "instances" in path or path.startswith("/integrations/{") else None
    path = path.replace("{id:str}", own or instance["integrationDefinitionId"])
    path += QUERIES.get(route.operation_id, "").format(instance["integrationDefinitionId"])
    said, body, operation = CODES[is_service(path)], BODIES.get(route.operation_id), declared(route.opt["operation"])

    answer = await world.client.request(method, f"/api/v1{path}", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, said["no credential"])

    others = sorted({str(scope) for scope in Scope} - {str(operation.scope)})
    narrow = Platform(world)
    narrow._token = world.token(permissions=others)
    await narrow.refused(403, said["missing scope"], method, path, body)

    stranger = Platform(await World(world.app, world.client).open())
    if "{id:str}" in next(iter(route.paths)):
        await stranger.refused(404, said["foreign id"], method, path, body)
    elif method == "GET":
        assert instance["id"] not in (await stranger.get(path)).text
