"""What the integration service tidies up by itself: whatever has run out, of every tenant."""

from app.database import Database, Statement

#: Tables whose rows have run out at `expires_at`.
_EXPIRING = ("idempotency_record", "integration_oauth_state", "integration_secret", "integration_delivery")
# What a replay is known by is kept for longer than what it says.
_FORGET_PAYLOADS = Statement(
    "UPDATE integration_delivery SET payload = NULL, key_id = NULL, payload_expires_at = NULL, headers = '{{}}' "
    "WHERE payload_expires_at <= {now}"
)


async def delete_expired(database: Database, now: int) -> int:
    """Delete kept answers, begun authorizations, secrets that were rotated out, and known deliveries that have run out
    by `now` (ms), and the payloads of deliveries that have; how many."""
    gone = [
        await database.execute(Statement(f"DELETE FROM {table} WHERE expires_at <= {{now}}"), now=now)  # noqa: S608
        for table in _EXPIRING
    ]
    return sum(gone) + await database.execute(_FORGET_PAYLOADS, now=now)
