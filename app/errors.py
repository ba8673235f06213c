"""Domain errors: one small hierarchy with a stable code, a sentence to act on, and typed details.

Each surface turns a code into its own form; nothing here knows a surface. Every code has a page
under docs/errors/ (a test compares the two).
"""

from collections.abc import Mapping
from typing import Any, ClassVar

REGISTRY: dict[str, type["DomainError"]] = {}


class DomainError(Exception):
    """An expected refusal. `code` is stable for ever; `status` is the HTTP status where there is one."""

    code: ClassVar[str]
    status: ClassVar[int]
    text: ClassVar[str]
    #: The audit action that a refusal of this kind writes; None where it is no denial.
    denial: ClassVar[str | None] = None

    def __init__(self, message: str | None = None, /, **details: Any) -> None:
        self.message = message or self.text
        self.details: Mapping[str, Any] | None = details or None
        super().__init__(self.message)

    def __init_subclass__(cls) -> None:
        if "code" in cls.__dict__:
            if cls.code in REGISTRY:
                raise TypeError(f"error code {cls.code!r} is declared twice")
            REGISTRY[cls.code] = cls


# --- 400: what was sent is not right -----------------------------------------------------------


class ValidationFailed(DomainError):
    """One or more fields break a rule; `details` maps each field to the rule in words."""

    code, status, text = "validation_failed", 400, "One or more fields are not valid."

    def __init__(self, fields: Mapping[str, str], message: str | None = None) -> None:
        super().__init__(message or "; ".join(f"{field}: {rule}" for field, rule in fields.items()) or None)
        self.details = dict(fields)


class InvalidQueryParameters(ValidationFailed):
    code, status, text = "invalid_query_parameters", 400, "Invalid query parameters"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(fields, self.text)


class MalformedBody(DomainError):
    code, status, text = "malformed_body", 400, "The body is not valid JSON."


class IntegrationConfigInvalid(ValidationFailed):
    """A configuration or secrets that the definition's schema refuses; `details` maps each path to the rule."""

    code, status, text = "integration_config_invalid", 400, "The configuration does not fit the integration."


class UnknownScope(DomainError):
    code, status, text = "unknown_scope", 400, "A scope is not one of those a credential can hold."


class QueryRefused(DomainError):
    code, status, text = "query_refused", 400, "The GraphQL document cannot be run."


class QueryTooComplex(DomainError):
    code, status, text = "query_too_complex", 400, "The GraphQL document is over a limit."


class DocumentNotTrusted(DomainError):
    code, status, text = "document_not_trusted", 400, "Only documents of the manifest are accepted here."


# --- 401: who are you ----------------------------------------------------------------------------


class Unauthenticated(DomainError):
    code, status, text = "unauthenticated", 401, "This needs a bearer token."


class InvalidToken(DomainError):
    code, status, text = "invalid_token", 401, "The bearer token is not valid."


class WebhookRefused(DomainError):
    """The same for an endpoint that is not there and for a signature that does not hold."""

    code, status, text = "webhook_refused", 401, "There is no such endpoint, or the webhook's signature does not hold."
    denial = "integration_webhook.refused"


class MissingApiKey(DomainError):
    code, status, text = "missing_api_key", 401, "Missing API key"


class InvalidInstallationCredential(DomainError):
    code, status, text = "invalid_installation_credential", 401, "Invalid installation credential"
    denial = "auth.invalid_credential"


# --- 403: known, but not allowed -----------------------------------------------------------------


class ScopeDenied(DomainError):
    code, status, text = "scope_denied", 403, "The token does not carry the scope that this needs."
    denial = "auth.scope_denied"


class InstallationScopeDenied(DomainError):
    code, status, text = "installation_scope_denied", 403, "The credential does not carry the scope that this needs"
    denial = "auth.scope_denied"


class InactiveInstallationCredential(DomainError):
    code, status, text = "inactive_installation_credential", 403, "The installation credential is revoked or expired"
    denial = "auth.inactive_credential"


class InactiveInstallation(DomainError):
    code, status, text = "inactive_installation", 403, "The installation is not active"
    denial = "auth.inactive_installation"


class OriginNotVerified(DomainError):
    code, status, text = "origin_not_verified", 403, "The installation has no verified origin"
    denial = "auth.origin_not_verified"


class OriginMismatch(DomainError):
    code, status, text = "origin_mismatch", 403, "The Origin header names no verified origin of this installation"
    denial = "auth.origin_mismatch"


# --- 404, 405, 410, 413, 415: the request itself ---------------------------------------------------


class NotFound(DomainError):
    code, status, text = "not_found", 404, "There is nothing here."


class Gone(DomainError):
    code, status, text = "gone", 410, "What was here was retired."


class IntegrationTypeUnknown(DomainError):
    code, status, text = "integration_type_unknown", 404, "There is no such integration that could be connected."


class MethodNotFound(DomainError):
    code, status, text = "integration_method_not_found", 404, "The integration has no such method."


class OriginNotFound(DomainError):
    code, status, text = "origin_not_found", 404, "This installation has no such origin"


class MethodNotAllowed(DomainError):
    code, status, text = "method_not_allowed", 405, "This path does not take that method."


class FullSyncRequired(DomainError):
    """What went since then cannot be told any more; what is listed now can."""

    code, status, text = "full_sync_required", 410, "Changes since then are not known; read the whole list again."


class PayloadTooLarge(DomainError):
    code, status, text = "payload_too_large", 413, "The body is larger than this server accepts."


class UnsupportedMediaType(DomainError):
    code, status, text = "unsupported_media_type", 415, "This path takes application/json."


# --- 409: right in itself, but not now ---------------------------------------------------------------


class Conflict(DomainError):
    code, status, text = "conflict", 409, "The change collides with what is already there."


class InUse(DomainError):
    """`details` has `references`, the first of those that use it as `{id, name}`, and `count`, how many there are."""

    code, status, text = "in_use", 409, "It is in use, and cannot be deleted."


class InvalidTransition(DomainError):
    code, status, text = "invalid_transition", 409, "The present status does not allow this step."


class VersionConflict(DomainError):
    code, status, text = "version_conflict", 409, "It was changed by somebody else since you read it."


class IdempotencyInProgress(DomainError):
    code, status, text = "idempotency_in_progress", 409, "A request with this Idempotency-Key is still being worked on."


class IntegrationNotReady(DomainError):
    code, status, text = "integration_not_ready", 409, "The integration cannot be called as it is configured."


class IntegrationDisabled(DomainError):
    code, status, text = "integration_disabled", 409, "The integration is disabled."


class IntegrationNotAuthenticated(DomainError):
    code, status, text = "integration_not_authenticated", 409, "The integration has no valid credentials."


class OriginUnverified(DomainError):
    code, status, text = "origin_unverified", 409, "The proof was not found at the origin."


# --- 422: the same key, another request ---------------------------------------------------------------


class IdempotencyKeyReused(DomainError):
    code, status, text = "idempotency_key_reused", 422, "This Idempotency-Key belongs to a request with another body."


class DiscoveryUnsupported(DomainError):
    code, status, text = "discovery_unsupported", 422, "The integration cannot list resources of this type."


class WebhookUnsupported(DomainError):
    code, status, text = "webhook_unsupported", 422, "The integration receives no webhooks."


# --- 429, 5xx ---------------------------------------------------------------------------------------


class RateLimited(DomainError):
    """`retry_after` is whole seconds until the same request would be admitted."""

    code, status, text = "installation_rate_limit_exceeded", 429, "Installation rate limit exceeded"
    denial = "rate_limit.exceeded"

    def __init__(self, retry_after: int, message: str | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RequestsLimited(RateLimited):
    code, status, text = "rate_limit_exceeded", 429, "You send more requests than the limit allows."


class IntegrationRateLimited(RateLimited):
    """By the method's own limit, or by the other side's, which said so."""

    code, status, text = "integration_rate_limit_exceeded", 429, "The integration's rate limit is used up for now."


class CostLimited(RateLimited):
    code, status, text = "cost_limit_exceeded", 429, "The cost budget of this token is used up for now."


class Unavailable(DomainError):
    """`RETRY_AFTER` is whole seconds that a caller should leave between tries."""

    RETRY_AFTER = 5
    code, status, text = "service_unavailable", 503, "A part that this needs is not available; try again shortly."


class Internal(DomainError):
    code, status, text = "internal_error", 500, "Something went wrong on our side"


# --- calls to the other side of an integration -------------------------------------------------------


class IntegrationFailed(DomainError):
    """The other side answered with an error or not as it should; `can_retry` where the same call may go well later.

    `details` has `statusCode`, null where no answer came, and `response`.
    """

    code, status, text = "integration_error", 502, "The integration answered with an error."

    def __init__(
        self,
        message: str | None = None,
        *,
        status_code: int | None = None,
        response: Any = None,
        can_retry: bool = False,
    ) -> None:
        super().__init__(message, statusCode=status_code, response=response)
        self.can_retry = can_retry


class IntegrationAuthFailed(DomainError):
    code, status, text = "integration_auth_failed", 502, "The integration refuses the credentials."


class IntegrationTimeout(DomainError):
    """`can_retry` False where the other side may have done what must not be done twice."""

    code, status, text = "integration_timeout", 504, "The integration did not answer in time."
    can_retry = True


class CircuitOpen(DomainError):
    """`retry_after` is whole seconds until the other side is tried again."""

    code, status, text = "circuit_open", 503, "The integration failed too often and is left alone for now."

    def __init__(self, retry_after: int, message: str | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ExecutionFailed(DomainError):
    code, status, text = "execution_failed", 500, "The method could not be executed."
