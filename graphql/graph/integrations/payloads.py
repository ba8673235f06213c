"""The answers of the mutations of integrations."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import strawberry

from graph.integrations.types import IntegrationDefinition, IntegrationInstance
from graph.problems import Problem
from graph.rows import column
from graph.scalars import JSON
from services.integrations.importing.registry import Imported
from services.integrations.instances.endpoints import IssuedWebhook


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


@strawberry.enum(description="What a finding means for its operation.")
class ImportEffect(Enum):
    LEFT_OUT = strawberry.enum_value("left_out", description="There is no method for the operation.")
    UNTYPED = strawberry.enum_value("untyped", description="A part of the method is open, or cannot be given.")
    NOTE = strawberry.enum_value("note", description="The method is whole; this was decided on the way.")


@strawberry.type(description="What an import tells of one operation, or of the document.")
class ImportFinding:
    effect: ImportEffect = column(description="What it means.")
    operation: str = column(description="`GET /path`; empty for the document.")
    method: str | None = column(description="The method's name, where there is one.")
    where: str = column(description="The part that it is about.")
    reason: str = column(description="Why.")


@strawberry.type(description="How many operations became methods, and what could not be typed.")
class ImportReport:
    operations: int = column(description="How many were chosen.")
    typed: int = column(description="Became methods that are typed throughout.")
    partial: int = column(description="Became methods of which a part is not typed.")
    left_out: int = column(description="Became no methods.")
    findings: list[ImportFinding] = column(description="What was found, in the order of the document.")


@strawberry.type(description="The answer of `importIntegrationDefinition`: a draft, and what could not be typed.")
class ImportIntegrationDefinitionPayload(IntegrationDefinitionResult):
    report: ImportReport | None = column(description="What is to be told; null where it was refused.")


def imported(found: Imported) -> Mapping[str, Any]:
    """The members of the answer."""
    return {"definition": found.definition, "report": found.report}


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
    webhook_url: str | None = column(description="Where its webhooks come in, shown this once; null where none do.")
    signing_secret: str | None = column(
        description="The secret to sign webhooks with, shown this once; null where one was given, or none come in."
    )


def connected(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The members of the answer, with what was made just now."""
    made: IssuedWebhook | None = row.get("issued")
    shown = {"instance": row, "webhook_url": None, "signing_secret": None}
    return shown if made is None else shown | {"webhook_url": made.url, "signing_secret": made.signing_secret}


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


@strawberry.type(description="The answer of `executeIntegrationMethod`.")
class ExecuteIntegrationMethodPayload:
    result: JSON | None = column(description="What the method gave; null where it was refused or failed.")
    next_cursor: str | None = column(description="The cursor of the next page; null after the last, and without pages.")
    errors: list[Problem] = column(description="Why it was refused or failed; empty where it was not.")


@strawberry.type(description="The answer of `testIntegrationInstance`.")
class TestIntegrationInstancePayload:
    success: bool | None = column(description="Whether it answered as it should; null where the test was refused.")
    latency_ms: int | None = column(description="Milliseconds that it took.")
    message: str | None = column(description="What was found, in words.")
    errors: list[Problem] = column(description="Why the test was refused; a connection that failed is none.")


@strawberry.type(description="Something on the other side.")
class IntegrationResource:
    id: str = column(description="Its id there.")
    name: str = column(description="Its name there.")
    type: str = column(description="What it is.")
    metadata: JSON = column(description="What else is told of it.")


@strawberry.type(description="The answer of `discoverIntegrationResources`.")
class DiscoverIntegrationResourcesPayload:
    resources: list[IntegrationResource] | None = column(description="What was found; null where it was refused.")
    next_cursor: str | None = column(description="The cursor of the next page; null after the last.")
    errors: list[Problem] = column(description="Why it was refused or failed; empty where it was not.")
