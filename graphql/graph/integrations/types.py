"""Definitions and instances as the control plane shows them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
import strawberry

from graph.edges import edge
from graph.integrations.enums import (
    IntegrationAuthentication,
    IntegrationCategory,
    IntegrationDefinitionStatus,
    IntegrationHealthStatus,
    IntegrationProtocol,
    IntegrationStatus,
)
from graph.integrations.executions import CIRCUITS_OF, IntegrationCircuit
from graph.loaders import loader
from graph.relay import Node, id_column, register_node
from graph.request import Info
from graph.requires import operation_field
from graph.rows import AbsentAsNull, column, field, json_text
from graph.scalars import JSON, DateTime
from services.context import Context
from services.integrations.definitions.registry import get_integration_definitions
from services.integrations.execution.reading import get_integration_circuits
from services.integrations.instances.configs import config_of
from services.integrations.instances.reading import get_integration_instances, get_integration_uses
from services.integrations.instances.references import references_of
from services.integrations.webhooks.endpoints import get_integration_endpoints


async def find_definitions(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    """The definitions that the tenant sees among these ids."""
    return {row["id"]: row for row in await get_integration_definitions(context, ids)}


async def find_instances(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    """The tenant's instances among these ids."""
    return {row["id"]: row for row in await get_integration_instances(context, ids)}


async def _endpoints_of(context: Context, instances: list[UUID]) -> Mapping[UUID, Any]:
    """The endpoint of each of these instances that receives webhooks."""
    return {row["instance"]: row for row in await get_integration_endpoints(context, instances)}


DEFINITIONS, INSTANCES, USES = loader(find_definitions), loader(find_instances), loader(get_integration_uses)
ENDPOINTS, REFERENCES = loader(_endpoints_of), loader(references_of)


def _methods(text: str) -> list[AbsentAsNull]:
    return [AbsentAsNull(method) for method in msgspec.json.decode(text)]


@strawberry.type(description="One thing that can be asked of an integration.")
class IntegrationMethod:
    name: str = column(description="Its name within the definition.")
    description: str | None = column(description="What it does.")
    side_effect: str | None = column(key="sideEffect", description="read, write, delete or send; null: by its request.")
    param_schema: JSON | None = column(key="paramSchema", description="The JSON Schema of its parameters.")
    result_schema: JSON | None = column(key="resultSchema", description="The JSON Schema of its result.")
    timeout_ms: int | None = column(key="timeoutMs", description="Milliseconds for a whole call; null for the default.")


@strawberry.type(description="What a definition says.")
class IntegrationContent:
    base_url: str | None = column(description="What the paths of its methods are below; null: the configuration says.")
    allowed_hosts: list[str] | None = column(
        convert=msgspec.json.decode, description="Hosts that it may call; null for the base URL's alone."
    )
    methods: list[IntegrationMethod] = column(convert=_methods, description="What can be asked of it.")
    config_schema: JSON | None = column(
        convert=json_text, description="The JSON Schema of an instance's configuration."
    )
    secrets_schema: JSON | None = column(
        convert=json_text, description="The JSON Schema of its secrets; null: by `authType`."
    )
    default_config: JSON | None = column(convert=json_text, description="What a configuration does not have to say.")
    webhook: JSON | None = column(convert=json_text, description="The webhooks that come in; null where none do.")


@strawberry.type(description="What can be connected. Its content is immutable once it is published.")
class IntegrationDefinition(Node):
    id: strawberry.ID = id_column("IntegrationDefinition")
    name: str = column(description="Its name; one name has many versions.")
    description: str = column(description="What it connects to.")
    version: str = column(key="semver", description="Its semantic version.")
    type: IntegrationProtocol = column(description="How it speaks.")
    category: IntegrationCategory = column(description="What it is for.")
    auth_type: IntegrationAuthentication = column(description="How its calls are authenticated.")
    status: IntegrationDefinitionStatus = column(description="Where it stands in its life.")
    built_in: bool = column(convert=bool, description="Whether it comes with the server, for every tenant.")
    created_at: DateTime = column(description="When it was made.")
    updated_at: DateTime = column(description="When it was changed last.")
    published_at: DateTime | None = column(description="When it was published; null for a draft.")
    revision: int = column(key="version", description="Grows with each change; guards against a lost update.")

    content: IntegrationContent | None = edge(
        get_integration_definitions, IntegrationContent | None, DEFINITIONS, description="What it says."
    )


@strawberry.type(description="What depends on an instance.")
class IntegrationUses:
    integrations: int = column(description="How many integrations take their credentials from it.")


@strawberry.type(description="Where the webhooks of an instance come in. Its URL was shown when it was made.")
class IntegrationEndpoint:
    hint: str = column(description="How the last part of the URL begins.")
    created_at: DateTime = column(description="When the first URL was made.")
    rotated_at: DateTime = column(description="When this URL was made.")
    last_received_at: DateTime | None = column(description="When a webhook came in last; null where none is kept.")
    previous_until: DateTime | None = column(
        description="Until when the previous secret holds too; null where none does."
    )


@strawberry.type(description="One connection of the tenant. Its secrets are never shown.")
class IntegrationInstance(Node):
    id: strawberry.ID = id_column("IntegrationInstance")
    name: str = column(description="What people call it.")
    status: IntegrationStatus = column(description="Where it stands; only a connected one can be called.")
    error: str | None = column(description="Why it is in an error; null where it is in none.")
    enabled: bool = column(description="Whether it may be called.")
    health_status: IntegrationHealthStatus = column(description="What the last checks found.")
    health_checked_at: DateTime | None = column(description="When it was checked last.")
    last_used_at: DateTime | None = column(description="When a method was called last.")
    last_connected_at: DateTime | None = column(description="When it became connected last.")
    created_at: DateTime = column(description="When it was made.")
    updated_at: DateTime = column(description="When it was changed last.")
    version: int = column(description="Grows with each change; guards against a lost update.")

    used_by: IntegrationUses | None = edge(
        get_integration_uses, IntegrationUses | None, USES, description="What depends on it; while it is, it stays."
    )
    circuits: list[IntegrationCircuit] = edge(
        get_integration_circuits,
        list[IntegrationCircuit],
        CIRCUITS_OF,
        many=True,
        description="Its circuits that ever opened, by host.",
    )
    definition: IntegrationDefinition | None = edge(
        get_integration_definitions,
        IntegrationDefinition | None,
        DEFINITIONS,
        key="definition",
        description="What it connects.",
    )
    webhook: IntegrationEndpoint | None = edge(
        get_integration_endpoints,
        IntegrationEndpoint | None,
        ENDPOINTS,
        description="Where its webhooks come in; null where none do.",
    )

    @field(
        "Where its secrets lie: `vault://VAULT/PATH#FIELD`, or `authref://store/ID` where they were given and lie "
        "here, sealed; null where it has none."
    )
    async def credential_ref(root: strawberry.Parent[Any], info: Info) -> str | None:
        found = await REFERENCES.load(info.context, root["id"])
        # One that was deleted just now is in no table.
        return found or root["credential_ref"]

    @operation_field(
        get_integration_definitions,
        JSON | None,
        description="Its configuration, without the values that are marked as secret; null where it has none.",
    )
    async def config(root: strawberry.Parent[Any], info: Info) -> Any:
        definition = await DEFINITIONS.load(info.context, root["definition"])
        return None if definition is None else config_of(root, definition)


register_node("IntegrationDefinition", find_definitions)
register_node("IntegrationInstance", find_instances)
