"""What can be told of a definition with nobody called: faults, examples, and what another version takes away."""

from enum import Enum
from typing import Annotated, Any, TypeAlias

import strawberry

from graph.integrations.queries import DefinitionId
from graph.relay import from_global_id
from graph.request import Info
from graph.requires import operation_field
from graph.rows import column
from services.integrations.reviewing import registry

#: A review reads a whole definition, in a process of its own.
_COST = 20


@strawberry.enum(description="How bad a finding of a lint is.")
class IntegrationLintSeverity(Enum):
    ERROR = strawberry.enum_value("error", description="The definition would be refused.")
    WARNING = strawberry.enum_value("warning", description="A careful author would not leave it so.")


@strawberry.enum(description="A step of a semantic version.")
class IntegrationVersionStep(Enum):
    NONE = strawberry.enum_value("none", description="The same version.")
    PATCH = strawberry.enum_value("patch", description="1.0.0 to 1.0.1.")
    MINOR = strawberry.enum_value("minor", description="1.0.0 to 1.1.0.")
    MAJOR = strawberry.enum_value("major", description="1.0.0 to 2.0.0.")


@strawberry.enum(description="What a difference means for those who use the older version.")
class IntegrationDiffVerdict(Enum):
    BREAKING = strawberry.enum_value("breaking", description="Something that worked works no longer.")
    UNKNOWN = strawberry.enum_value("unknown", description="It cannot be told.")
    NOTICE = strawberry.enum_value("notice", description="Nothing breaks.")


@strawberry.type(description="What is wrong with a definition, or missing.")
class IntegrationLint:
    severity: IntegrationLintSeverity = column(description="How bad it is.")
    rule: str = column(description="Which rule; its name is stable.")
    path: str = column(description="Where.")
    message: str = column(description="What is wrong.")


@strawberry.type(description="What a lint of a definition says.")
class IntegrationLintReport:
    items: list[IntegrationLint] = column(description="Errors first; at most 1,000.")
    errors: int = column(description="How many errors there are.")
    warnings: int = column(description="How many warnings there are.")


@strawberry.type(description="One example of a method, played with nobody called.")
class IntegrationExampleRun:
    method: str = column(description="The method.")
    example: int = column(description="Which of its examples, counted from 0.")
    request: str | None = column(description="The request that it makes; null where none can be made.")
    code: str | None = column(description="The code of the error that the recorded answer is.")
    fault: str | None = column(description="What does not hold; null where it does.")


@strawberry.type(description="What the examples of a definition do.")
class IntegrationTestReport:
    items: list[IntegrationExampleRun] = column(description="What does not hold first; at most 1,000.")
    held: int = column(description="How many hold.")
    failed: int = column(description="How many do not.")


@strawberry.type(description="One difference between two versions of a definition.")
class IntegrationDifference:
    verdict: IntegrationDiffVerdict = column(description="What it means for those who use the older one.")
    rule: str = column(description="Which rule; its name is stable.")
    method: str = column(description="The method; empty for the definition itself.")
    where: str = column(description="The part that it is about.")
    message: str = column(description="What is different.")


@strawberry.type(description="What a version of a definition takes from those who use another one.")
class IntegrationDiffReport:
    items: list[IntegrationDifference] = column(description="The most severe first; at most 1,000.")
    total: int = column(description="How many there are.")
    needed: IntegrationVersionStep = column(description="The least step of the version for these differences.")
    made: IntegrationVersionStep = column(description="The step that was taken.")
    honest: bool = column(description="Whether that is enough.")


Against: TypeAlias = Annotated[
    strawberry.ID, strawberry.argument(description="The definition that its users have now.")
]


@strawberry.type
class IntegrationReviewQuery:
    @operation_field(registry.lint_integration_definition, IntegrationLintReport | None, absent=True, cost=_COST)
    async def integration_definition_lint(self, info: Info, id: DefinitionId) -> Any:
        return await registry.lint_integration_definition(info.context.context, _definition(id))

    @operation_field(registry.rehearse_integration_definition, IntegrationTestReport | None, absent=True, cost=_COST)
    async def integration_definition_test(self, info: Info, id: DefinitionId) -> Any:
        return await registry.rehearse_integration_definition(info.context.context, _definition(id))

    @operation_field(registry.diff_integration_definitions, IntegrationDiffReport | None, absent=True, cost=_COST)
    async def integration_definition_diff(self, info: Info, id: DefinitionId, against: Against) -> Any:
        wanted, base = _definition(id), from_global_id(against, "IntegrationDefinition", "against")
        return await registry.diff_integration_definitions(info.context.context, wanted, base)


def _definition(text: str) -> Any:
    return from_global_id(text, "IntegrationDefinition")
