"""The answers of the mutations of integrations."""

import strawberry

from graph.integrations.types import IntegrationDefinition, IntegrationInstance
from graph.problems import Problem
from graph.rows import column


@strawberry.type(description="A definition, or why not.")
class IntegrationDefinitionResult:
    definition: IntegrationDefinition | None = column(description="The definition; null where it was refused.")
    errors: list[Problem] = column(description="Why it was refused; empty where it was not.")


@strawberry.type(description="An instance, or why not.")
class IntegrationInstanceResult:
    instance: IntegrationInstance | None = column(description="The instance; null where it was refused.")
    errors: list[Problem] = column(description="Why it was refused; empty where it was not.")


@strawberry.type(description="The answer of `createIntegrationDefinition`.")
class CreateIntegrationDefinitionPayload(IntegrationDefinitionResult):
    pass


@strawberry.type(description="The answer of `updateIntegrationDefinition`.")
class UpdateIntegrationDefinitionPayload(IntegrationDefinitionResult):
    pass


@strawberry.type(description="The answer of `publishIntegrationDefinition`.")
class PublishIntegrationDefinitionPayload(IntegrationDefinitionResult):
    pass


@strawberry.type(description="The answer of `deprecateIntegrationDefinition`.")
class DeprecateIntegrationDefinitionPayload(IntegrationDefinitionResult):
    pass


@strawberry.type(description="The answer of `archiveIntegrationDefinition`.")
class ArchiveIntegrationDefinitionPayload(IntegrationDefinitionResult):
    pass


@strawberry.type(description="The answer of `createIntegrationInstance`.")
class CreateIntegrationInstancePayload(IntegrationInstanceResult):
    pass


@strawberry.type(description="The answer of `updateIntegrationInstance`.")
class UpdateIntegrationInstancePayload(IntegrationInstanceResult):
    pass


@strawberry.type(description="The answer of `deleteIntegrationInstance`.")
class DeleteIntegrationInstancePayload(IntegrationInstanceResult):
    pass


@strawberry.type(description="The answer of `setIntegrationCredentials`.")
class SetIntegrationCredentialsPayload(IntegrationInstanceResult):
    pass


@strawberry.type(description="The answer of `deleteIntegrationCredentials`.")
class DeleteIntegrationCredentialsPayload(IntegrationInstanceResult):
    pass
