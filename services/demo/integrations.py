"""An integration for the demo: a definition that can be connected, and one instance of it."""

from typing import Any

from models.integrations import IntegrationInstance
from services.context import Context
from services.demo.rows import IDS, is_there, row
from services.demo.upstream import HOST, PATH
from services.inputs import read_input
from services.integrations.definitions.lifecycle import publish_integration_definition
from services.integrations.definitions.model import Definition
from services.integrations.definitions.registry import create_integration_definition, list_integration_definitions
from services.integrations.instances.changing import InstanceChange
from services.integrations.instances.configs import masked_config
from services.integrations.instances.registry import (
    NewInstance,
    create_integration_instance,
    update_integration_instance,
)
from services.paging import OffsetRequest

NAME, INSTANCE = "Example API", "Example"
_ADDRESS = "https://example.org"
DEFINITION: dict[str, Any] = {
    "name": NAME,
    "description": "A small API, to show how an integration is described",
    "version": "1.0.0",
    "type": "http",
    "authType": "none",
    "configSchema": {
        "type": "object",
        "properties": {"baseUrl": {"type": "string", "format": "uri", "description": "Where the API is."}},
        "required": ["baseUrl"],
        "additionalProperties": False,
    },
    "methods": [
        {
            "name": "getPage",
            "description": "One page of the site",
            "paramSchema": {
                "type": "object",
                "properties": {"page": {"type": "string", "minLength": 1, "description": "The page's name."}},
                "required": ["page"],
                "additionalProperties": False,
            },
            "resultSchema": {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]},
            "request": {"method": "GET", "path": "/{page}"},
            "examples": [
                {"params": {"page": "hello"}, "response": {"body": {"title": "Hello"}}, "result": {"title": "Hello"}},
                {"params": {"page": "nowhere"}, "response": {"status": 404, "body": {"error": "no such page"}}},
            ],
        }
    ],
}
#: What a later version would be: a draft that asks for more than its version says, and is not described throughout.
_LATER = {"minLength": 3, "description": "The page's name, at least three characters."}


async def add_integration(context: Context) -> None:
    """The definition with its instance, and a draft of its next version, unless they are there."""
    found = await list_integration_definitions(context, OffsetRequest(descending=False, filters={"name": NAME}))
    if found.rows:
        return
    with row("definition"):
        made = await create_integration_definition(context, read_input(Definition, DEFINITION))
    await publish_integration_definition(context, made["id"])
    request = NewInstance(definition=made["id"], name=INSTANCE, config={"baseUrl": _ADDRESS})
    await create_integration_instance(context, request)
    with row("definition_to_review"):
        await create_integration_definition(context, read_input(Definition, _next_version()))


def _next_version() -> dict[str, Any]:
    method = DEFINITION["methods"][0]
    params = method["paramSchema"]
    stricter = params | {"properties": {"page": params["properties"]["page"] | _LATER}}
    added = {"name": "getIndex", "request": {"method": "GET", "path": "/"}}
    return DEFINITION | {"version": "1.1.0", "methods": [method | {"paramSchema": stricter}, added]}


async def add_greetings(context: Context) -> None:
    """An instance of `generic.http` that calls the demo's own upstream, wherever this server is."""
    config = {"baseUrl": f"http://{HOST}:{context.runtime.settings.port}{PATH}"}
    if not await is_there("instance"):
        with row("instance"):
            await create_integration_instance(
                context, NewInstance(type="generic.http", name="Greetings", config=config)
            )
        return
    table = IntegrationInstance
    found = await table.of(context.tenant).one(table.config, where=table.id == IDS["instance"])
    if found is not None and masked_config(found) != config:
        await update_integration_instance(context, IDS["instance"], InstanceChange(config=config))
