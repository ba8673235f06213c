"""The bodies of the platform's answers, as its document describes them. Instants are ISO 8601, UTC."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Instant = Annotated[str, Meta(description="ISO 8601, UTC, with milliseconds.")]
DefinitionStatus = Literal["DRAFT", "PUBLISHED", "DEPRECATED", "ARCHIVED"]
InstanceStatus = Literal[
    "PENDING_CONFIGURATION", "PENDING_AUTHENTICATION", "CONNECTED", "DISCONNECTED", "AUTH_ERROR", "CONFIG_ERROR"
]
HealthStatus = Literal["healthy", "degraded", "unhealthy", "unknown"]


class _Shape(msgspec.Struct, rename="camel"):
    pass


# --- the integration service -----------------------------------------------------------------------------


class ServiceProblem(_Shape, kw_only=True):
    """`details` is a list of `{path, message}` where rules were broken, else an object; `kind` is the finer code."""

    code: str
    message: str
    details: Any
    kind: str
    can_retry: bool
    request_id: str
    retry_after_ms: int | UnsetType = UNSET


class ServiceError(_Shape):
    error: ServiceProblem


class PageCounts(_Shape):
    page: int
    limit: int
    total: int
    pages: int


class DefinitionSummary(_Shape):
    id: str
    name: str
    description: str
    version: str
    type: str
    auth_type: str
    status: DefinitionStatus
    updated_at: Instant


class DefinitionPage(_Shape):
    items: list[DefinitionSummary]
    pagination: PageCounts


class DefinitionAnswer(_Shape, kw_only=True):
    """A definition as it was written, and where it stands in its life."""

    id: str
    name: str
    description: str
    version: str
    type: str
    category: str | UnsetType = UNSET
    auth_type: str
    base_url: str | UnsetType = UNSET
    allowed_hosts: list[str] | UnsetType = UNSET
    methods: list[dict[str, Any]]
    config_schema: dict[str, Any] | UnsetType = UNSET
    secrets_schema: dict[str, Any] | UnsetType = UNSET
    auth_config: dict[str, Any] | UnsetType = UNSET
    oauth2_config: dict[str, Any] | UnsetType = msgspec.field(default=UNSET, name="oauth2Config")
    default_config: dict[str, Any] | UnsetType = UNSET
    verification: dict[str, Any] | UnsetType = UNSET
    discover: dict[str, Any] | UnsetType = UNSET
    error_rules: list[dict[str, Any]] | UnsetType = UNSET
    webhook: dict[str, Any] | UnsetType = UNSET
    created_at: Instant
    updated_at: Instant
    published_at: Instant | UnsetType = UNSET
    status: DefinitionStatus


class DefinitionImport(_Shape, kw_only=True, forbid_unknown_fields=True):
    """An OpenAPI document, as an object or as text of JSON or YAML; and which of its operations are wanted."""

    document: dict[str, Any] | str
    tags: list[str] = []
    operations: list[str] = []
    name: str | None = None
    version: str | None = None
    security: str | None = None


class ImportFinding(_Shape, kw_only=True):
    """`operation` is `GET /path`, empty for the document; `left_out`: there is no method for it."""

    effect: Literal["left_out", "untyped", "note"]
    operation: str
    method: str | None
    where: str
    reason: str


class ImportReport(_Shape, kw_only=True):
    """`operations` were chosen; `partial` have a part that is not typed."""

    operations: int
    typed: int
    partial: int
    left_out: int
    findings: list[ImportFinding]


class ImportedAnswer(_Shape, kw_only=True):
    definition: DefinitionAnswer
    report: ImportReport


class InstanceSummary(_Shape, kw_only=True):
    id: str
    integration_definition_id: str
    name: str
    status: InstanceStatus
    error: str | UnsetType = UNSET
    last_used_at: Instant | UnsetType = UNSET
    last_connected_at: Instant | UnsetType = UNSET
    updated_at: Instant


class InstancePage(_Shape):
    items: list[InstanceSummary]
    pagination: PageCounts


class WebhookEndpoint(_Shape, kw_only=True):
    """Where webhooks come in: `url` and `signingSecret`, where it was made here, in the answer that made them alone.

    `urlHint` is how the URL's last part begins. The previous secret holds until `previousSecretUntil`.
    """

    url: str | UnsetType = UNSET
    signing_secret: str | UnsetType = UNSET
    url_hint: str | UnsetType = UNSET
    url_rotated_at: Instant | UnsetType = UNSET
    last_received_at: Instant | UnsetType = UNSET
    previous_secret_until: Instant | UnsetType = UNSET


class InstanceAnswer(_Shape, kw_only=True):
    """An instance; `enabled` is told where it is not. Values that the schema marks as secret are masked."""

    id: str
    integration_definition_id: str
    name: str
    status: InstanceStatus
    error: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    config: dict[str, Any] | UnsetType = UNSET
    credential_ref: str | UnsetType = UNSET
    created_at: Instant
    updated_at: Instant
    last_used_at: Instant | UnsetType = UNSET
    last_connected_at: Instant | UnsetType = UNSET
    webhook: WebhookEndpoint | UnsetType = UNSET


class InstanceCreation(_Shape, kw_only=True, forbid_unknown_fields=True):
    """`credentials` are secrets by name, which no answer shows; `credentialRef` says where they lie instead."""

    integration_definition_id: str
    name: str
    config: dict[str, Any] | None = None
    credentials: dict[str, str] | None = None
    credential_ref: str | None = None
    enabled: bool = True


class InstanceReplacement(_Shape, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays; `config` replaces all that there was, and so does one of the other two."""

    name: str | UnsetType = UNSET
    config: dict[str, Any] | UnsetType | None = UNSET
    credentials: dict[str, str] | UnsetType = UNSET
    credential_ref: str | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


class CredentialsBody(_Shape, forbid_unknown_fields=True):
    """Secrets by name, or where they lie; exactly one, in the place of what there was."""

    credentials: dict[str, str] | None = None
    credential_ref: str | None = None


# --- the platform's envelope -----------------------------------------------------------------------------


class AnswerMeta(_Shape):
    request_id: str
    timestamp: Instant


class BrokenRule(_Shape):
    field: str
    message: str
    code: str


class EnvelopeProblem(_Shape, kw_only=True):
    code: str
    message: str
    details: dict[str, Any] | UnsetType = UNSET
    validation_errors: list[BrokenRule] | UnsetType = UNSET


class EnvelopeError(_Shape):
    success: Literal[False]
    error: EnvelopeProblem
    meta: AnswerMeta


class EnvelopePagination(_Shape):
    page: int
    page_size: int
    total_items: int
    total_pages: int
    has_next: bool
    has_previous: bool


class ListMeta(_Shape):
    pagination: EnvelopePagination
    request_id: str
    timestamp: Instant


class IntegrationType(_Shape, kw_only=True):
    """A published definition; `configSchema` and `secretsSchema` drive the form."""

    id: str
    name: str
    display_name: str
    description: str
    version: str
    category: str
    auth_type: str
    config_schema: dict[str, Any] | None
    secrets_schema: dict[str, Any]
    capabilities: list[Literal["test", "discover", "webhook"]]
    resource_types: list[str]
    is_builtin: bool
    created_at: Instant


class TypesPage(_Shape):
    success: Literal[True]
    data: list[IntegrationType]
    meta: ListMeta


class TypeAnswer(_Shape):
    success: Literal[True]
    data: IntegrationType
    meta: AnswerMeta


class Integration(_Shape, kw_only=True):
    """An instance, as the release orchestrator knows it. Values that the schema marks as secret are masked."""

    id: str
    tenant_id: str
    type: str
    integration_type_id: str
    name: str
    config: dict[str, Any] | None
    credential_ref: str | None
    enabled: bool
    status: InstanceStatus
    error: str | None
    health_status: HealthStatus
    last_health_check: Instant | None
    last_health_message: str | None
    version: int
    created_at: Instant
    updated_at: Instant
    webhook: WebhookEndpoint | UnsetType = UNSET


class IntegrationUses(_Shape):
    """What depends on an integration: `integrations` take their credentials from it."""

    integrations: int


class IntegrationDetail(Integration, kw_only=True):
    used_by: IntegrationUses


class IntegrationsPage(_Shape):
    success: Literal[True]
    data: list[Integration]
    meta: ListMeta


class IntegrationEnvelope(_Shape):
    success: Literal[True]
    data: Integration
    meta: AnswerMeta


class IntegrationDetailEnvelope(_Shape):
    success: Literal[True]
    data: IntegrationDetail
    meta: AnswerMeta


class IntegrationCreation(_Shape, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of `type` (a name) and `integrationTypeId`; at most one of `credentials` and `credentialRef`.

    Of `credentials` answers show where they lie, and never what they are.
    """

    type: str | None = None
    integration_type_id: str | None = None
    name: str
    config: dict[str, Any]
    credentials: dict[str, str] | None = None
    credential_ref: str | None = None
    enabled: bool = True


class IntegrationChange(_Shape, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays; `type` may be repeated, and never changes."""

    name: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    config: dict[str, Any] | UnsetType = UNSET
    credentials: dict[str, str] | UnsetType = UNSET
    credential_ref: str | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
