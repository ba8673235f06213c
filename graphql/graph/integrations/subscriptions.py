"""Integrations, listened to."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any

import strawberry

from graph.audit.subscriptions import Lagged
from graph.edges import edge
from graph.integrations.enums import IntegrationStatus
from graph.integrations.executions import IntegrationOutcome
from graph.integrations.listening import live_messages
from graph.integrations.stream import instance_messages
from graph.integrations.types import INSTANCES, IntegrationInstance
from graph.relay import from_global_id
from graph.request import Info
from graph.requires import subscription_field
from graph.rows import AbsentAsNull, column
from graph.scalars import DateTime
from services.integrations.execution.intents import EXECUTED, FAILED
from services.integrations.execution.reading import list_integration_executions
from services.integrations.instances.reading import get_integration_instances, list_integration_instances

Since = Annotated[
    DateTime | None,
    strawberry.argument(description="Tell first of the instances that changed after this; from now on where absent."),
]
Definition = Annotated[strawberry.ID | None, strawberry.argument(description="Of this definition alone.")]


@strawberry.type(description="A change of an instance's status.")
class IntegrationInstanceEvent:
    name: str = column(description="What people call the instance.")
    previous: IntegrationStatus | None = column(
        description="The status before; null for a new instance, and for what changed before the stream began."
    )
    status: IntegrationStatus = column(description="The status since then.")
    error: str | None = column(description="Why it is in an error; null where it is in none.")
    version: int = column(description="The instance's version; a gap says that something was missed.")
    at: DateTime = column(description="When it changed.")
    instance: IntegrationInstance | None = edge(
        get_integration_instances,
        IntegrationInstance | None,
        INSTANCES,
        key="instance_id",
        description="The instance as it is now; null where it is gone.",
    )


@strawberry.type(description="One message of a stream of instances: an event or a notice.")
class IntegrationInstanceMessage:
    event: IntegrationInstanceEvent | None = column(description="The event; null in a notice.")
    lagged: Lagged | None = column(description="The notice; null with an event.")


@strawberry.type(description="An execution of a method that has ended.")
class IntegrationExecutionEvent:
    method: str = column(description="The method.")
    side_effect: str = column(description="read, write, delete or send.")
    outcome: IntegrationOutcome = column(description="How it ended.")
    code: str | None = column(description="The code of the error; null where there was none.")
    error: str | None = column(description="The error in words; null where there was none.")
    status_code: int | None = column(description="The status of the last answer; null where none came.")
    latency_ms: int = column(description="Milliseconds from the request to its end.")
    attempts: int = column(description="How often the other side was asked.")
    request_id: str = column(description="The request that asked for it.")
    at: DateTime = column(description="When it began.")
    instance: IntegrationInstance | None = edge(
        get_integration_instances,
        IntegrationInstance | None,
        INSTANCES,
        key="instance_id",
        description="The instance as it is now; null where it is gone.",
    )


@strawberry.type(description="One message of a stream of executions: an event or a notice.")
class IntegrationExecutionMessage:
    event: IntegrationExecutionEvent | None = column(description="The event; null in a notice.")
    lagged: Lagged | None = column(description="The notice; null with an event.")


Instance = Annotated[strawberry.ID | None, strawberry.argument(description="Of this instance alone.")]


@strawberry.type
class IntegrationSubscription:
    @subscription_field(
        list_integration_instances,
        IntegrationInstanceMessage,
        description="Each change of the status of the tenant's instances. To resume, give the last `at` as `since`.",
    )
    async def integration_instance_events(
        self, info: Info, since: Since = None, definition: Definition = None
    ) -> AsyncGenerator[Any, None]:
        wanted = None if definition is None else from_global_id(definition, "IntegrationDefinition", "definition")
        async for message in instance_messages(info.context.context, since, wanted, info.context.listening):
            yield AbsentAsNull(message)

    @subscription_field(
        list_integration_executions,
        IntegrationExecutionMessage,
        description="Each execution of a method as it ends. What was missed is in `integrationExecutions`.",
    )
    async def integration_execution_events(self, info: Info, instance: Instance = None) -> AsyncGenerator[Any, None]:
        wanted = None if instance is None else from_global_id(instance, "IntegrationInstance", "instance")
        kinds = (EXECUTED, FAILED)
        async for message in live_messages(info.context.context, wanted, kinds, info.context.listening):
            yield AbsentAsNull(message)
