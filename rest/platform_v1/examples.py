"""Bodies of the document's requests, by operation id: what the reference pages show; a test sends each of them."""

from typing import Any

_CONFIG = {"baseUrl": "https://api.example.org"}
_NAMED = {"name": "Weather", "config": _CONFIG}
_DEFINITION = {
    "name": "Weather API",
    "description": "Forecasts for a place",
    "version": "1.0.0",
    "type": "http",
    "authType": "api_key",
    "authConfig": {"in": "header", "name": "X-Weather-Key"},
    "baseUrl": "https://api.example.org",
    "methods": [
        {
            "name": "getForecast",
            "description": "The forecast for a place",
            "paramSchema": {
                "type": "object",
                "properties": {"place": {"type": "string", "minLength": 1}},
                "required": ["place"],
                "additionalProperties": False,
            },
            "request": {"method": "GET", "path": "/forecasts/{place}"},
        }
    ],
}
_DESCRIPTION = {
    "openapi": "3.1.0",
    "info": {"title": "Weather API", "version": "1.0.0"},
    "servers": [{"url": "https://api.example.org"}],
    "paths": {
        "/forecasts/{place}": {
            "get": {
                "operationId": "getForecast",
                "parameters": [{"name": "place", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "The forecast"}},
            }
        }
    },
}
_REDIRECT = "https://dashboard.example.org/connected"

BODIES: dict[str, Any] = {
    "create_integration": {"type": "generic.http", **_NAMED},
    "update_integration": _NAMED,
    "add_redirect": {"uri": _REDIRECT},
    "create_definition": _DEFINITION,
    "replace_definition": _DEFINITION,
    "import_definition": {"document": _DESCRIPTION},
    "create_instance": {"integrationDefinitionId": "01a1fbab-42c9-72f7-8850-3c30e52e7768", **_NAMED},
    "update_instance": _NAMED,
    "complete_authorization": {"state": "the-state-that-came-back", "code": "the-code-that-came-back"},
    "start_authorization": {"redirectUri": _REDIRECT},
    "set_credentials": {"credentials": {"apiKey": "the-key"}},
    "rotate_webhook_secret": {"overlapSeconds": 86_400},
    "receive_webhook": {"type": "order.paid", "data": {"id": 7}},
    "execute_method": {"parameters": {"path": "greetings"}},
    "discover_resources": {"resourceType": "repository"},
    "test_integration": {"timeoutSeconds": 10},
}
