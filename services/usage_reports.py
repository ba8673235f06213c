"""Usage per installation, operation and day."""

from typing import Any
from uuid import UUID

from app.auth.scopes import Scope
from app.errors import ValidationFailed
from models.operations import UsageCount
from services import fields
from services.context import Context
from services.operations import operation

MOST_ROWS = 10_000


@operation(scope=Scope.INSTALLATIONS_READ, raises=[ValidationFailed])
async def list_usage(
    context: Context, since: str, until: str, installation_id: UUID | None = None
) -> list[dict[str, Any]]:
    """How often each operation was used on each day from `since` to `until` (YYYY-MM-DD, both included)."""
    first, last = fields.day("since", since), fields.day("until", until)
    if not first or not last or last < first:
        raise ValidationFailed({"until": "must be a day as YYYY-MM-DD, not before since"})
    where = (UsageCount.day >= first) & (UsageCount.day <= last)
    if installation_id is not None:
        where = where & (UsageCount.installation == installation_id)
    columns = (UsageCount.installation, UsageCount.api, UsageCount.operation, UsageCount.day, UsageCount.count)
    rows = UsageCount.of(context.tenant).select(*columns).where(where)
    return await rows.order_by(UsageCount.day, UsageCount.operation).limit(MOST_ROWS)
