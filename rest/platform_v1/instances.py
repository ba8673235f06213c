"""`/integrations/instances`: what is connected, and its credentials, which no answer ever shows."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath

from app.clock import iso
from app.errors import IntegrationTypeUnknown, NotFound
from rest.platform_v1 import PREFIX, queries, shapes
from rest.platform_v1.definitions import listed
from rest.platform_v1.entry import Asked, body_of, context_of, expected_version
from rest.platform_v1.routing import Words, nothing, route, sent
from services.context import Context
from services.inputs import read_input
from services.integrations.instances.changing import InstanceChange
from services.integrations.instances.configs import shown_config
from services.integrations.instances.credentials import delete_integration_credentials, set_integration_credentials
from services.integrations.instances.endpoints import IssuedWebhook
from services.integrations.instances.reading import get_integration_instance, list_integration_instances
from services.integrations.instances.references import references_of
from services.integrations.instances.registry import (
    NewInstance,
    create_integration_instance,
    delete_integration_instance,
    update_integration_instance,
)
from services.integrations.webhooks.endpoints import endpoints_of

_BASE = "/integrations/instances"
_ONE = f"{_BASE}/{{id:str}}"


@route(
    "GET",
    _BASE,
    list_integration_instances,
    Words("list_instances", "Instances", "What the tenant has connected."),
)
async def list_instances(
    request: Asked,
    page: queries.Page = 1,
    limit: queries.Limit = 20,
    search: queries.Search = "",
    status: queries.InstanceStatus = None,
    definition: queries.DefinitionId = None,
) -> Response[shapes.InstancePage]:
    # An id of another form is the id of no definition.
    wanted = None if definition is None else queries.uuid_or_none(definition) or UUID(int=0)
    asked = queries.listing(page, limit, search, status=status, definition=wanted)
    return listed(asked, await list_integration_instances(context_of(request), asked), _summary)


@route(
    "GET",
    _ONE,
    get_integration_instance,
    Words("get_instance", "One instance", "Never with its secrets. `ETag` is its version for `If-Match`."),
)
async def get_instance(request: Asked, id: FromPath[str]) -> Response[shapes.InstanceAnswer]:
    return await _sent(context_of(request), await get_integration_instance(context_of(request), instance_id(id)))


@route(
    "POST",
    _BASE,
    create_integration_instance,
    Words(
        "create_instance",
        "Connect an integration",
        "A configuration that does not fit is refused; one that is left out can follow, and so can the credentials.",
    ),
    status=201,
    body=shapes.InstanceCreation,
)
async def create_instance(request: Asked) -> Response[shapes.InstanceAnswer]:
    given = msgspec.structs.asdict(read_input(shapes.InstanceCreation, await body_of(request)))
    definition = queries.uuid_or_none(given.pop("integration_definition_id"))
    if definition is None:
        raise IntegrationTypeUnknown
    made = await create_integration_instance(context_of(request), NewInstance(definition=definition, **given))
    return await _sent(context_of(request), made, 201)


@route(
    "PUT",
    _ONE,
    update_integration_instance,
    Words("update_instance", "Change an instance", "What is left out stays. A valid configuration moves it on."),
    body=shapes.InstanceReplacement,
)
async def update_instance(request: Asked, id: FromPath[str]) -> Response[shapes.InstanceAnswer]:
    given = msgspec.structs.asdict(read_input(shapes.InstanceReplacement, await body_of(request)))
    change = InstanceChange(**given, version=expected_version(request))
    context = context_of(request)
    return await _sent(context, await update_integration_instance(context, instance_id(id), change))


@route(
    "DELETE",
    _ONE,
    delete_integration_instance,
    Words("delete_instance", "Delete an instance", "With its secrets and the record of its calls."),
    status=204,
)
async def delete_instance(request: Asked, id: FromPath[str]) -> Response[None]:
    await delete_integration_instance(context_of(request), instance_id(id), version=expected_version(request))
    return nothing()


@route(
    "PUT",
    f"{_ONE}/credentials",
    set_integration_credentials,
    Words("set_credentials", "Set the credentials", "Secrets by name, in the place of all that there were."),
    body=shapes.CredentialsBody,
)
async def set_credentials(request: Asked, id: FromPath[str]) -> Response[shapes.InstanceAnswer]:
    given, context = read_input(shapes.CredentialsBody, await body_of(request)), context_of(request)
    found = await set_integration_credentials(
        context, instance_id(id), given.credentials, given.credential_ref, version=expected_version(request)
    )
    return await _sent(context, found)


@route(
    "DELETE",
    f"{_ONE}/credentials",
    delete_integration_credentials,
    Words("delete_credentials", "Delete the credentials", "With what an authorization server gave."),
    status=204,
)
async def delete_credentials(request: Asked, id: FromPath[str]) -> Response[None]:
    await delete_integration_credentials(context_of(request), instance_id(id), version=expected_version(request))
    return nothing()


def instance_id(text: str) -> UUID:
    """The id of the path. Raises NotFound for a text that is the id of nothing."""
    found = queries.uuid_or_none(text)
    if found is None:
        raise NotFound("There is no such integration instance.")
    return found


def _summary(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = {
        "id": str(row["id"]),
        "integrationDefinitionId": str(row["definition"]),
        "name": row["name"],
        "status": row["status"],
        "updatedAt": iso(row["updated_at"]),
    }
    instants = {"lastUsedAt": row["last_used_at"], "lastConnectedAt": row["last_connected_at"]}
    shown |= {name: iso(at) for name, at in instants.items() if at is not None}
    return shown | ({"error": row["error"]} if row["error"] is not None else {})


async def _sent(context: Context, row: Mapping[str, Any], status: int = 200) -> Response[Any]:
    shown = _summary(row) | {"createdAt": iso(row["created_at"])}
    config = await shown_config(context, row)
    if config is not None:
        shown["config"] = config
    reference = (await references_of(context, [row["id"]])).get(row["id"])
    if reference is not None:
        shown["credentialRef"] = reference
    if not row["enabled"]:
        shown["enabled"] = False
    webhook = await webhook_of(context, row)
    if webhook is not None:
        shown["webhook"] = webhook
    location = f"{PREFIX}{_BASE}/{row['id']}" if status == 201 else None
    return sent(shown, status, row["version"], location)


async def webhook_of(context: Context, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is shown of the endpoint of an instance; with what was made just now, and never again."""
    found = await endpoints_of(context, [row["id"]])
    if not found:
        return None
    one = found[0]
    instants = {
        "urlRotatedAt": one["rotated_at"],
        "lastReceivedAt": one["last_received_at"],
        "previousSecretUntil": one["previous_until"],
    }
    shown = {"urlHint": one["hint"], **{name: iso(at) for name, at in instants.items() if at is not None}}
    return (issued(row["issued"]) if "issued" in row else {}) | shown


def issued(made: IssuedWebhook) -> dict[str, Any]:
    """What was made anew, in the one answer that shows it."""
    until = None if made.previous_until is None else iso(made.previous_until)
    found = {"url": made.url, "signingSecret": made.signing_secret, "previousSecretUntil": until}
    return {name: value for name, value in found.items() if value is not None}


ROUTES = [
    list_instances, get_instance, create_instance, update_instance, delete_instance, set_credentials,
    delete_credentials,
]  # fmt: skip
