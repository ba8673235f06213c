"""Usage per installation, operation and day."""

from typing import Any
from uuid import UUID

from app.auth.scopes import Scope
from app.errors import ValidationFailed
from models.operations import UsageCount
from services import fields
from services.context import Context
from services.operations import operation

MOST_ROWS = 50_000


@operation(scope=Scope.INSTALLATIONS_READ, raises=[ValidationFailed])
async def list_usage(
    context: Context, since: str, until: str, installations: UUID | list[UUID] | None = None
) -> list[dict[str, Any]]:
    """How often each operation was used on each day from `since` to `until` (YYYY-MM-DD, both included).

    Of one installation, of several, or of all. Raises ValidationFailed rather than leave out days at the end.
    """
    first, last = fields.day("since", since), fields.day("until", until)
    if not first or not last or last < first:
        raise ValidationFailed({"until": "must be a day as YYYY-MM-DD, not before since"})
    where = (UsageCount.day >= first) & (UsageCount.day <= last)
    wanted = [installations] if isinstance(installations, UUID) else installations
    if wanted is not None:
        if not wanted:
            return []
        where = where & UsageCount.installation.is_in(wanted)
    columns = (UsageCount.installation, UsageCount.api, UsageCount.operation, UsageCount.day, UsageCount.count)
    query = UsageCount.of(context.tenant).select(*columns).where(where)
    rows = await query.order_by(UsageCount.day, UsageCount.operation).limit(MOST_ROWS + 1)
    if len(rows) > MOST_ROWS:
        raise ValidationFailed({"since": f"must be later: from there on there are more than {MOST_ROWS} counts"})
    return rows
