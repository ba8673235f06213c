"""Definitions for tests: a whole one that can be published, and changes of it."""

from __future__ import annotations

import copy
from typing import Any

FORGE: dict[str, Any] = {
    "name": "Forge",
    "description": "A forge of code",
    "version": "1.0.0",
    "type": "http",
    "category": "scm",
    "authType": "bearer",
    "baseUrl": "https://api.forge.example",
    "allowedHosts": ["api.forge.example", "*.forge.example"],
    "methods": [
        {
            "name": "getRepository",
            "description": "One repository",
            "paramSchema": {
                "type": "object",
                "properties": {"owner": {"type": "string"}, "repo": {"type": "string"}},
                "required": ["owner", "repo"],
                "additionalProperties": False,
            },
            "resultSchema": {"type": "object", "required": ["id"]},
            "request": {"method": "GET", "path": "/repos/{owner}/{repo}"},
            "rateLimits": {"requestsPerMinute": 30, "burstLimit": 5},
            "timeoutMs": 5000,
            "examples": [
                {
                    "params": {"owner": "ada", "repo": "engine"},
                    "response": {"body": {"id": 1}},
                    "result": {"id": 1},
                }
            ],
        }
    ],
    "configSchema": {
        "type": "object",
        "properties": {
            "organization": {"type": "string", "minLength": 1},
            "token": {"type": "string", "x-secret": True},
        },
        "required": ["organization"],
        "additionalProperties": False,
    },
    "verification": {"method": "getRepository", "params": {"owner": "ada", "repo": "engine"}},
}


def forge(**changes: Any) -> dict[str, Any]:
    """The definition with members replaced; None takes one away."""
    made = copy.deepcopy(FORGE) | changes
    return {name: value for name, value in made.items() if value is not None}


def with_method(**changes: Any) -> dict[str, Any]:
    """The definition with members of its one method replaced; None takes one away."""
    method = {name: value for name, value in (forge()["methods"][0] | changes).items() if value is not None}
    return forge(methods=[method])
