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
from services.integrations.instances import (
    InstanceChange,
    NewInstance,
    create_integration_instance,
    update_integration_instance,
)
from services.integrations.instances.status import read_config
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
            "request": {"method": "GET", "path": "/{page}"},
        }
    ],
}


async def add_integration(context: Context) -> None:
    """The definition and its instance, unless they are there."""
    found = await list_integration_definitions(context, OffsetRequest(descending=False, filters={"name": NAME}))
    if found.rows:
        return
    made = await create_integration_definition(context, read_input(Definition, DEFINITION))
    await publish_integration_definition(context, made["id"])
    request = NewInstance(definition=made["id"], name=INSTANCE, config={"baseUrl": _ADDRESS})
    await create_integration_instance(context, request)


async def add_greetings(context: Context) -> None:
    """An instance of `generic.http` that calls the demo's own upstream, wherever this server is."""
    config = {"baseUrl": f"http://{HOST}:{context.runtime.settings.port}{PATH}"}
    if not await is_there("instance"):
        with row("instance"):
            await create_integration_instance(
                context, NewInstance(type="generic.http", name="Greetings", config=config)
            )
        return
    found = await IntegrationInstance.of(context.tenant).one(*_READ, where=IntegrationInstance.id == IDS["instance"])
    if found is not None and read_config(found) != config:
        await update_integration_instance(context, IDS["instance"], InstanceChange(config=config))


_READ = (IntegrationInstance.config,)
