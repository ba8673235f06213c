"""Integrations, read."""

from enum import Enum
from typing import Annotated, Any, TypeAlias

import strawberry

from graph.comparisons import filter_of
from graph.connections import After, Before, Connection, First, Last, page_request
from graph.integrations.enums import (
    IntegrationCategory,
    IntegrationDefinitionStatus,
    IntegrationHealthStatus,
    IntegrationProtocol,
    IntegrationStatus,
)
from graph.integrations.executions import IntegrationExecution, IntegrationOutcome
from graph.integrations.types import DEFINITIONS, INSTANCES, IntegrationDefinition, IntegrationInstance
from graph.integrations.wheres import (
    DEFINITION_IDS,
    EXECUTION_IDS,
    INSTANCE_IDS,
    DefinitionWhere,
    ExecutionWhere,
    InstanceWhere,
)
from graph.relay import from_global_id
from graph.request import Info
from graph.requires import operation_field
from graph.sorting import Direction, SortDirection, filters_of, keyset, stored
from services.integrations.definitions.registry import get_integration_definitions, list_integration_definitions
from services.integrations.execution.reading import list_integration_executions
from services.integrations.instances.reading import get_integration_instances, list_integration_instances


@strawberry.enum(description="What definitions are sorted by.")
class IntegrationDefinitionSort(Enum):
    NAME = strawberry.enum_value("name", description="Their names, case-insensitive.")
    CATEGORY = strawberry.enum_value("category", description="What they are for.")
    CREATED_AT = strawberry.enum_value("created_at", description="When they were made.")
    UPDATED_AT = strawberry.enum_value("updated_at", description="When they were changed last.")
    PUBLISHED_AT = strawberry.enum_value("published_at", description="When they were published; drafts first.")


@strawberry.input(description="Which definitions: those that pass everything that is given.")
class IntegrationDefinitionFilter:
    q: str | None = strawberry.field(default=None, description="Part of the name or the description.")
    status: IntegrationDefinitionStatus | None = strawberry.field(default=None, description="In this status.")
    type: IntegrationProtocol | None = strawberry.field(default=None, description="That speak so.")
    category: IntegrationCategory | None = strawberry.field(default=None, description="For this.")
    name: str | None = strawberry.field(default=None, description="Of exactly this name.")


@strawberry.enum(description="What instances are sorted by.")
class IntegrationInstanceSort(Enum):
    NAME = strawberry.enum_value("name", description="Their names, case-insensitive.")
    CREATED_AT = strawberry.enum_value("created_at", description="When they were made.")
    UPDATED_AT = strawberry.enum_value("updated_at", description="When they were changed last.")
    TYPE = strawberry.enum_value("type", description="The names of their definitions, case-insensitive.")
    HEALTH_STATUS = strawberry.enum_value("health_status", description="In which health they are.")
    HEALTH_CHECKED_AT = strawberry.enum_value("health_checked_at", description="When they were checked last.")


@strawberry.input(description="Which instances: those that pass everything that is given.")
class IntegrationInstanceFilter:
    q: str | None = strawberry.field(default=None, description="Part of the name.")
    status: IntegrationStatus | None = strawberry.field(default=None, description="In this status.")
    definition: strawberry.ID | None = strawberry.field(default=None, description="Of this definition.")
    enabled: bool | None = strawberry.field(default=None, description="Enabled, or disabled.")
    health_status: IntegrationHealthStatus | None = strawberry.field(default=None, description="In this health.")


@strawberry.input(description="Which executions: those that pass everything that is given.")
class IntegrationExecutionFilter:
    instance: strawberry.ID | None = strawberry.field(default=None, description="Of this instance.")
    method: str | None = strawberry.field(default=None, description="Of this method.")
    outcome: IntegrationOutcome | None = strawberry.field(default=None, description="That ended so.")


ExecutionFilter: TypeAlias = Annotated[
    IntegrationExecutionFilter | None, strawberry.argument(description="Which executions to list.")
]
DefinitionFilter: TypeAlias = Annotated[
    IntegrationDefinitionFilter | None, strawberry.argument(description="Which definitions to list.")
]
DefinitionSort: TypeAlias = Annotated[IntegrationDefinitionSort, strawberry.argument(description="What to sort by.")]
InstanceFilter: TypeAlias = Annotated[
    IntegrationInstanceFilter | None, strawberry.argument(description="Which instances to list.")
]
InstanceSort: TypeAlias = Annotated[IntegrationInstanceSort, strawberry.argument(description="What to sort by.")]
DefinitionId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="The definition's id.")]
InstanceId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="The instance's id.")]

#: Fields of filters that are ids, with their types.
OF_INSTANCE, _DEFINITION = {"instance": "IntegrationInstance"}, {"definition": "IntegrationDefinition"}


@strawberry.type
class IntegrationQuery:
    @operation_field(list_integration_definitions, Connection[IntegrationDefinition] | None)
    async def integration_definitions(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        filter: DefinitionFilter = None,
        where: DefinitionWhere = None,
        sort: DefinitionSort = IntegrationDefinitionSort.NAME,
        direction: Direction = SortDirection.ASC,
    ) -> Any:
        order: Any = {"sort": stored(sort), "descending": direction.descending}
        wanted: Any = {"filters": filters_of(filter), "where": filter_of(where, DEFINITION_IDS)}
        request = page_request(first, last, after, before, **wanted, **order)
        return keyset(await list_integration_definitions(info.context.context, request))

    @operation_field(
        get_integration_definitions,
        IntegrationDefinition | None,
        description="One definition; null where there is none.",
    )
    async def integration_definition(self, info: Info, id: DefinitionId) -> Any:
        return await DEFINITIONS.load(info.context, from_global_id(id, "IntegrationDefinition"))

    @operation_field(list_integration_instances, Connection[IntegrationInstance] | None)
    async def integration_instances(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        filter: InstanceFilter = None,
        where: InstanceWhere = None,
        sort: InstanceSort = IntegrationInstanceSort.NAME,
        direction: Direction = SortDirection.ASC,
    ) -> Any:
        order: Any = {"sort": stored(sort), "descending": direction.descending}
        wanted: Any = {"filters": filters_of(filter, _DEFINITION), "where": filter_of(where, INSTANCE_IDS)}
        request = page_request(first, last, after, before, **wanted, **order)
        return keyset(await list_integration_instances(info.context.context, request))

    @operation_field(
        get_integration_instances, IntegrationInstance | None, description="One instance; null where there is none."
    )
    async def integration_instance(self, info: Info, id: InstanceId) -> Any:
        return await INSTANCES.load(info.context, from_global_id(id, "IntegrationInstance"))

    @operation_field(list_integration_executions, Connection[IntegrationExecution] | None)
    async def integration_executions(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        filter: ExecutionFilter = None,
        where: ExecutionWhere = None,
        direction: Direction = SortDirection.DESC,
    ) -> Any:
        wanted: Any = {"filters": filters_of(filter, OF_INSTANCE), "where": filter_of(where, EXECUTION_IDS)}
        request = page_request(first, last, after, before, descending=direction.descending, **wanted)
        return keyset(await list_integration_executions(info.context.context, request))
