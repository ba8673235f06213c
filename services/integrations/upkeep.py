"""What the integration service tidies up by itself: whatever has run out, of every tenant."""

from app.database import Database, Statement

#: Tables whose rows have run out at `expires_at`.
_EXPIRING = ("idempotency_record", "integration_oauth_state", "integration_delivery")


async def delete_expired(database: Database, now: int) -> int:
    """Delete kept answers, begun authorizations and known deliveries that have run out by `now` (ms); how many."""
    return sum(
        [
            await database.execute(Statement(f"DELETE FROM {table} WHERE expires_at <= {{now}}"), now=now)  # noqa: S608
            for table in _EXPIRING
        ]
    )
