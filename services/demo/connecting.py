"""An instance that waits for somebody's consent, at the demo's own authorization server."""

from typing import Any

from models.integrations import IntegrationInstance
from services.context import Context
from services.demo.login import CLIENT_ID
from services.demo.rows import IDS, is_there, row
from services.demo.upstream import HOST, PATH
from services.inputs import read_input
from services.integrations.definitions.lifecycle import publish_integration_definition
from services.integrations.definitions.model import Definition
from services.integrations.definitions.registry import create_integration_definition, list_integration_definitions
from services.integrations.instances.registry import (
    NewInstance,
    create_integration_instance,
    delete_integration_instance,
)
from services.integrations.oauth2.landing import PATH as LANDING
from services.integrations.oauth2.redirects import add_integration_redirect, list_integration_redirects
from services.paging import OffsetRequest

NAME = "Demo login"
_USUAL_PORT = 8_000


def definition(port: int) -> dict[str, Any]:
    """Addresses are a part of a definition, so that each port has a version of its own."""
    base = f"http://{HOST}:{port}{PATH}/login"
    return {
        "name": NAME,
        "description": "An account at the demo's own authorization server",
        "version": f"1.0.{port}",
        "type": "http",
        "authType": "oauth2",
        "baseUrl": base,
        "oauth2Config": {
            "authorizationUrl": f"{base}/authorize",
            "tokenUrl": f"{base}/token",
            "clientId": CLIENT_ID,
            "clientAuthentication": "none",
        },
        "methods": [
            {
                "name": "getAccount",
                "description": "Whose account it is",
                "paramSchema": {"type": "object", "additionalProperties": False},
                "resultSchema": {"type": "object", "required": ["id", "name"]},
                "request": {"method": "GET", "path": "/account"},
                "examples": [{"response": {"body": {"id": "ada", "name": "Ada"}}}],
            }
        ],
        "verification": {"method": "getAccount"},
    }


async def add_login(context: Context) -> None:
    """The definition for this port, its instance, and where browsers may come back to."""
    port = context.runtime.settings.port
    there = {each["uri"] for each in await list_integration_redirects(context)}
    for uri in dict.fromkeys(f"http://127.0.0.1:{each}{LANDING}" for each in (port, _USUAL_PORT)):
        if uri not in there:
            await add_integration_redirect(context, uri)
    wanted = await _definition(context, port)
    if await is_there("instance_to_connect"):
        found = await IntegrationInstance.of(context.tenant).one(
            IntegrationInstance.definition, where=IntegrationInstance.id == IDS["instance_to_connect"]
        )
        if found is None or found["definition"] == wanted:
            return
        await delete_integration_instance(context, IDS["instance_to_connect"])
    with row("instance_to_connect"):
        await create_integration_instance(context, NewInstance(definition=wanted, name="Ada's account"))


async def _definition(context: Context, port: int) -> Any:
    request = OffsetRequest(per_page=100, descending=False, filters={"name": NAME})
    found = (await list_integration_definitions(context, request)).rows
    given = read_input(Definition, definition(port))
    known = next((each["id"] for each in found if each["semver"] == given.version), None)
    if known is not None:
        return known
    made = await create_integration_definition(context, given)
    await publish_integration_definition(context, made["id"])
    return made["id"]
