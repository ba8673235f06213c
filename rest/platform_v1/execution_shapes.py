"""The bodies of executions, tests, discoveries and health, as the platform's document describes them."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from rest.platform_v1.shapes import AnswerMeta, HealthStatus, Instant, PageCounts


class _Shape(msgspec.Struct, rename="camel"):
    pass


class ExecutionBody(_Shape, kw_only=True, forbid_unknown_fields=True):
    """`cursor` is the `nextCursor` of an earlier answer; `all` gathers the items of all pages, up to a bound."""

    parameters: dict[str, Any] = {}
    cursor: str | None = None
    all: bool = False


class ExecutionAnswer(_Shape, kw_only=True):
    """`data` is the method's result; `nextCursor` is there where the method has pages, and null after the last."""

    status: Literal["SUCCESS"]
    data: Any
    next_cursor: str | UnsetType | None = UNSET


class ExecutionEntry(_Shape, kw_only=True):
    """One call of a method, or a try that was refused; neither its parameters nor its result are kept."""

    id: str
    method: str
    side_effect: Literal["read", "write", "delete", "send"]
    outcome: Literal["success", "failed", "refused", "running", "unknown"]
    code: str | None
    error: str | None
    host: str | None
    status_code: int | None
    latency_ms: int
    attempts: int
    response_bytes: int | None
    request_id: str
    actor: str
    surface: str
    at: Instant


class ExecutionPage(_Shape):
    items: list[ExecutionEntry]
    pagination: PageCounts


class TestBody(_Shape, forbid_unknown_fields=True):
    timeout_seconds: Annotated[int, Meta(ge=1, le=60)] = 10


class ConnectionTest(_Shape):
    """A connection that failed is `success` false: the test itself ran."""

    success: bool
    latency_ms: int
    message: str
    checked_at: Instant
    details: dict[str, Any]


class TestEnvelope(_Shape):
    success: Literal[True]
    data: ConnectionTest
    meta: AnswerMeta


class Resource(_Shape):
    id: str
    name: str
    type: str
    metadata: dict[str, Any]


class DiscoveredResources(_Shape):
    resource_type: str
    resources: list[Resource]
    next_cursor: str | None
    discovered_at: Instant


class DiscoveryEnvelope(_Shape):
    success: Literal[True]
    data: DiscoveredResources
    meta: AnswerMeta


class HealthCheck(_Shape):
    checked_at: Instant
    status: HealthStatus
    latency_ms: int | None


class IntegrationHealth(_Shape):
    status: HealthStatus
    message: str | None
    last_checked_at: Instant | None
    latency_ms: int | None
    consecutive_failures: int
    history: list[HealthCheck]


class HealthEnvelope(_Shape):
    success: Literal[True]
    data: IntegrationHealth
    meta: AnswerMeta
