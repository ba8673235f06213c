"""Integrations, changed."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

import strawberry

from graph.integrations import payloads
from graph.integrations.inputs import (
    CreateIntegrationInstanceInput,
    DiscoverIntegrationResourcesInput,
    ExecuteIntegrationMethodInput,
    ImportChoiceInput,
    UpdateIntegrationInstanceInput,
    credentials_input,
)
from graph.integrations.queries import DefinitionId, InstanceId
from graph.relay import from_global_id
from graph.request import Info
from graph.requires import mutation_field
from graph.scalars import JSON
from services.inputs import read_input
from services.integrations.definitions import lifecycle, registry
from services.integrations.definitions.model import Definition
from services.integrations.execution import discovering, executing, health
from services.integrations.importing.converting import Choice
from services.integrations.importing.reading import ImportRequest
from services.integrations.importing.registry import import_integration_definition
from services.integrations.instances import credentials as held
from services.integrations.instances import registry as instances

Document: TypeAlias = Annotated[
    str, strawberry.argument(description="The definition as JSON text, as `/api/v1/integrations/definitions` takes it.")
]
OpenApi: TypeAlias = Annotated[
    str,
    strawberry.argument(
        description="The OpenAPI document, as JSON or YAML. What is larger than a request may be goes to "
        "`/api/v1/integrations/definitions/import`."
    ),
]
Revision: TypeAlias = Annotated[
    int | None, strawberry.argument(description="The revision that was read; an old one is refused.")
]
Create: TypeAlias = Annotated[CreateIntegrationInstanceInput, strawberry.argument(description="What to connect.")]
Update: TypeAlias = Annotated[UpdateIntegrationInstanceInput, strawberry.argument(description="What changes.")]
Discover: TypeAlias = Annotated[DiscoverIntegrationResourcesInput, strawberry.argument(description="What to look for.")]
Seconds: TypeAlias = Annotated[int, strawberry.argument(description="How long it may take, 1 to 60 seconds.")]
Execute: TypeAlias = Annotated[ExecuteIntegrationMethodInput, strawberry.argument(description="What to call.")]
Credentials: TypeAlias = Annotated[
    JSON | None, strawberry.argument(description="Secrets by name, as texts, in the place of all that there were.")
]
CredentialRef: TypeAlias = Annotated[
    str | None,
    strawberry.argument(
        description="Where the secrets lie, in the place of `credentials`: `vault://VAULT/PATH#FIELD`."
    ),
]


def _tested(made: health.Finding) -> Mapping[str, Any]:
    return {"success": made.success, "latency_ms": made.latency_ms, "message": made.message}


def _discovered(made: discovering.Discovered) -> Mapping[str, Any]:
    return {"resources": made.resources, "next_cursor": made.cursor}


def _executed(made: executing.Result) -> Mapping[str, Any]:
    return {"result": made.data, "next_cursor": made.cursor}


@strawberry.type
class IntegrationMutation:
    @mutation_field(registry.create_integration_definition, payloads.CreateIntegrationDefinitionPayload, "definition")
    async def create_integration_definition(self, info: Info, document: Document) -> Any:
        definition = read_input(Definition, document.encode())
        return await registry.create_integration_definition(info.context.context, definition)

    @mutation_field(import_integration_definition, payloads.ImportIntegrationDefinitionPayload, shape=payloads.imported)
    async def import_integration_definition(
        self,
        info: Info,
        document: OpenApi,
        choice: Annotated[
            ImportChoiceInput | None, strawberry.argument(description="Which operations; all where it is absent.")
        ] = None,
    ) -> Any:
        wanted = Choice() if choice is None else choice.request()
        request = ImportRequest(document=document.encode(), choice=wanted)
        return await import_integration_definition(info.context.context, request)

    @mutation_field(registry.update_integration_definition, payloads.UpdateIntegrationDefinitionPayload, "definition")
    async def update_integration_definition(
        self, info: Info, id: DefinitionId, document: Document, revision: Revision = None
    ) -> Any:
        wanted, definition = _definition(id), read_input(Definition, document.encode())
        return await registry.update_integration_definition(info.context.context, wanted, definition, revision)

    @mutation_field(
        lifecycle.publish_integration_definition, payloads.PublishIntegrationDefinitionPayload, "definition"
    )
    async def publish_integration_definition(self, info: Info, id: DefinitionId) -> Any:
        return await lifecycle.publish_integration_definition(info.context.context, _definition(id))

    @mutation_field(
        lifecycle.deprecate_integration_definition, payloads.DeprecateIntegrationDefinitionPayload, "definition"
    )
    async def deprecate_integration_definition(self, info: Info, id: DefinitionId) -> Any:
        return await lifecycle.deprecate_integration_definition(info.context.context, _definition(id))

    @mutation_field(
        lifecycle.archive_integration_definition, payloads.ArchiveIntegrationDefinitionPayload, "definition"
    )
    async def archive_integration_definition(self, info: Info, id: DefinitionId) -> Any:
        return await lifecycle.archive_integration_definition(info.context.context, _definition(id))

    @mutation_field(
        instances.create_integration_instance, payloads.CreateIntegrationInstancePayload, shape=payloads.connected
    )
    async def create_integration_instance(self, info: Info, input: Create) -> Any:
        return await instances.create_integration_instance(info.context.context, input.request())

    @mutation_field(instances.update_integration_instance, payloads.UpdateIntegrationInstancePayload, "instance")
    async def update_integration_instance(self, info: Info, input: Update) -> Any:
        return await instances.update_integration_instance(info.context.context, _instance(input.id), input.change())

    @mutation_field(instances.delete_integration_instance, payloads.DeleteIntegrationInstancePayload, "instance")
    async def delete_integration_instance(self, info: Info, id: InstanceId) -> Any:
        return await instances.delete_integration_instance(info.context.context, _instance(id))

    @mutation_field(held.set_integration_credentials, payloads.SetIntegrationCredentialsPayload, "instance")
    async def set_integration_credentials(
        self, info: Info, id: InstanceId, credentials: Credentials = None, credential_ref: CredentialRef = None
    ) -> Any:
        given = None if credentials is None else credentials_input(credentials)
        return await held.set_integration_credentials(info.context.context, _instance(id), given, credential_ref)

    @mutation_field(held.delete_integration_credentials, payloads.DeleteIntegrationCredentialsPayload, "instance")
    async def delete_integration_credentials(self, info: Info, id: InstanceId) -> Any:
        return await held.delete_integration_credentials(info.context.context, _instance(id))

    @mutation_field(
        executing.execute_integration_method, payloads.ExecuteIntegrationMethodPayload, shape=_executed, cost=20
    )
    async def execute_integration_method(self, info: Info, input: Execute) -> Any:
        wanted, request = _instance(input.id), input.request()
        return await executing.execute_integration_method(info.context.context, wanted, request)

    @mutation_field(health.test_integration_instance, payloads.TestIntegrationInstancePayload, shape=_tested, cost=20)
    async def test_integration_instance(self, info: Info, id: InstanceId, timeout_seconds: Seconds = 10) -> Any:
        return await health.test_integration_instance(info.context.context, _instance(id), timeout_seconds)

    @mutation_field(
        discovering.discover_integration_resources,
        payloads.DiscoverIntegrationResourcesPayload,
        shape=_discovered,
        cost=20,
    )
    async def discover_integration_resources(self, info: Info, input: Discover) -> Any:
        wanted, request = _instance(input.id), input.request()
        return await discovering.discover_integration_resources(info.context.context, wanted, request)


def _definition(text: str) -> Any:
    return from_global_id(text, "IntegrationDefinition")


def _instance(text: str) -> Any:
    return from_global_id(text, "IntegrationInstance")
