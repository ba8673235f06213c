"""What was executed, and the circuits of instances."""

from collections.abc import Mapping
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry

from graph.loaders import loader
from graph.relay import id_column
from graph.rows import column
from graph.scalars import DateTime
from services.context import Context
from services.integrations.execution.reading import get_integration_circuits


@strawberry.enum(description="How an execution ended.")
class IntegrationOutcome(Enum):
    SUCCESS = strawberry.enum_value("success", description="The method gave its result.")
    FAILED = strawberry.enum_value("failed", description="The other side failed, or its answer was of no use.")
    REFUSED = strawberry.enum_value("refused", description="It was refused here; the other side was not asked.")
    RUNNING = strawberry.enum_value("running", description="The other side is being asked to change something.")
    UNKNOWN = strawberry.enum_value(
        "unknown", description="The server ended meanwhile; the other side may have done what it was asked."
    )


@strawberry.enum(description="Whether a circuit lets calls through.")
class IntegrationCircuitState(Enum):
    CLOSED = strawberry.enum_value("closed", description="Calls go through.")
    OPEN = strawberry.enum_value("open", description="Calls are refused until `openUntil`.")
    HALF_OPEN = strawberry.enum_value("half_open", description="One call at a time finds out how the other side is.")


@strawberry.type(description="The circuit of an instance to one host; there is one once it has opened.")
class IntegrationCircuit:
    host: str = column(description="The host that is called.")
    state: IntegrationCircuitState = column(description="Whether calls go through.")
    openings: int = column(description="How often it opened since it was closed last.")
    opened_at: DateTime | None = column(description="When it opened last.")
    open_until: DateTime | None = column(description="Until when calls are refused; null where it is closed.")
    updated_at: DateTime = column(description="When it changed last.")


@strawberry.type(description="One call of a method, or a try that was refused; its parameters and result are not kept.")
class IntegrationExecution:
    id: strawberry.ID = id_column("IntegrationExecution")
    method: str = column(description="The method.")
    side_effect: str = column(description="read, write, delete or send.")
    outcome: IntegrationOutcome = column(description="How it ended.")
    code: str | None = column(description="The code of the error; null where there was none.")
    error: str | None = column(description="The error in words; null where there was none.")
    host: str | None = column(description="The host that was called; null where none was.")
    status_code: int | None = column(description="The status of the last answer; null where none came.")
    latency_ms: int = column(description="Milliseconds from the request to its end.")
    attempts: int = column(description="How often the other side was asked.")
    response_bytes: int | None = column(description="The size of the last answer; null where none came.")
    request_id: str = column(description="The request that asked for it.")
    actor_id: str = column(description="Who asked for it.")
    at: DateTime = column(description="When it began.")


async def _circuits_of(context: Context, instances: list[UUID]) -> Mapping[UUID, Any]:
    """The circuits of each of these instances."""
    found: dict[UUID, list[Any]] = {}
    for row in await get_integration_circuits(context, instances):
        found.setdefault(row["instance"], []).append(row)
    return found


CIRCUITS_OF = loader(_circuits_of)
