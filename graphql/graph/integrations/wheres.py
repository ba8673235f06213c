"""What the lists of integrations can be narrowed by, as typed expressions."""

from typing import Annotated, TypeAlias

import strawberry

from graph.comparisons import (
    AND,
    OR,
    BooleanComparison,
    Comparison,
    IdComparison,
    InstantComparison,
    IntComparison,
    TextComparison,
    member,
)
from graph.integrations.enums import (
    IntegrationAuthentication,
    IntegrationCategory,
    IntegrationDefinitionStatus,
    IntegrationDeliveryStatus,
    IntegrationHealthStatus,
    IntegrationProtocol,
    IntegrationStatus,
)
from graph.integrations.executions import IntegrationOutcome

DEFINITION_IDS = {"id": "IntegrationDefinition"}
INSTANCE_IDS = {"id": "IntegrationInstance", "definition": "IntegrationDefinition"}
DELIVERY_IDS = {"id": "IntegrationDelivery"}
EXECUTION_IDS = {"id": "IntegrationExecution"}


@strawberry.input(description="Which definitions: all members must hold.")
class IntegrationDefinitionWhere:
    and_: list["IntegrationDefinitionWhere"] | None = member(AND, "and")
    or_: list["IntegrationDefinitionWhere"] | None = member(OR, "or")
    id: IdComparison | None = member("Its id.")
    name: TextComparison | None = member("Its name.")
    description: TextComparison | None = member("What it connects to.")
    version: TextComparison | None = member("Its semantic version, as text.")
    type: Comparison[IntegrationProtocol] | None = member("How it speaks.")
    category: Comparison[IntegrationCategory] | None = member("What it is for.")
    auth_type: Comparison[IntegrationAuthentication] | None = member("How its calls are authenticated.")
    status: Comparison[IntegrationDefinitionStatus] | None = member("Where it stands in its life.")
    built_in: BooleanComparison | None = member("Whether it comes with the server.")
    created_at: InstantComparison | None = member("When it was made.")
    updated_at: InstantComparison | None = member("When it was changed last.")
    published_at: InstantComparison | None = member("When it was published; null for a draft.")


@strawberry.input(description="Which instances: all members must hold.")
class IntegrationInstanceWhere:
    and_: list["IntegrationInstanceWhere"] | None = member(AND, "and")
    or_: list["IntegrationInstanceWhere"] | None = member(OR, "or")
    id: IdComparison | None = member("Its id.")
    name: TextComparison | None = member("What people call it.")
    definition: IdComparison | None = member("The id of its definition.")
    type: TextComparison | None = member("The name of its definition.")
    category: Comparison[IntegrationCategory] | None = member("What its definition is for.")
    status: Comparison[IntegrationStatus] | None = member("Where it stands.")
    error: TextComparison | None = member("Why it is in an error; null where it is in none.")
    enabled: BooleanComparison | None = member("Whether it may be called.")
    health_status: Comparison[IntegrationHealthStatus] | None = member("What the last checks found.")
    health_checked_at: InstantComparison | None = member("When it was checked last; null: never.")
    last_used_at: InstantComparison | None = member("When a method was called last; null: never.")
    last_connected_at: InstantComparison | None = member("When it became connected last; null: never.")
    created_at: InstantComparison | None = member("When it was made.")
    updated_at: InstantComparison | None = member("When it was changed last.")


@strawberry.input(description="Which executions: all members must hold.")
class IntegrationExecutionWhere:
    and_: list["IntegrationExecutionWhere"] | None = member(AND, "and")
    or_: list["IntegrationExecutionWhere"] | None = member(OR, "or")
    id: IdComparison | None = member("Its id.")
    method: TextComparison | None = member("The method.")
    outcome: Comparison[IntegrationOutcome] | None = member("How it ended.")
    code: TextComparison | None = member("The code of the error; null where there was none.")
    error: TextComparison | None = member("The error in words; null where there was none.")
    host: TextComparison | None = member("The host that was called; null where none was.")
    status_code: IntComparison | None = member("The status of the last answer; null where none came.")
    latency_ms: IntComparison | None = member("Milliseconds from the request to its end.")
    attempts: IntComparison | None = member("How often the other side was asked.")
    response_bytes: IntComparison | None = member("The size of the last answer; null where none came.")
    request_id: TextComparison | None = member("The request that asked for it.")
    actor_id: TextComparison | None = member("Who asked for it.")
    at: InstantComparison | None = member("When it began.")


@strawberry.input(description="Which deliveries: all members must hold.")
class IntegrationDeliveryWhere:
    and_: list["IntegrationDeliveryWhere"] | None = member(AND, "and")
    or_: list["IntegrationDeliveryWhere"] | None = member(OR, "or")
    id: IdComparison | None = member("Its id.")
    event_type: TextComparison | None = member("The type of the event; null where its definition names none.")
    delivery_id: TextComparison | None = member("What its sender calls it; null where that has no name for it.")
    status: Comparison[IntegrationDeliveryStatus] | None = member("What became of it.")
    error: TextComparison | None = member("Which rules it breaks; null where it was accepted.")
    signed_at: InstantComparison | None = member("When it was signed; null where that is not signed.")
    digest: TextComparison | None = member("SHA-256 of what was signed, in hexadecimal.")
    size_bytes: IntComparison | None = member("The size of its body.")
    request_id: TextComparison | None = member("The request that brought it.")
    received_at: InstantComparison | None = member("When it came in.")


DefinitionWhere: TypeAlias = Annotated[
    IntegrationDefinitionWhere | None, strawberry.argument(description="Which definitions to list, as an expression.")
]
InstanceWhere: TypeAlias = Annotated[
    IntegrationInstanceWhere | None, strawberry.argument(description="Which instances to list, as an expression.")
]
ExecutionWhere: TypeAlias = Annotated[
    IntegrationExecutionWhere | None, strawberry.argument(description="Which executions to list, as an expression.")
]
DeliveryWhere: TypeAlias = Annotated[
    IntegrationDeliveryWhere | None, strawberry.argument(description="Which deliveries to list, as an expression.")
]
