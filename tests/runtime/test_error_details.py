"""What details of an error are called on the platform: camelCase, as everything there."""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec
import pytest

from app.errors import REGISTRY, DomainError, IntegrationFailed, InvalidTransition
from rest.platform_v1.errors import body_at, is_service
from tests.runtime.platform import DEFINITIONS, Platform
from tests.world import World

ROOT = Path(__file__).parents[2]
_PATHS = (DEFINITIONS, "/integrations")


def raised_with() -> set[str]:
    """Every member that an error is raised with, anywhere in the services."""
    kinds = {kind.__name__ for kind in REGISTRY.values()} - {IntegrationFailed.__name__}
    calls = [
        node
        for path in (ROOT / "services").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds
    ]
    return {word.arg for call in calls for word in call.keywords if word.arg is not None}


@pytest.mark.parametrize("path", _PATHS)
def test_every_member_is_in_camel_case(path: str) -> None:
    names = raised_with()
    assert {"allowed_from", "required_scope", "status"} <= names
    error = InvalidTransition("No.", **dict.fromkeys(names, 1))
    details = msgspec.json.decode(body_at(path, "req_1", error))["error"]["details"]
    assert len(details) == len(names)
    assert {"allowedFrom", "requiredScope", "status"} <= set(details)
    assert not [name for name in details if "_" in name]


@pytest.mark.parametrize("path", _PATHS)
def test_what_a_member_holds_is_left_alone(path: str) -> None:
    """The answer of another side has names of its own."""
    error: DomainError = IntegrationFailed(status_code=500, response={"error_code": {"sub_code": 1}})
    details = msgspec.json.decode(body_at(path, "req_1", error))["error"]["details"]
    assert details == {"statusCode": 500, "response": {"error_code": {"sub_code": 1}}}


@pytest.mark.runtime
@pytest.mark.parametrize("path", _PATHS)
async def test_of_a_scope_that_is_missing(path: str, world: World) -> None:
    code = "FORBIDDEN" if is_service(path) else "PERM_DENIED"
    error = await Platform(world, "viewer").refused(403, code, "POST", path, {})
    assert error["details"]["requiredScope"] == "integrations.write"
    assert set(error["details"]) == {"requiredScope", "grantedScopes"}


@pytest.mark.runtime
async def test_of_a_step_that_is_not_allowed(world: World) -> None:
    platform = Platform(world)
    made = await platform.definition()
    error = await platform.refused(409, "CONFLICT", "POST", f"{DEFINITIONS}/{made['id']}/publish")
    assert error["details"] == {"status": "PUBLISHED", "allowedFrom": ["DRAFT"]}
