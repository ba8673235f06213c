"""What is wrong with a body: the field by its path, the rule in words, and in the envelope which kind of rule it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.runtime.platform import DEFINITIONS, INSTANCES, SECRETS, Platform
from tests.services.integrations.samples import forge
from tests.world import World

pytestmark = pytest.mark.runtime
_KINDS_OF_AUTHENTICATION = "api_key, basic, bearer, client_credentials, jwt, none, oauth2"


@pytest.mark.parametrize(
    ("changes", "path", "rule"),
    [
        ({"type": "soap"}, "type", "must be one of graphql, http, webhook"),
        ({"authType": "magic"}, "authType", f"must be one of {_KINDS_OF_AUTHENTICATION}"),
        ({"authType": 5}, "authType", "must be str, got int"),
        (
            {"methods": [{"name": "a", "request": {"method": "TRACE", "path": "/"}}]},
            "methods.0.request.method",
            "must be one of DELETE, GET, HEAD, PATCH, POST, PUT",
        ),
        ({"discover": {"tags": {"method": "a", "colour": 1}}}, "discover.*.colour", "is not a field here"),
        ({"discover": {"tags": 5}}, "discover.*", "must be object, got int"),
    ],
)
async def test_a_fault_names_its_field_and_the_rule(
    world: World, changes: dict[str, Any], path: str, rule: str
) -> None:
    error = await Platform(world).refused(400, "VALIDATION_ERROR", "POST", DEFINITIONS, forge(**changes))
    assert error["details"] == [{"path": path, "message": rule}]


async def test_a_member_of_a_map_has_a_path(world: World) -> None:
    platform = Platform(world)
    one = await platform.instance()
    error = await platform.refused(
        400, "VALIDATION_ERROR", "PUT", f"{INSTANCES}/{one['id']}/credentials", {"credentials": {"token": 1}}
    )
    assert error["details"] == [{"path": "credentials.*", "message": "must be str, got int"}]


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/{id}/test", {"timeoutSeconds": 0}, "VAL_RANGE"),
        ("/{id}/test", {"timeoutSeconds": 61}, "VAL_RANGE"),
        ("/{id}/test", {"timeoutSeconds": "10"}, "VAL_TYPE"),
        ("/{id}/discover", {"resourceType": "tags", "limit": 501}, "VAL_RANGE"),
        ("", {"name": "a\u0001b"}, "VAL_FORMAT"),
        ("", {"name": ""}, "VAL_LENGTH"),
        ("", {"name": "a" * 256}, "VAL_LENGTH"),
    ],
)
async def test_the_envelope_says_which_kind_of_rule_it_is(world: World, path: str, body: Any, kind: str) -> None:
    platform = Platform(world)
    one = await platform.instance()
    if not path:
        body |= {"integrationTypeId": one["integrationDefinitionId"], "config": {"organization": "a"}}
        body |= {"credentials": SECRETS}
    answer = await platform.ask("POST", "/integrations" + path.format(id=one["id"]), body)
    [fault] = answer.json()["error"]["validationErrors"]
    assert (answer.status_code, fault["code"]) == (400, kind), answer.text
