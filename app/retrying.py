"""Whether a request that was refused may be sent again as it is, and when."""

from app.errors import CircuitOpen, DomainError, IntegrationFailed, IntegrationTimeout, RateLimited

#: Where nothing says when a part that is away comes back.
AGAIN_SECONDS = 5
_LATER = (429, 503, 504)


def can_retry(error: DomainError) -> bool:
    """False too where the other side may have done what must not be done twice."""
    if isinstance(error, IntegrationFailed | IntegrationTimeout):
        return error.can_retry
    return error.status in _LATER or error.code == "idempotency_in_progress"


def retry_seconds(error: DomainError) -> int | None:
    """Whole seconds until the same request may go well; None where nothing is known of that."""
    if isinstance(error, RateLimited | CircuitOpen):
        return error.retry_after
    return AGAIN_SECONDS if error.status == 503 or error.code == "idempotency_in_progress" else None
