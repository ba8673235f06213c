"""What can be connected, what is connected, and the secrets, calls and circuits of each connection.

Instants are ms since the epoch. JSON is kept as text, as it was given. A `key_id` names the encryption key under which
the sealed columns of its row lie; see app.auth.encryption.
"""

from uuid import UUID

from piccolo.columns import UUID as UUIDColumn
from piccolo.columns import BigInt, Boolean, ForeignKey, Integer, Text, Varchar
from piccolo.columns.base import OnDelete

from models.tenancy import Rows, SharedRows, Tenant, TenantTable


class IntegrationDefinition(TenantTable, tablename="integration_definition"):
    """What can be connected; without a tenant it is built in, and every tenant sees it."""

    tenant = ForeignKey(references=Tenant, index=True, null=True, default=None)
    name = Varchar(length=200)
    description = Text(default="")
    search_text = Text(default="")
    semver = Varchar(length=64)
    type = Varchar(length=10)
    category = Varchar(length=16)
    auth_type = Varchar(length=20)
    base_url = Varchar(length=2000, null=True, default=None)
    allowed_hosts = Text(null=True, default=None)
    methods = Text(default="[]")
    config_schema = Text(null=True, default=None)
    secrets_schema = Text(null=True, default=None)
    auth_config = Text(null=True, default=None)
    oauth2_config = Text(null=True, default=None)
    default_config = Text(null=True, default=None)
    verification = Text(null=True, default=None)
    discover = Text(null=True, default=None)
    error_rules = Text(null=True, default=None)
    webhook = Text(null=True, default=None)
    status = Varchar(length=12)
    created_at = BigInt()
    updated_at = BigInt()
    published_at = BigInt(null=True, default=None)
    version = Integer(default=1)

    @classmethod
    def seen_by(cls, tenant: UUID) -> Rows:
        """The tenant's own definitions and the built-in ones; for reading."""
        return SharedRows(cls, tenant)


class IntegrationInstance(TenantTable, tablename="integration_instance"):
    """One connection of a tenant; `status` follows services.integrations.instances.

    `config` is what may be shown; with what is secret in it, `sealed_config` is the whole. `bound_to`, here of what
    `credential_ref` leads to, is where credentials may go: see services.integrations.instances.destinations.
    """

    definition = ForeignKey(references=IntegrationDefinition, index=True, null=False, on_delete=OnDelete.restrict)
    name = Varchar(length=255)
    search_text = Text(default="")
    config = Text(null=True, default=None)
    sealed_config = Text(null=True, default=None)
    key_id = Varchar(length=40, null=True, default=None, index=True)
    status = Varchar(length=24)
    error = Text(null=True, default=None)
    enabled = Boolean(default=True)
    credential_ref = Varchar(length=500, null=True, default=None)
    bound_to = Text(null=True, default=None)
    health_status = Varchar(length=10, default="unknown")
    health_message = Text(null=True, default=None)
    health_latency_ms = Integer(null=True, default=None)
    health_checked_at = BigInt(null=True, default=None)
    health_failures = Integer(default=0)
    health_history = Text(default="[]")
    next_check_at = BigInt(null=True, default=None)
    last_used_at = BigInt(null=True, default=None)
    last_connected_at = BigInt(null=True, default=None)
    created_at = BigInt()
    updated_at = BigInt()
    version = Integer(default=1)


class IntegrationSecret(TenantTable, tablename="integration_secret"):
    """One secret of an instance by its name; `value` is sealed. One that was rotated out is good until `expires_at`."""

    instance = ForeignKey(references=IntegrationInstance, index=True, null=False, on_delete=OnDelete.cascade)
    name = Varchar(length=100)
    value = Text()
    bound_to = Text(null=True, default=None)
    key_id = Varchar(length=40, index=True)
    created_at = BigInt()
    updated_at = BigInt()
    expires_at = BigInt(null=True, default=None, index=True)


class IntegrationToken(TenantTable, tablename="integration_token"):
    """What an authorization server gave an instance; both tokens are sealed.

    Whoever refreshes holds the lease until `lease_until`, and writes only where `version` is the one it read.
    """

    instance = ForeignKey(references=IntegrationInstance, null=False, unique=True, on_delete=OnDelete.cascade)
    access_token = Text()
    refresh_token = Text(null=True, default=None)
    bound_to = Text(null=True, default=None)
    key_id = Varchar(length=40, index=True)
    token_type = Varchar(length=20, default="Bearer")
    scope = Text(null=True, default=None)
    obtained_at = BigInt()
    expires_at = BigInt(null=True, default=None)
    refresh_at = BigInt(null=True, default=None, index=True)
    failures = Integer(default=0)
    lease_owner = Varchar(length=64, null=True, default=None)
    lease_until = BigInt(null=True, default=None)
    version = Integer(default=1)


class IntegrationOauthState(TenantTable, tablename="integration_oauth_state"):
    """An authorization that was begun; of its state only the SHA-256 is kept, and the PKCE verifier is sealed."""

    instance = ForeignKey(references=IntegrationInstance, index=True, null=False, on_delete=OnDelete.cascade)
    digest = Varchar(length=64, unique=True)
    caller = Varchar(length=255)
    redirect_uri = Varchar(length=2000)
    verifier = Text(null=True, default=None)
    bound_to = Text(null=True, default=None)
    key_id = Varchar(length=40, null=True, default=None, index=True)
    scope = Text(null=True, default=None)
    created_at = BigInt()
    expires_at = BigInt(index=True)


class IntegrationRedirect(TenantTable, tablename="integration_redirect"):
    """A redirect URI that a tenant's authorizations may come back to."""

    uri = Varchar(length=2000)
    created_at = BigInt()


class IntegrationExecution(TenantTable, tablename="integration_execution"):
    """One call of a method, or a try of it that was refused; nothing in it is secret. Kept for a time.

    While a call that may change something elsewhere runs, `running_until` is when it has surely ended.
    """

    instance = ForeignKey(references=IntegrationInstance, null=False, on_delete=OnDelete.cascade)
    method = Varchar(length=128)
    side_effect = Varchar(length=8)
    outcome = Varchar(length=10)
    code = Varchar(length=60, null=True, default=None)
    error = Text(null=True, default=None)
    host = Varchar(length=255, null=True, default=None)
    status_code = Integer(null=True, default=None)
    latency_ms = Integer()
    attempts = Integer(default=0)
    response_bytes = Integer(null=True, default=None)
    request_id = Varchar(length=128)
    actor_kind = Varchar(length=16)
    actor_id = Varchar(length=255)
    surface = Varchar(length=10)
    running_until = BigInt(null=True, default=None)
    at = BigInt(index=True)


class IntegrationCircuit(TenantTable, tablename="integration_circuit"):
    """The circuit of an instance to one upstream host, as it is to be found again after a restart.

    `window` is JSON: calls and failures of the last minute. Who probes a half-open one holds it until `probe_until`.
    """

    instance = ForeignKey(references=IntegrationInstance, index=True, null=False, on_delete=OnDelete.cascade)
    host = Varchar(length=255)
    state = Varchar(length=10)
    window = Text(default="[]")
    consecutive_failures = Integer(default=0)
    successes = Integer(default=0)
    openings = Integer(default=0)
    opened_at = BigInt(null=True, default=None)
    open_until = BigInt(null=True, default=None)
    probe_owner = Varchar(length=64, null=True, default=None)
    probe_until = BigInt(null=True, default=None)
    updated_at = BigInt()
    version = Integer(default=1)


class IntegrationEndpoint(TenantTable, tablename="integration_endpoint"):
    """Where the webhooks of an instance come in; of the token in its URL the SHA-256 is kept, and how it begins."""

    instance = ForeignKey(references=IntegrationInstance, null=False, unique=True, on_delete=OnDelete.cascade)
    digest = Varchar(length=64, unique=True)
    hint = Varchar(length=20)
    created_at = BigInt()
    rotated_at = BigInt()


class IntegrationDelivery(TenantTable, tablename="integration_delivery"):
    """A webhook whose signature held: known by `digest` of what was signed, and by the sender's own id for it.

    The payload is sealed, and goes at `payload_expires_at`; what a replay is known by stays until `expires_at`.
    """

    instance = ForeignKey(references=IntegrationInstance, null=False, on_delete=OnDelete.cascade)
    digest = Varchar(length=64)
    delivery_id = Varchar(length=255, null=True, default=None)
    event_type = Varchar(length=200, null=True, default=None)
    status = Varchar(length=10)
    error = Text(null=True, default=None)
    scheme = Varchar(length=12)
    signed_at = BigInt(null=True, default=None)
    headers = Text(default="{}")
    payload = Text(null=True, default=None)
    key_id = Varchar(length=40, null=True, default=None, index=True)
    size_bytes = Integer(default=0)
    request_id = Varchar(length=128)
    received_at = BigInt()
    payload_expires_at = BigInt(null=True, default=None, index=True)
    expires_at = BigInt(index=True)


class IdempotencyRecord(TenantTable, tablename="idempotency_record"):
    """A POST with an Idempotency-Key of one caller, and its answer, which is sealed."""

    caller = Varchar(length=255)
    key = Varchar(length=255)
    method = Varchar(length=8)
    path = Varchar(length=500)
    body_digest = Varchar(length=64)
    status = Varchar(length=8)
    answer_status = Integer(null=True, default=None)
    answer_headers = Text(null=True, default=None)
    answer_body = Text(null=True, default=None)
    key_id = Varchar(length=40, null=True, default=None, index=True)
    owner = UUIDColumn(null=True, default=None)
    leased_until = BigInt(null=True, default=None)
    created_at = BigInt()
    expires_at = BigInt(index=True)
