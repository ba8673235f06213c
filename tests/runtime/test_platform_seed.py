"""The integration service's published examples, word for word: ids and instants are made, everything else is equal."""

from __future__ import annotations

import re
from typing import Any

import pytest

from models.integrations import IntegrationDefinition, IntegrationInstance
from tests.runtime.platform import DEFINITIONS, INSTANCES, Platform
from tests.world import World

pytestmark = pytest.mark.runtime
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_OAUTH2 = {
    "authorizationUrl": "https://github.com/login/oauth/authorize",
    "tokenUrl": "https://github.com/login/oauth/access_token",
    "scope": "repo,user",
}
_DEFAULTS = {"apiVersion": "v3", "baseUrl": "https://api.github.com"}
_GET_REPOSITORY = {
    "name": "getRepository",
    "description": "Get repository details",
    "paramSchema": {},
    "resultSchema": {},
    "rateLimits": {"requestsPerMinute": 30, "burstLimit": 5},
    "timeoutMs": 5000,
}
_CREATE_ISSUE = {
    "name": "createIssue",
    "description": "Create a new issue",
    "paramSchema": {},
    "resultSchema": {},
    "rateLimits": {"requestsPerMinute": 20, "burstLimit": 3},
    "timeoutMs": 7000,
}
DEFINITION: dict[str, Any] = {
    "name": "GitHub Integration",
    "description": "Integration with GitHub API",
    "version": "1.0.0",
    "type": "http",
    "authType": "oauth2",
    "methods": [_GET_REPOSITORY],
    "configSchema": {},
    "oauth2Config": _OAUTH2,
    "defaultConfig": _DEFAULTS,
}


def made_here(answer: dict[str, Any], *names: str) -> dict[str, Any]:
    """The answer without what the server makes, which has the form that it must have."""
    for name in names:
        assert _INSTANT.fullmatch(answer[name]) if name.endswith("At") else answer[name]
    return {name: value for name, value in answer.items() if name not in names}


async def published(platform: Platform, **changes: Any) -> str:
    """A definition as in the examples, whose methods say no request, in the state PUBLISHED."""
    made = await platform.ok("POST", DEFINITIONS, DEFINITION | changes, 201)
    values = {"status": "PUBLISHED", "published_at": 1_689_431_400_000}
    await (
        IntegrationDefinition.of(platform.tenant)
        .update(values)
        .where(IntegrationDefinition.name == (changes.get("name") or DEFINITION["name"]))
    )
    return str(made["id"])


async def test_create_definition(world: World) -> None:
    answer = await Platform(world).ok("POST", DEFINITIONS, DEFINITION, 201)
    assert made_here(answer, "id", "createdAt", "updatedAt") == DEFINITION | {"status": "DRAFT"}


async def test_get_definition(world: World) -> None:
    platform = Platform(world)
    definition = await published(platform, methods=[_GET_REPOSITORY, _CREATE_ISSUE])
    answer = await platform.ok("GET", f"{DEFINITIONS}/{definition}")
    assert made_here(answer, "createdAt", "updatedAt", "publishedAt") == DEFINITION | {
        "id": definition,
        "methods": [_GET_REPOSITORY, _CREATE_ISSUE],
        "status": "PUBLISHED",
    }


async def test_list_definitions(world: World) -> None:
    platform = Platform(world)
    slack = {"name": "Slack Integration", "description": "Integration with Slack API", "version": "1.1.0"}
    ids = [await published(platform), await published(platform, **slack)]
    answer = await platform.ok("GET", DEFINITIONS)
    names = ("name", "description", "version", "type", "authType")
    expected = [
        {"id": made, **{name: (DEFINITION | given)[name] for name in names}, "status": "PUBLISHED"}
        for made, given in zip(ids, ({}, slack), strict=True)
    ]
    assert [made_here(item, "updatedAt") for item in answer["items"] if item["id"] in ids] == expected
    assert answer["pagination"] == {"page": 1, "limit": 20, "total": len(answer["items"]), "pages": 1}
    assert set(answer) == {"items", "pagination"}


async def test_create_instance(world: World) -> None:
    platform = Platform(world)
    body = {
        "integrationDefinitionId": await published(platform),
        "name": "Company GitHub Integration",
        "config": {"organization": "companyorg", "apiVersion": "v3"},
    }
    answer = await platform.ok("POST", INSTANCES, body, 201)
    assert made_here(answer, "id", "createdAt", "updatedAt") == body | {"status": "PENDING_AUTHENTICATION"}


async def test_list_instances(world: World) -> None:
    platform = Platform(world)
    definition = await published(platform)
    names = ("Company GitHub Integration", "Team Slack Integration")
    made = [
        await platform.ok("POST", INSTANCES, {"integrationDefinitionId": definition, "name": name}, 201)
        for name in names
    ]
    values = {"status": "CONNECTED", "last_used_at": 1_693_398_896_000, "last_connected_at": 1_692_958_272_000}
    await IntegrationInstance.of(world.tenant).update(values).where(IntegrationInstance.status != "CONNECTED")
    answer = await platform.ok("GET", INSTANCES)
    assert [made_here(item, "updatedAt") for item in answer["items"]] == [
        {
            "id": each["id"],
            "integrationDefinitionId": definition,
            "name": name,
            "status": "CONNECTED",
            "lastUsedAt": "2023-08-30T12:34:56.000Z",
            "lastConnectedAt": "2023-08-25T10:11:12.000Z",
        }
        for each, name in zip(made, names, strict=True)
    ]
    assert answer["pagination"] == {"page": 1, "limit": 20, "total": 2, "pages": 1}


async def test_an_error_has_the_published_form(world: World) -> None:
    answer = await Platform(world).ask("POST", DEFINITIONS, DEFINITION | {"version": "one"}, X_Request_Id="req-123456")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert {name: error[name] for name in ("code", "requestId", "details")} == {
        "code": "VALIDATION_ERROR",
        "requestId": "req-123456",
        "details": [{"path": "version", "message": "must be a semantic version such as 1.0.0"}],
    }
    assert set(error) == {"code", "message", "details", "requestId", "kind", "canRetry"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_limits_are_those_that_are_published(world: World, method: str) -> None:
    """100 GETs a minute, 50 of what writes, for each user; the headers count down."""
    platform, quota = Platform(world), 100 if method == "GET" else 50
    path = DEFINITIONS if method in ("GET", "POST") else f"{INSTANCES}/none"
    answers = [await platform.ask(method, path) for _ in range(quota)]
    assert 429 not in [answer.status_code for answer in answers]
    assert [answers[0].headers[name] for name in ("X-RateLimit-Limit", "X-RateLimit-Remaining")] == [
        str(quota), str(quota - 1),
    ]  # fmt: skip
    extra = [await platform.ask(method, path) for _ in range(10)]
    refused = next(answer for answer in extra if answer.status_code == 429)
    assert refused.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert refused.headers["X-RateLimit-Remaining"] == "0" and int(refused.headers["Retry-After"]) >= 1
    assert (await Platform(world).ask(method, path)).status_code != 429
